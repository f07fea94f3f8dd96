import { randomUUID } from 'node:crypto'
import { idOf, type NewEvent, recordLength, TOMBSTONE_REVISION } from '../log/frame.ts'
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
import { type Decision, decideAppend, decideDelete, type Streams, type WriteResult } from './decide.ts'
import { Group, type Identity } from './group.ts'
import { RecentIds } from './recent-ids.ts'

export type Settle = (error: Error | undefined, result?: WriteResult) => void

const RECENT_IDS_MAX = 150_000
const NOTHING: Buffer = Buffer.alloc(0)

/**
 * Decides appends one after another in memory and commits them in groups: while one commit is being synced, the next
 * group gathers. At most one commit is under way, and every answer waits for what it was decided upon to be
 * durable, so nothing is answered that a power cut could take back.
 */
export class Writer implements Streams {
  readonly recent = new RecentIds(RECENT_IDS_MAX)
  private readonly store: Store
  private readonly onFailure: (error: Error) => void
  private readonly listeners = new Set<(touched: ReadonlySet<string>) => void>()
  private group = new Group()
  private committing: Group | undefined
  private scheduled = false
  private next: State
  private created = { at: 0, digits: NOTHING }
  private waitingForRoom: (() => void)[] = []

  /** `onFailure` is told of each commit that failed. */
  constructor(store: Store, onFailure: (error: Error) => void = () => {}) {
    this.store = store
    this.onFailure = onFailure
    this.next = store.state
  }

  /** Bytes decided and not on disk yet. */
  get backlogBytes(): number {
    return this.group.bytes + (this.committing?.bytes ?? 0)
  }

