/**
 * One process at work. Events of one stream are taken one after another, those of other streams beside them: a step
 * that fails holds up the thing that it belongs to, and nothing else.
 */
import { KogiError } from '../../domain/kernel/errors.ts'
import type { DomainEvent, StoredEvent } from '../../domain/kernel/event.ts'
import { LostRaceError } from '../ports.ts'
import { type Checkpoint, type Left, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { type Decision, decisionsAfter } from './decisions.ts'
import { type GiveDeps, giveSteps, StepError } from './give.ts'
import { type AnyProcess, follows } from './process.ts'

/** Pauses before a step that failed is tried again, in milliseconds; after the last one it is parked. */
const PAUSES_MS: readonly number[] = [250, 1_000, 4_000, 15_000, 60_000]
/** Pauses while an engine is away: growing, never the last one. */
const AWAY_MS_MIN = 100
const AWAY_MS_MAX = 5_000
/** Errors that say nothing about the step: it is tried again for ever. */
const AWAY: ReadonlySet<string> = new Set(['engine_unavailable', 'outcome_unknown', 'conflict'])
/** Longest message of an error that a checkpoint keeps. */
const MESSAGE_MAX = 300
/** How long a checkpoint that only passes other events may lag behind. */
const LAZY_MS = 10_000

export type FollowerDeps = GiveDeps & {
  readonly worker: string
  readonly pausesMs?: readonly number[]
  /** Called when an event is done, with the time since it was stored, or has failed. */
  readonly onStep?: (process: string, outcome: 'done' | 'failed' | 'parked', event: StoredEvent) => void
  readonly log: ProcessLog
}

/** The part of a logger that processes speak to; pino's has it. */
export type ProcessLog = Readonly<
  Record<'info' | 'warn' | 'error', (fields: Record<string, unknown>, message: string) => void>
>

type Failure = NonNullable<Left['failure']>

/** An event on its way. `before`: the position that the process had come to before it. */
type Task = {
  readonly event: StoredEvent
  readonly before: bigint
  done: boolean
  failure?: Failure | undefined
  from: number
  abandoned?: string | undefined
  wake?: (() => void) | undefined
}

export class Follower {
  readonly process: AnyProcess
  /** The error of an engine that keeps it from working, while there is one. */
  trouble: Error | undefined
  readonly #deps: FollowerDeps
  readonly #signal: AbortSignal
  readonly #onRoom: () => void
  readonly #lanes = new Map<string, Task[]>()
  readonly #working = new Set<Promise<void>>()
  #tasks: Task[] = []
  #position: bigint
  #saved: Checkpoint
  #revision: bigint
  #decided: number
  #changed = false
  #savedAt = performance.now()

  private constructor(deps: FollowerDeps, process: AnyProcess, start: Start) {
    this.#deps = deps
    this.process = process
    this.#signal = start.signal
    this.#onRoom = start.onRoom
    this.#saved = start.checkpoint
    this.#revision = start.revision
    this.#position = start.checkpoint.position
    this.#decided = start.checkpoint.decided
  }

  /** Takes a process over from where its last worker came to; that one can write no checkpoint any more. */
  static async begin(deps: FollowerDeps, process: AnyProcess, signal: AbortSignal, onRoom: () => void) {
    const found = await readCheckpoint(deps.store, process.name)
    const follower = new Follower(deps, process, { ...found, signal, onRoom })
    follower.#changed = true
    const left = found.checkpoint.left
    const events = await Promise.all(left.map(({ stream, revision }) => deps.store.read(stream, revision, 1)))
    for (const [n, [event]] of events.entries()) {
      if (!event) throw new KogiError('event_missing', `The log has no event ${left[n]!.event} any more.`)
      follower.#start({ ...event, position: left[n]!.position }, left[n]!.failure)
    }
    await follower.save(true)
    return follower
  }

  /** The position up to which it has looked at every event. */
  get position(): bigint {
    return this.#position
  }

  /** Events on their way, without those whose thing waits for a step that failed. */
  get active(): number {
    return this.#tasks.filter(task => !task.done && !this.#isHeld(task)).length
  }

  /** Whether it has nothing to do, and nothing to write, before the next event. */
  get isAtRest(): boolean {
    return this.#tasks.length === 0 && !this.#changed && this.#position === this.#saved.position
  }

  /** Events that wait for a step that failed, and how many steps wait for an operator. */
  get left(): { readonly waiting: number; readonly parked: number } {
    const held = this.#tasks.filter(task => !task.done && this.#isHeld(task))
    return { waiting: held.length, parked: held.filter(({ failure }) => failure?.parked).length }
  }

  /** Takes the next event of the log. */
  take(event: StoredEvent): void {
    if (event.position <= this.#position) return
    if (follows(this.process, event.type)) this.#start(event)
    this.#position = event.position
  }

  #start(event: StoredEvent, failure?: Failure): void {
    const task: Task = { event, before: this.#position, done: false, failure, from: failure?.at ?? 0 }
    this.#tasks.push(task)
    const lane = this.#lanes.get(event.stream)
    if (lane) lane.push(task)
    else {
      const begun = [task]
      this.#lanes.set(event.stream, begun)
      const working: Promise<void> = this.#work(event.stream, begun).finally(() => this.#working.delete(working))
      this.#working.add(working)
    }
  }

  async #work(stream: string, lane: Task[]): Promise<void> {
    for (let away = 0; lane.length > 0; ) {
      const task = lane[0]!
      if (task.failure && task.abandoned === undefined) await this.#pause(task, this.#pauseOf(task.failure))
      if (this.#signal.aborted) return
      try {
        await giveSteps(this.#deps, this.process, this.#deps.codec.decode(task.event) as DomainEvent, task)
        task.done = true
        task.failure = undefined
        this.trouble = undefined
        away = 0
        lane.shift()
        this.#changed = true
        this.#deps.onStep?.(this.process.name, 'done', task.event)
        this.#onRoom()
      } catch (error) {
        if (isAway(error)) {
          this.trouble = error as Error
          await this.#pause(task, Math.min(AWAY_MS_MAX, AWAY_MS_MIN * 2 ** away++))
        } else this.#failed(task, error)
      }
    }
    this.#lanes.delete(stream)
  }

  #failed(task: Task, error: unknown): void {
    const { at, command, code } =
      error instanceof StepError ? error : { at: task.from, command: '', code: codeOf(error) }
    const tries = (task.failure?.at === at ? task.failure.tries : 0) + 1
    const parked = tries > this.#pauses.length
    const message = (error as Error).message.slice(0, MESSAGE_MAX)
    task.failure = { at, command, code, message, tries, since: task.failure?.since ?? this.#deps.now(), parked }
    task.from = at
    task.abandoned = undefined
    this.#changed = true
    const { type, metadata, stream, position } = task.event
    const fields = { process: this.process.name, type, thing: metadata.id, stream, position, ...task.failure }
    if (parked) this.#deps.log.error(fields, 'a step of a process is parked')
    else this.#deps.log.warn(fields, 'a step of a process failed')
    this.#deps.onStep?.(this.process.name, parked ? 'parked' : 'failed', task.event)
    this.#onRoom()
  }

  get #pauses(): readonly number[] {
    return this.#deps.pausesMs ?? PAUSES_MS
  }

  /** How long a failed step waits, `undefined` where it waits for an operator. */
  #pauseOf = ({ tries, parked }: Failure) => (parked ? undefined : (this.#pauses[tries - 1] ?? 0))

  #pause(task: Task, ms: number | undefined): Promise<void> {
    return new Promise(resolve => {
      const end = () => {
        clearTimeout(timer)
        task.wake = undefined
        resolve()
      }
      const timer = ms === undefined ? undefined : setTimeout(end, ms)
      task.wake = end
      if (this.#signal.aborted) end()
    })
  }

  /** Acts on what operators have decided since the last look. */
  async decide(): Promise<void> {
    if (!this.#tasks.some(({ failure }) => failure)) return
    for (const { revision, ...decision } of await decisionsAfter(this.#deps.store, this.process.name, this.#decided)) {
      this.#decided = revision
      this.#decideOn(decision)
    }
  }

  #decideOn({ event, decision, reason, actor }: Decision): void {
    const task = this.#tasks.find(({ failure, event: { eventId } }) => failure && eventId === event)
    if (!task?.failure) return
    const fields = { process: this.process.name, event, decision, reason, actor }
    this.#deps.log.info(fields, 'an operator decided on a step')
    if (decision === 'abandon') task.abandoned = reason ?? ''
    else task.failure = { ...task.failure, tries: 0, parked: false }
    this.#changed = true
    task.wake?.()
  }

  /**
   * Writes the checkpoint where it has changed: the position before the first event that waits for no step that failed,
   * and all events up to there that are not done. `always`: also where nothing but the position has changed. Throws
   * where the process was taken over.
   */
  async save(always = false): Promise<void> {
    this.#tasks = this.#tasks.filter(({ done }) => !done)
    const lazy = performance.now() - this.#savedAt > LAZY_MS
    if (!this.#changed && !((always || lazy) && this.#position !== this.#saved.position)) return
    this.#changed = false
    const first = this.#tasks.find(task => !this.#isHeld(task))
    const position = greater(this.#saved.position, first?.before ?? this.#position)
    const left = this.#tasks.filter(task => task.event.position <= position)
    // A decision counts as done once the step that it is about is.
    const decided = left.some(({ abandoned }) => abandoned !== undefined) ? this.#saved.decided : this.#decided
    const value = { position, left: left.map(leftOf), decided, worker: this.#deps.worker, at: this.#deps.now() }
    try {
      this.#revision = await writeCheckpoint(this.#deps.store, this.process.name, value, this.#revision)
    } catch (error) {
      this.#changed = true
      if (error instanceof LostRaceError) throw error
      this.trouble = error as Error
      return
    }
    this.#saved = value
    this.#savedAt = performance.now()
  }

  /** Ends all pauses, once the signal of its start was aborted; resolves when nothing is on its way any more. */
  async ended(): Promise<void> {
    for (const task of this.#tasks) task.wake?.()
    await Promise.all(this.#working)
  }

  #isHeld({ event }: Task): boolean {
    return this.#lanes.get(event.stream)?.[0]?.failure !== undefined
  }
}

type Start = {
  readonly checkpoint: Checkpoint
  readonly revision: bigint
  readonly signal: AbortSignal
  readonly onRoom: () => void
}

const leftOf = ({ event, failure }: Task): Left => ({
  stream: event.stream,
  revision: event.revision,
  position: event.position,
  event: event.eventId,
  type: event.type,
  org: event.metadata.org,
  thing: event.metadata.id,
  failure,
})

const greater = (a: bigint, b: bigint) => (a > b ? a : b)

const codeOf = (error: unknown) => (error instanceof KogiError ? error.code : 'internal')

function isAway(error: unknown): boolean {
  const cause = error instanceof StepError ? error.cause : error
  return AWAY.has(codeOf(cause))
}
