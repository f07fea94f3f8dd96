/** The commands of a stream that are decided together: what they would append, and what each is to be answered. */
import { type AnyAggregate, evolveWith } from '../domain/kernel/aggregate.ts'
import type { DomainEvent } from '../domain/kernel/event.ts'
import type { Drafted } from './envelope.ts'
import type { NewEvent } from './ports.ts'
import type { LoadedStream } from './streams.ts'

/**
 * Bounds of one append: the log takes 1 MiB, and the first command does not wait long for the last one. Where all of
 * them came in one request they wait for one another anyway, and an append holds more.
 */
const OF_SINGLES = { events: 100, bytes: 384 * 1024 }
const OF_BULKS = { events: 300, bytes: 512 * 1024 }
const AGE_MS_MAX = 250

/** How a command is answered once the draft is in the log, or the state that it was decided on is known to be fresh. */
export type Answer =
  /** Its events are those from `from` to before `to` of the draft; none where it changes nothing. */
  | { readonly from: number; readonly to: number; readonly replayed: boolean }
  /** It was done before: the log holds its events. */
  | { readonly done: readonly DomainEvent[] }
  | { readonly error: unknown }

export class Draft {
  readonly stream: string
  /** The last event before those of the draft. */
  readonly before: { readonly revision: bigint; readonly position: bigint }
  /** The state, and the revision, that the drafted events lead to. */
  state: unknown
  revision: bigint
  /** The revision of the last event that could be read, which is what reads answer with. */
  known: bigint
  readonly events: Drafted[] = []
  readonly answers: Answer[] = []
  readonly #aggregate: AnyAggregate
  readonly #most: typeof OF_BULKS | undefined
  readonly #places = new Map<string, { readonly from: number; readonly to: number }>()
  /** Bytes of the first `#weighed` events: one command alone needs no bound, so they are weighed when another comes. */
  #bytes = 0
  #weighed = 0
  #begunAt = 0

  /** `of`: what its commands are; a draft of a dry run, which is never appended, needs no bounds. */
  constructor(
    aggregate: AnyAggregate,
    { stream, state, revision, known, position }: LoadedStream,
    of: 'singles' | 'bulks' | 'dry run',
  ) {
    this.#aggregate = aggregate
    this.before = { revision, position }
    this.#most = { singles: OF_SINGLES, bulks: OF_BULKS, 'dry run': undefined }[of]
    this.stream = stream
    this.state = state
    this.revision = revision
    this.known = known
  }

  get newEvents(): readonly NewEvent[] {
    return this.events.map(({ event }) => event)
  }

  /** The events as readers see them once the log holds them, at their positions. */
  storedAt(positions: readonly bigint[]): readonly DomainEvent[] {
    return this.events.map(({ decoded }, n) => ({ ...decoded, position: positions[n]! }))
  }

  /** The places of the answers that stand on events of the draft. */
  drafted(): readonly number[] {
    return this.answers.flatMap((answer, n) => ('from' in answer && answer.to > answer.from ? [n] : []))
  }

  /** Whether the log has the thing: otherwise the draft makes it. */
  get isInLog(): boolean {
    return this.before.revision >= 0n
  }

  /** Whether all answers are true whatever else the log holds by now. */
  get isProven(): boolean {
    return this.answers.every(answer => 'done' in answer)
  }

  /** Where the events of a command stand, if the draft holds it. */
  placeOf(commandId: string): { readonly from: number; readonly to: number } | undefined {
    return this.#places.get(commandId)
  }

  /** Takes in the events of a command and its answer; `false`, and nothing is taken in, where they do not fit. */
  add(commandId: string, events: readonly Drafted[]): boolean {
    if (this.#most && this.events.length > 0 && !this.#hasRoomFor(events, this.#most)) return false
    const from = this.events.length
    if (from === 0) this.#begunAt = performance.now()
    const place = { from, to: this.events.push(...events) }
    for (const { decoded } of events) this.state = evolveWith(this.#aggregate, this.state, decoded)
    this.revision += BigInt(events.length)
    if (events.length > 0) {
      this.known = this.revision
      this.#places.set(commandId, place)
    }
    this.answers.push({ ...place, replayed: false })
    return true
  }

  #hasRoomFor(events: readonly Drafted[], most: typeof OF_BULKS): boolean {
    if (this.events.length + events.length > most.events) return false
    for (; this.#weighed < this.events.length; this.#weighed++)
      this.#bytes += bytesOf(this.events[this.#weighed]!.event)
    const bytes = events.reduce((sum, { event }) => sum + bytesOf(event), this.#bytes)
    return bytes <= most.bytes && performance.now() - this.#begunAt < AGE_MS_MAX
  }
}

const bytesOf = ({ text, metadataText }: Drafted['event']) => Buffer.byteLength(text) + Buffer.byteLength(metadataText)
