/**
 * Decides writes one after another in memory and commits them in groups: while one commit is being synced, the next
 * group gathers. At most one commit is under way, and every answer waits until what it was decided upon is durable, so
 * that no answer can be undone by a power cut.
 */
import { randomUUID } from 'node:crypto'
import { idOf, recordLength } from '../log/frame.ts'
import {
  describedBy,
  type Head,
  isSoftDeleted,
  limitsOf,
  metastreamOf,
  NO_LIMITS,
  SOFT_DELETE_METADATA,
  withTruncateBefore,
} from '../log/head.ts'
import type { Store } from '../log/store.ts'
import type { State } from '../log/tables.ts'
import type { ProposedEvent } from '../wire/proposed-event.ts'
import { TOMBSTONE_REVISION } from '../wire/revisions.ts'
import { type Decision, decideAppend, decideDelete, type Streams, type WriteResult } from './decide.ts'
import { Group, type Identity } from './group.ts'
import { RecentIds } from './recent-ids.ts'

const RECENT_IDS_MAX = 150_000
const NOTHING: Buffer = Buffer.alloc(0)
const EMPTY_EVENT: ProposedEvent = { id: '', type: NOTHING, json: false, metadata: NOTHING, data: NOTHING }

/** Called with the outcome of a write: an error, or else a result. */
export type Settle = (error: Error | undefined, result?: WriteResult) => void

export class Committer implements Streams {
  readonly recent = new RecentIds(RECENT_IDS_MAX)
  readonly #store: Store
  readonly #onFailure: (error: Error) => void
  readonly #listeners = new Set<(touched: ReadonlySet<string>) => void>()
  /** The group that takes what is decided, and the one that is being synced. */
  #group = new Group()
  #committing: Group | undefined
  #scheduled = false
  /** Where the log goes on behind everything that is decided. */
  #next: State
  #created = { at: 0, digits: NOTHING }
  #waitingForRoom: (() => void)[] = []

  /** Calls `onFailure` with the error of each commit that failed. */
  constructor(store: Store, onFailure: (error: Error) => void = () => {}) {
    this.#store = store
    this.#onFailure = onFailure
    this.#next = store.state
  }

  /** Bytes decided and not on disk yet. */
  get backlogBytes(): number {
    return this.#group.bytes + (this.#committing?.bytes ?? 0)
  }

  /** Calls back after each commit with the names of the streams that got events, until the answer is called. */
  onCommit(listener: (touched: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Writes events, or none, when the stream is as expected. */
  append(name: string, expected: number, events: readonly ProposedEvent[], settle: Settle): void {
    this.#decide(settle, () => {
      const head = this.head(name)
      const decision = decideAppend(this, name, head, expected, events)
      return this.#ifAccepted(decision, () => this.#stage(name, head, events))
    })
  }