  /** Calls back after each commit with the names of the streams that got events. */
  onCommit(listener: (touched: ReadonlySet<string>) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  append(name: string, expected: number, events: readonly NewEvent[], settle: Settle): void {
    this.decide(settle, () => {
      const head = this.head(name)
      const decision = decideAppend(this, name, head, expected, events)
      return this.ifAccepted(decision, () => this.stage(name, head, events))
    })
  }

  /** Soft deletion: the metadata becomes a $tb behind every revision. */
  delete(name: string, expected: number, settle: Settle): void {
    this.decide(settle, () => {
      const decision = decideDelete(this, name, this.head(name), expected, false)
      const metastream = metastreamOf(name)
      return this.ifAccepted(decision, () =>
        this.stageEvents(metastream, this.head(metastream), [metadataEvent(SOFT_DELETE_METADATA)]),
      )
    })
  }

  tombstone(name: string, expected: number, settle: Settle): void {
    this.decide(settle, () => {
      const head = this.head(name)
      const decision = decideDelete(this, name, head, expected, true)
      return this.ifAccepted(decision, () => this.stageTombstone(name, head))
    })
  }

  /** Writes an event at a position where no decision is due: history that comes from elsewhere. */
  place(name: string, event: NewEvent, position: number, settle: Settle): void {
    this.decide(settle, () => {
      this.next = { ...this.next, nextPosition: Math.max(position, this.next.nextPosition) }
      return this.stageEvents(name, this.head(name), [event])
    })
  }

  /** Resolves when everything decided so far is on disk. */
  flush(): Promise<void> {
    return new Promise((resolve, reject) => this.answer(error => (error ? reject(error) : resolve())))
  }

  /** Resolves after the next commit: for callers that find the backlog too long. */
  room(): Promise<void> {
    return this.backlogBytes === 0 ? Promise.resolve() : new Promise(resolve => this.waitingForRoom.push(resolve))
  }

  /** The head as decided so far, which may be ahead of the disk. */
  head(name: string): Head | undefined {
    return this.group.heads.get(name) ?? this.committing?.heads.get(name) ?? this.store.head(name)
  }

  eventAt(head: Head, revision: number): Identity | undefined {
    if (revision > head.revision) return undefined
    const staged = this.group.eventAt(head.number, revision) ?? this.committing?.eventAt(head.number, revision)
    if (staged) return staged
    const stored = this.store.event(head.number, revision)
    return stored && { id: idOf(stored), position: stored.position }
  }

  private decide(settle: Settle, decide: () => WriteResult): void {
    let result: WriteResult
    try {
      result = decide()
    } catch (error) {
      settle(error as Error)
      return
    }
    this.answer(error => (error ? settle(error) : settle(undefined, result)))
  }

  private answer(answer: (error?: Error) => void): void {
    const last = this.group.hasChanges ? this.group : this.committing
    if (last) last.waiting.push(answer)
    else answer()
  }

  private ifAccepted(decision: Decision, stage: () => WriteResult): WriteResult {
    return decision.kind === 'accept' ? stage() : decision
  }

  /** Stages an accepted append, and the metadata event that brings a soft-deleted stream back. */
  private stage(name: string, head: Head | undefined, events: readonly NewEvent[]): WriteResult {
    const described = describedBy(name)
    const revivesDescribed = described !== undefined && isSoftDeleted(this.head(described))
    const result = events.length > 0 ? this.stageEvents(name, head, events) : this.stageNothing(name, head)
    if (isSoftDeleted(head)) this.undelete(name, head!.revision + 1)
    if (revivesDescribed) this.undelete(described, (this.head(described)?.revision ?? -1) + 1)
    return result
  }

  private stageEvents(name: string, known: Head | undefined, events: readonly NewEvent[]): WriteResult {
    const head = known ?? this.newHead()
    const nameBytes = Buffer.from(name, 'utf8')
    const created = this.now()
    const first = head.revision + 1
    const identities: Identity[] = []
    let position = this.next.nextPosition
    for (const [index, event] of events.entries()) {
      identities.push({ id: event.id, position })
      position = this.group.add(head, nameBytes, first + index, position, created, event)
      this.recent.add(event.id, head.number, first + index)
    }
    const last = first + events.length - 1
    this.group.remember(head.number, first, identities, events.at(-1)!.data)
    this.group.heads.set(name, { ...head, revision: last })
    this.describe(name, events.at(-1)!)
    this.advance(position, name)
    return { kind: 'written', revision: last, position: identities.at(-1)!.position }
  }

  /** A write without events takes a record's room in the log and leaves nothing to read. */
  private stageNothing(name: string, head: Head | undefined): WriteResult {
    const position = this.next.nextPosition
    const length = recordLength(Buffer.byteLength(name, 'utf8'), EMPTY_EVENT)
    this.group.moved = true
    this.advance(position + length, name)
    return { kind: 'written', revision: head?.revision ?? -1, position }
  }

  private stageTombstone(name: string, known: Head | undefined): WriteResult {
    const head = known ?? this.newHead()
    const position = this.next.nextPosition
    const event: NewEvent = { ...EMPTY_EVENT, id: randomUUID(), type: Buffer.from('$streamDeleted') }
    const end = this.group.add(head, Buffer.from(name), TOMBSTONE_REVISION, position, this.now(), event)
    this.group.heads.set(name, { ...head, tombstoned: true })
    this.describe(name, event)
    this.advance(end, name)
    return { kind: 'written', revision: TOMBSTONE_REVISION, position }
  }

  private undelete(name: string, revision: number): void {
    const metastream = metastreamOf(name)
    const head = this.head(metastream)
    const data = head && withTruncateBefore(this.lastData(head) ?? NOTHING, revision)
    if (data) this.stageEvents(metastream, head, [metadataEvent(data)])
  }

  private lastData(head: Head): Buffer | undefined {
    const staged = this.group.lastDataOf(head.number) ?? this.committing?.lastDataOf(head.number)
    if (staged) return staged
    const view = this.store.event(head.number, head.revision)
    return view?.bytes.subarray(view.dataStart, view.dataEnd)
  }

  /** Gives the limits in an event of a metadata stream to the stream that it describes. */
  private describe(metastream: string, { data, json }: NewEvent): void {
    const name = describedBy(metastream)
    if (name === undefined) return
    const head = this.head(name) ?? this.newHead()
    this.group.heads.set(name, { ...head, limits: limitsOf(data, json) })
  }

  private newHead(): Head {
    const number = this.next.nextStream
    this.next = { ...this.next, nextStream: number + 1 }
    return { number, revision: -1, tombstoned: false, limits: NO_LIMITS }
  }

  private advance(nextPosition: number, touched: string): void {
    this.next = { ...this.next, nextPosition }
    this.group.touched.add(touched)
    if (this.committing || this.scheduled) return
    this.scheduled = true
    // At the end of the turn, so that everything that has already arrived joins the group.
    setImmediate(() => void this.commit())
  }

  private async commit(): Promise<void> {
    const group = this.group
    this.scheduled = false
    this.committing = group
    this.group = new Group()
    let failure: Error | undefined
    try {
      await this.store.commit(group.changes(this.next.nextPosition, this.next.nextStream))
    } catch (error) {
      failure = error as Error
    }
    this.committing = undefined
    if (failure) this.fail(group, failure)
    else this.succeed(group)
    for (const wake of this.waitingForRoom.splice(0)) wake()
    if (this.group.hasChanges && !this.committing && !this.scheduled) void this.commit()
  }

  private succeed(group: Group): void {
    group.recycle()
    for (const answer of group.waiting) answer()
    for (const listener of this.listeners) listener(group.touched)
  }

  /** Whatever was decided upon events that did not reach the disk fails with them; then the disk is the truth again. */
  private fail(group: Group, error: Error): void {
    this.onFailure(error)
    const later = this.group
    this.group = new Group()
    this.next = this.store.state
    this.recent.clear()
    for (const answer of [...group.waiting, ...later.waiting]) answer(error)
  }

  /** The digits of the time in 100 ns ticks, made once per millisecond. */
  private now(): Buffer {
    const at = Date.now()
    if (at !== this.created.at) this.created = { at, digits: Buffer.from(`${at}0000`, 'latin1') }
    return this.created.digits
  }
}

const EMPTY_EVENT: NewEvent = { id: '', type: NOTHING, json: false, metadata: NOTHING, data: NOTHING }

function metadataEvent(data: Buffer): NewEvent {
  return { id: randomUUID(), type: Buffer.from('$metadata'), json: true, metadata: NOTHING, data }
}
