/** The trees that the notary grows from the events of the log. */
import { setImmediate } from 'node:timers/promises'
import type { Head } from '../../projections/notary/checkpoint.ts'
import { leafOf } from '../../projections/notary/leaf.ts'
import { type Hash, leafHash, Tree } from '../../projections/notary/merkle.ts'
import { storedLeaf } from '../../projections/notary/stored-leaf.ts'
import { HEIGHT } from '../../projections/notary/tiles.ts'
import type { UnparsedEvent } from '../../projections/ports.ts'

/** Time after which hashing gives the event loop back. */
const SLICE_MS = 10
/** Hashes that wait to be written, at most, while the log is hashed from its beginning. */
const PUT_MAX = 20_000

/** The log is not the one that was signed. */
export class LogAltered extends Error {
  override readonly name = 'LogAltered'
}

/** A checkpoint that the log must lead to, and where it was found. */
export type Signed = { readonly head: Head; readonly from: string }

/** Gets the hashes that tiles consist of, as trees grow. `org` is `''` for the tree of the whole log. */
export type TileSink = {
  readonly put: (org: string, node: TileNode) => void
  /** Writes what was put, where that is more than `count` hashes. */
  readonly flush: (count?: number) => Promise<void>
}

/** A hash of a level of tiles: which it is from the left, and of a leaf the position of its event. */
type TileNode = { readonly level: number; readonly at: number; readonly hash: Hash; readonly position: bigint }

/** The trees of the log, from its first event on, and the checkpoints that they must lead to. */
export class Hashing {
  position = 0n
  /** Whether all events that the log had when it was asked have come. */
  isAtEnd = false
  readonly #log: Tree
  readonly #tiles: TileSink | undefined
  readonly #orgs = new Map<string, Tree>()
  readonly #grown = new Set<string>()
  readonly #allGrown: boolean
  #turn = this.#orgs.keys()
  #open: readonly Signed[]

  /** `allGrown`: all orgs are to be sealed, because it is not known which were. */
  constructor(signed: readonly Signed[], allGrown: boolean, tiles?: TileSink) {
    this.#tiles = tiles
    this.#log = this.#tree('')
    this.#open = signed.filter(({ head }) => head.size > 0)
    this.#allGrown = allGrown
  }

  get size(): number {
    return this.#log.size
  }

  get root() {
    return this.#log.root
  }

  /** Whether the log leads to every checkpoint that was signed. */
  get isProved(): boolean {
    return this.#open.length === 0
  }

  /** Orgs that have grown since their last seal. */
  get grown(): readonly string[] {
    return [...this.#grown]
  }

  /** Some orgs that have not grown, each in its turn. */
  others(count: number): readonly string[] {
    const found: string[] = []
    for (let looked = 0; looked < Math.min(this.#orgs.size, count * 4) && found.length < count; looked += 1) {
      const next = this.#turn.next()
      if (next.done) this.#turn = this.#orgs.keys()
      else if (!this.#grown.has(next.value)) found.push(next.value)
    }
    return found
  }

  treeOf = (org: string): Tree => this.#orgs.get(org)!
  forget = (org: string): boolean => this.#grown.delete(org)

  /** Throws `LogAltered` where the log leads to another head than was signed. */
  async add(events: readonly UnparsedEvent[]): Promise<void> {
    let since = performance.now()
    for (const event of events) {
      const known = storedLeaf(event)
      const leaf = known?.leaf ?? leafHash(leafOf(event))
      this.position = event.position
      this.#log.add(leaf)
      const org = known?.org ?? event.metadata.org
      if (typeof org === 'string' && org !== '') {
        const tree = this.#orgs.get(org) ?? this.#tree(org)
        tree.add(leaf)
        this.#orgs.set(org, tree)
        if (this.isProved || this.#allGrown) this.#grown.add(org)
      }
      this.#prove()
      if (performance.now() - since < SLICE_MS) continue
      await setImmediate()
      since = performance.now()
    }
    await this.#tiles?.flush(PUT_MAX)
  }

  #tree(org: string): Tree {
    const tiles = this.#tiles
    if (!tiles) return new Tree()
    return new Tree((height, at, hash) => {
      if (height % HEIGHT === 0) tiles.put(org, { level: height / HEIGHT, at, hash, position: this.position })
    })
  }

  /** A signed checkpoint of more events than the log has, once all of them have come. */
  get missing(): Signed | undefined {
    return this.isAtEnd ? this.#open[0] : undefined
  }

  #prove(): void {
    if (!this.#open.some(({ head }) => head.size === this.size)) return
    const { root, size } = this
    const wrong = this.#open.find(({ head }) => head.size === size && !head.root.equals(root))
    if (wrong) {
      throw new LogAltered(`The first ${size} events are not those of the checkpoint that ${wrong.from} has.`)
    }
    this.#open = this.#open.filter(({ head }) => head.size !== size)
  }
}