  /** Deletes a stream softly: its metadata becomes a $tb behind every revision. */
  delete(name: string, expected: number, settle: Settle): void {
    this.#decide(settle, () => {
      const decision = decideDelete(this, name, this.head(name), expected, false)
      const metastream = metastreamOf(name)
      return this.#ifAccepted(decision, () =>
        this.#stageEvents(metastream, this.head(metastream), [metadataEvent(SOFT_DELETE_METADATA)]),
      )
    })
  }

  /** Closes a stream for ever. */
  tombstone(name: string, expected: number, settle: Settle): void {
    this.#decide(settle, () => {
      const head = this.head(name)
      const decision = decideDelete(this, name, head, expected, true)
      return this.#ifAccepted(decision, () => this.#stageTombstone(name, head))
    })
  }

  /** Writes an event at a position of its own, without a decision: the log of a new store begins so. */
  place(name: string, event: ProposedEvent, position: number, settle: Settle): void {
    this.#decide(settle, () => {
      this.#next = { ...this.#next, nextPosition: Math.max(position, this.#next.nextPosition) }
      return this.#stageEvents(name, this.head(name), [event])
    })
  }

  /** Resolves when everything decided so far is on disk. */
  flush(): Promise<void> {
    return new Promise((resolve, reject) => this.#answer(error => (error ? reject(error) : resolve())))
  }

  /** Resolves after the next commit, for callers that wait until the backlog is shorter. */
  room(): Promise<void> {
    return this.backlogBytes === 0 ? Promise.resolve() : new Promise(resolve => this.#waitingForRoom.push(resolve))
  }

  /** The head as decided so far, which may be ahead of the disk. */
  head(name: string): Head | undefined {
    return this.#group.heads.get(name) ?? this.#committing?.heads.get(name) ?? this.#store.head(name)
  }

  /** The event at a revision as decided so far. */
  eventAt(head: Head, revision: number): Identity | undefined {
    if (revision > head.revision) return undefined
    const staged = this.#group.eventAt(head.number, revision) ?? this.#committing?.eventAt(head.number, revision)
    if (staged) return staged
    const stored = this.#store.event(head.number, revision)
    return stored && { id: idOf(stored), position: stored.position }
  }

  #decide(settle: Settle, decide: () => WriteResult): void {
    let result: WriteResult
    try {
      result = decide()
    } catch (error) {
      settle(error as Error)
      return
    }
    this.#answer(error => (error ? settle(error) : settle(undefined, result)))
  }

  /** Answers when everything decided so far is durable. */
  #answer(answer: (error?: Error) => void): void {
    const last = this.#group.hasChanges ? this.#group : this.#committing
    if (last) last.waiting.push(answer)
    else answer()
  }

  #ifAccepted(decision: Decision, stage: () => WriteResult): WriteResult {
    return decision.kind === 'accept' ? stage() : decision
  }

  /** Stages an accepted append, and the metadata event that brings a soft-deleted stream back. */
  #stage(name: string, head: Head | undefined, events: readonly ProposedEvent[]): WriteResult {
    const described = describedBy(name)
    const revivesDescribed = described !== undefined && isSoftDeleted(this.head(described))
    const result = events.length > 0 ? this.#stageEvents(name, head, events) : this.#stageNothing(name, head)
    if (isSoftDeleted(head)) this.#undelete(name, head!.revision + 1)
    if (revivesDescribed) this.#undelete(described, (this.head(described)?.revision ?? -1) + 1)
    return result
  }

  #stageEvents(name: string, known: Head | undefined, events: readonly ProposedEvent[]): WriteResult {
    const head = known ?? this.#newHead()
    const nameBytes = Buffer.from(name, 'utf8')
    const created = this.#now()
    const first = head.revision + 1
    const identities: Identity[] = []
    let position = this.#next.nextPosition
    for (const [index, event] of events.entries()) {
      identities.push({ id: event.id, position })
      position = this.#group.add(head, nameBytes, first + index, position, created, event)
      this.recent.add(event.id, head.number, first + index)
    }
    const last = first + events.length - 1
    this.#group.remember(head.number, first, identities, events.at(-1)!.data)
    this.#group.heads.set(name, { ...head, revision: last })
    this.#describe(name, events.at(-1)!)
    this.#advance(position, name)
    return { kind: 'written', revision: last, position: identities.at(-1)!.position }
  }

  /** Stages a write without events, which takes a record's room in the log and leaves nothing to read. */
  #stageNothing(name: string, head: Head | undefined): WriteResult {
    const position = this.#next.nextPosition
    const length = recordLength(Buffer.byteLength(name, 'utf8'), EMPTY_EVENT)
    this.#group.moved = true
    this.#advance(position + length, name)
    return { kind: 'written', revision: head?.revision ?? -1, position }
  }

  #stageTombstone(name: string, known: Head | undefined): WriteResult {
    const head = known ?? this.#newHead()
    const position = this.#next.nextPosition
    const event: ProposedEvent = { ...EMPTY_EVENT, id: randomUUID(), type: Buffer.from('$streamDeleted') }
    const end = this.#group.add(head, Buffer.from(name), TOMBSTONE_REVISION, position, this.#now(), event)
    this.#group.heads.set(name, { ...head, tombstoned: true })
    this.#describe(name, event)
    this.#advance(end, name)
    return { kind: 'written', revision: TOMBSTONE_REVISION, position }
  }

  /** Lets readers see a soft-deleted stream again, from a revision on. */
  #undelete(name: string, revision: number): void {
    const metastream = metastreamOf(name)
    const head = this.head(metastream)
    const data = head && withTruncateBefore(this.#lastData(head) ?? NOTHING, revision)
    if (data) this.#stageEvents(metastream, head, [metadataEvent(data)])
  }

  #lastData(head: Head): Buffer | undefined {
    const staged = this.#group.lastDataOf(head.number) ?? this.#committing?.lastDataOf(head.number)
    if (staged) return staged
    const view = this.#store.event(head.number, head.revision)
    return view?.bytes.subarray(view.dataStart, view.dataEnd)
  }

  /** Gives the limits in an event of a metadata stream to the stream that it describes. */
  #describe(metastream: string, { data, json }: ProposedEvent): void {
    const name = describedBy(metastream)
    if (name === undefined) return
    const head = this.head(name) ?? this.#newHead()
    this.#group.heads.set(name, { ...head, limits: limitsOf(data, json) })
  }

  #newHead(): Head {
    const number = this.#next.nextStream
    this.#next = { ...this.#next, nextStream: number + 1 }
    return { number, revision: -1, tombstoned: false, limits: NO_LIMITS }
  }

  #advance(nextPosition: number, touched: string): void {
    this.#next = { ...this.#next, nextPosition }
    this.#group.touched.add(touched)
    if (this.#committing || this.#scheduled) return
    this.#scheduled = true
    // The commit waits for the end of the turn, so that everything that has already arrived joins the group.
    setImmediate(() => void this.#commit())
  }

  async #commit(): Promise<void> {
    const group = this.#group
    this.#scheduled = false
    this.#committing = group
    this.#group = new Group()
    let failure: Error | undefined
    try {
      await this.#store.commit(group.changes(this.#next.nextPosition, this.#next.nextStream))
    } catch (error) {
      failure = error as Error
    }
    this.#committing = undefined
    if (failure) this.#fail(group, failure)
    else this.#succeed(group)
    for (const wake of this.#waitingForRoom.splice(0)) wake()
    if (this.#group.hasChanges && !this.#committing && !this.#scheduled) void this.#commit()
  }

  #succeed(group: Group): void {
    group.recycle()
    for (const answer of group.waiting) answer()
    for (const listener of this.#listeners) listener(group.touched)
  }

  /** Fails everything that was decided upon events that did not reach the disk, and goes on from what the disk has. */
  #fail(group: Group, error: Error): void {
    this.#onFailure(error)
    const later = this.#group
    this.#group = new Group()
    this.#next = this.#store.state
    this.recent.clear()
    for (const answer of [...group.waiting, ...later.waiting]) answer(error)
  }

  /** The time in 100 ns ticks as digits, which are made once a millisecond. */
  #now(): Buffer {
    const at = Date.now()
    if (at !== this.#created.at) this.#created = { at, digits: Buffer.from(`${at}0000`, 'latin1') }
    return this.#created.digits
  }
}

function metadataEvent(data: Buffer): ProposedEvent {
  return { id: randomUUID(), type: Buffer.from('$metadata'), json: true, metadata: NOTHING, data }
}
