/** Storage of many short runs of numbers in one block of memory: small arrays of their own would cost more. */
import { resized } from '../lists.ts'

const GROWTH = 1.25
/** Holes are closed when they are more than this part of the block. */
const HOLES_MAX = 0.3

/** What runs hold, to store them. */
export type RunsState = { readonly items: Uint32Array; readonly starts: Uint32Array; readonly lengths: Uint32Array }

/** Runs of numbers below 2^32, named by numbers that are small and near each other. */
export class Runs {
  /** The runs that a state is of. */
  static of(state: RunsState): Runs {
    const runs = new Runs()
    runs.#items = state.items.slice()
    runs.#starts = state.starts.slice()
    runs.#lengths = state.lengths.slice()
    runs.#names = runs.#starts.length
    runs.#end = runs.#items.length
    runs.#used = runs.#lengths.reduce((sum, length) => sum + length, 0)
    return runs
  }

  /** All of it, as long as nothing changes. */
  get state(): RunsState {
    return {
      items: this.#items.subarray(0, this.#end),
      starts: this.#starts.subarray(0, this.#names),
      lengths: this.#lengths.subarray(0, this.#names),
    }
  }

  #items = new Uint32Array(1_024)
  #starts = new Uint32Array(64)
  #lengths = new Uint32Array(64)
  #names = 0
  #end = 0
  #used = 0

  /** Stores a run under a name that has none. */
  set(name: number, run: readonly number[]): void {
    if (name >= this.#starts.length) {
      this.#starts = resized(this.#starts, Math.ceil(GROWTH * (name + 1)))
      this.#lengths = resized(this.#lengths, this.#starts.length)
    }
    this.#names = Math.max(this.#names, name + 1)
    if (this.#end + run.length > this.#items.length) {
      this.#items = resized(this.#items, Math.ceil(GROWTH * (this.#end + run.length)))
    }
    this.#items.set(run, this.#end)
    this.#starts[name] = this.#end
    this.#lengths[name] = run.length
    this.#end += run.length
    this.#used += run.length
  }

  /** The run of a name, until the next change. */
  get(name: number): Uint32Array {
    const start = this.#starts[name] ?? 0
    return this.#items.subarray(start, start + (this.#lengths[name] ?? 0))
  }

  /** Forgets a run, and leaves nothing of it. */
  delete(name: number): void {
    const run = this.get(name)
    this.#used -= run.length
    run.fill(0)
    this.#lengths[name] = 0
    if (this.#end - this.#used > HOLES_MAX * this.#items.length) this.#pack()
  }

  #pack(): void {
    const items = new Uint32Array(Math.ceil(GROWTH * this.#used) + 1_024)
    let end = 0
    for (let name = 0; name < this.#names; name += 1) {
      const run = this.get(name)
      items.set(run, end)
      this.#starts[name] = end
      end += run.length
    }
    this.#items = items
    this.#end = end
  }
}
