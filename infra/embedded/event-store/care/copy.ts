/** Fills an empty store with events that keep their revisions, positions and times, for an import or a scavenge. */
import { type FrameView, idOf, recordLength, streamOf } from '../log/frame.ts'
import { describedBy, type Head, limitsOf, NO_LIMITS } from '../log/head.ts'
import type { Store } from '../log/store.ts'
import type { ProposedEvent } from '../wire/proposed-event.ts'
import { TOMBSTONE_REVISION } from '../wire/revisions.ts'
import { Group } from '../write/group.ts'

/** Bytes of one commit while copying. */
const GROUP_BYTES = 4 * 1024 * 1024

/** An event with all that the log gave it when it was written first. */
export type StoredEvent = {
  readonly stream: string
  readonly revision: number
  readonly position: number
  /** 17 digits: 100 ns ticks since 1970. */
  readonly created: Buffer
  readonly event: ProposedEvent
}

export function storedEvent(view: FrameView): StoredEvent {
  const part = (start: number, end: number): Buffer => view.bytes.subarray(start, end)
  return {
    stream: streamOf(view),
    revision: view.revision,
    position: view.position,
    created: part(view.createdStart, view.createdEnd),
    event: {
      id: idOf(view),
      type: part(view.typeStart, view.typeEnd),
      json: view.json,
      metadata: part(view.metadataStart, view.metadataEnd),
      data: part(view.dataStart, view.dataEnd),
    },
  }
}

export class Copy {
  readonly #target: Store
  readonly #source: Store | undefined
  #group = new Group()
  #nextPosition = 0
  #nextStream: number

  /** With a source, streams keep the numbers that they have there. */
  constructor(target: Store, source?: Store) {
    this.#target = target
    this.#source = source
    this.#nextStream = source?.state.nextStream ?? 1
  }

  /** Adds the next event in the order of positions. */
  async add(stored: StoredEvent): Promise<void> {
    const { stream, revision, position, created, event } = stored
    if (position < this.#nextPosition)
      throw new Error(
        `The event at position ${position} overlaps the one before it, which ends at ${this.#nextPosition}`,
      )
    const head = this.#head(stream)
    const isTombstone = revision >= TOMBSTONE_REVISION
    if (!isTombstone && revision <= head.revision)
      throw new Error(`Revision ${revision} of ${stream} comes behind revision ${head.revision}`)
    if (!isTombstone && this.#source === undefined && head.revision >= 0 && revision !== head.revision + 1)
      throw new Error(`Revision ${revision} of ${stream} comes behind revision ${head.revision}: events are missing`)
    const name = Buffer.from(stream, 'utf8')
    this.#group.add(head, name, revision, position, created, event)
    this.#group.heads.set(stream, isTombstone ? { ...head, tombstoned: true } : { ...head, revision })
    const described = describedBy(stream)
    if (described !== undefined) this.#describe(described, event)
    this.#nextPosition = position + recordLength(name.length, event)
    if (this.#group.bytes >= GROUP_BYTES) await this.#flush()
  }

  /** Writes what is left; the log goes on at `nextPosition` at the earliest. */
  async finish(nextPosition = 0): Promise<void> {
    this.#nextPosition = Math.max(nextPosition, this.#nextPosition)
    await this.#flush()
  }

  async #flush(): Promise<void> {
    const group = this.#group
    this.#group = new Group()
    await this.#target.commit(group.changes(this.#nextPosition, this.#nextStream))
    group.recycle()
  }

  #head(stream: string): Head {
    const known = this.#group.heads.get(stream) ?? this.#target.head(stream)
    if (known) return known
    const number = this.#source?.head(stream)?.number ?? this.#nextStream++
    const head: Head = { number, revision: -1, tombstoned: false, limits: NO_LIMITS }
    this.#group.heads.set(stream, head)
    return head
  }

  #describe(stream: string, { data, json }: ProposedEvent): void {
    this.#group.heads.set(stream, { ...this.#head(stream), limits: limitsOf(data, json) })
  }
}
