/**
 * One reader for all live connections of a process. Whenever a checkpoint moves it reads what is new for the orgs that
 * have subscribers, in one statement, and hands it to those that stand there; the others read pages until they do. A
 * subscriber has a cursor and no queue, so that one that takes nothing costs nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { KogiError } from '../../domain/kernel/errors.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import type { CheckpointSignal } from '../checkpoint-signal.ts'
import { wireTypes } from '../consistency.ts'
import type { ReadPool } from '../pool.ts'
import { type Grantees, type Guards, readableBy } from '../readers.ts'
import type { Versions } from '../versions.ts'
import { type Announced, announcedOf } from './announced.ts'
import { withChannels } from './channels.ts'
import { frontierSql, newEventsSql, PAGE_ROWS, pageSql } from './statements.ts'
import { viewsOf } from './views.ts'

/** What a subscriber wants: only that is read for it while it catches up. */
export type Interest = {
  readonly categories: readonly string[]
  readonly types?: readonly string[]
  readonly id?: string
  /** Whether it needs to know the channels of events. */
  readonly channels?: true
}

/** Events of an org, and what is rendered of them once for all subscribers that are told the same. */
export type Batch = { readonly events: readonly Announced[]; readonly rendered: Map<string, Uint8Array> }

export type Subscriber = {
  readonly org: string
  readonly interest: () => Interest
  /** What its caller is called among the readers of things; `undefined` for who may read all. */
  readonly grantees: () => Grantees
  /** Position up to which it was given everything that it is interested in. */
  cursor: bigint
  /** Whether it can take more. One that cannot says so by `resume` once it can again. */
  readonly isReady: () => boolean
  /** What others who listen to a channel say there, which is no event; nothing where it does not listen to it. */
  readonly hear?: (channel: string, bytes: Uint8Array) => void
  /** Takes the events that are behind its cursor; others may be among them. */
  readonly take: (batch: Batch) => void
}

export type FeedOptions = {
  readonly pool: ReadPool
  readonly signal: CheckpointSignal
  readonly versions: Versions
  readonly guards: Guards
  /** The read models of this process: an event is announced when all of them have passed it. */
  readonly projections: readonly AnyProjection[]
  readonly onFault: (error: unknown) => void
  /** Called for each event that is new, with the time since it was made, in ms. */
  readonly onAnnounced?: (delayMs: number) => void
}

type OrgFeed = { cursor: bigint; readonly subscribers: Set<Subscriber>; lagging: Subscriber[]; isPaging: boolean }

/** Shortest time between two looks: commits that come closer are announced together. */
const PAUSE_MS = 5
/** How often it looks though nothing was announced: an announcement may be lost with its connection. */
const LOOK_MS = 1_000
/** The same while announcements are not heard. */
const DEAF_MS = 50
/** Time after which a look that failed, or a page without progress, is tried again. */
const RETRY_MS = 500
/** Pages that are read at once, for all orgs together. */
const PAGES_AT_ONCE = 2

export class Feed {
  readonly #options: FeedOptions
  readonly #orgs = new Map<string, OrgFeed>()
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined
  #pages = 0
  readonly #waiting: (() => void)[] = []

  constructor(options: FeedOptions) {
    this.#options = options
  }

  /** Position up to which the events of an org can be read. Throws where the read models cannot be asked. */
  async frontier(org: string): Promise<bigint> {
    const { pool, projections, versions } = this.#options
    await versions.built(projections)
    const { rows } = await pool.query({ text: frontierSql(projections), values: [bucketOf(org)], rowMode: 'array' })
    if (rows.length === 0) throw new KogiError('not_yet_visible', 'The read models are not built yet; try again.')
    return BigInt(rows[0]![0] as string)
  }

  /**
   * Gives a subscriber everything behind its cursor, from now on until the returned function is called. `frontier` is
   * one of its org, asked for a moment ago: what lies before it is read in pages.
   */
  subscribe(subscriber: Subscriber, frontier: bigint): () => void {
    const { org } = subscriber
    const feed = this.#orgs.get(org) ?? { cursor: frontier, subscribers: new Set(), lagging: [], isPaging: false }
    this.#orgs.set(org, feed)
    feed.subscribers.add(subscriber)
    this.resume(subscriber)
    this.#running ??= this.#follow().finally(() => {
      this.#running = undefined
    })
    return () => {
      feed.subscribers.delete(subscriber)
      feed.lagging = feed.lagging.filter(other => other !== subscriber)
      if (feed.subscribers.size === 0 && this.#orgs.get(org) === feed) this.#orgs.delete(org)
    }
  }

  /** Reads for a subscriber that can take more again, or whose cursor was set back. */
  resume(subscriber: Subscriber): void {
    const feed = this.#orgs.get(subscriber.org)
    if (!feed?.subscribers.has(subscriber) || feed.lagging.includes(subscriber)) return
    if (subscriber.cursor >= feed.cursor || !subscriber.isReady()) return
    feed.lagging.push(subscriber)
    if (!feed.isPaging) void this.#catchUp(subscriber.org, feed)
  }

  /** Passes on to those who listen to a room in this process, and may read it, what one of them says there. */
  async passOn(from: Subscriber, room: string, channel: string, bytes: Uint8Array): Promise<void> {
    const all = [from, ...(this.#orgs.get(from.org)?.subscribers ?? [])]
    const callers = all.map(each => each.grantees())
    const open = await readableBy(this.#options, from.org, callers, [{ category: 'room', id: room }])
    if (!open[0]![0]) return
    for (const [n, each] of all.entries()) if (each !== from && open[n]![0]) each.hear?.(channel, bytes)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #follow(): Promise<void> {
    const { signal, onFault } = this.#options
    const { signal: closing } = this.#closing
    while (this.#orgs.size > 0 && !closing.aborted) {
      const ticket = signal.ticket()
      const began = performance.now()
      try {
        const isMore = await this.#look()
        // Half of the time is left to others, however much there is to announce.
        const pauseMs = isMore ? 0 : Math.max(PAUSE_MS, performance.now() - began)
        await sleep(pauseMs, undefined, { signal: closing })
        if (!isMore) await this.#untilMoved(ticket)
      } catch (error) {
        if (closing.aborted) return
        onFault(error)
        await sleep(RETRY_MS, undefined, { signal: closing }).catch(() => {})
      }
    }
  }

  async #untilMoved(ticket: number): Promise<void> {
    const { signal } = this.#options
    await signal.changed(ticket, signal.isListening() ? LOOK_MS : DEAF_MS, this.#closing.signal)
  }

  /** Hands out what is new; says whether there is more of it at once. */
  async #look(): Promise<boolean> {
    const { pool, projections, onAnnounced } = this.#options
    const asked = [...this.#orgs]
    const orgs = asked.map(([org]) => org)
    const after = asked.map(([, { cursor }]) => String(cursor))
    const values = [orgs, orgs.map(bucketOf), after]
    const { rows } = await pool.query({ text: newEventsSql(projections), values, rowMode: 'array', types: wireTypes })
    const byOrg = new Map<unknown, unknown[][]>(orgs.map(org => [org, []]))
    for (const row of rows) byOrg.get(row[0])!.push(row)
    let isMore = false
    for (const [org, feed] of asked) {
      const own = byOrg.get(org)!
      if (own.length === 0) continue
      const events = own.filter(values => values[2] !== null).map(values => announcedOf(values, 2))
      const isFull = events.length === PAGE_ROWS
      isMore ||= isFull
      await this.#hand(org, feed, events, isFull ? events.at(-1)!.position : BigInt(own[0]![1] as string))
      const now = Date.now()
      if (onAnnounced) for (const { row } of events) onAnnounced(now - Date.parse(row.at as string))
    }
    return isMore
  }

  async #hand(org: string, feed: OrgFeed, events: readonly Announced[], upto: bigint): Promise<void> {
    const from = feed.cursor
    const isAsked = [...feed.subscribers].some(each => each.interest().channels)
    const linked = isAsked && events.length > 0
    const batch = {
      events: linked ? await withChannels(this.#options.pool, org, events) : events,
      rendered: new Map<string, Uint8Array>(),
    }
    const viewOf = await viewsOf(this.#options, org, batch, feed.subscribers)
    feed.cursor = upto
    for (const subscriber of feed.subscribers) {
      const isThere = subscriber.cursor >= from && (linked || !subscriber.interest().channels || events.length === 0)
      const view = viewOf(subscriber)
      if (isThere && view && subscriber.isReady()) give(subscriber, view, upto)
      else this.resume(subscriber)
    }
  }

  /** Reads pages for those who lag behind, in turns, until none of the org does. */
  async #catchUp(org: string, feed: OrgFeed): Promise<void> {
    feed.isPaging = true
    while (feed.lagging.length > 0 && !this.#closing.signal.aborted) {
      await this.#enter()
      try {
        const first = feed.lagging.shift()!
        if (first && !(await this.#page(org, feed, first))) await sleep(RETRY_MS)
      } catch (error) {
        this.#options.onFault(error)
        await sleep(RETRY_MS)
      } finally {
        this.#leave()
      }
    }
    feed.isPaging = false
  }

  /** Reads a page for one subscriber and for those that want the same and lag less; says whether that led further. */
  async #page(org: string, feed: OrgFeed, first: Subscriber): Promise<boolean> {
    const { pool, projections } = this.#options
    const { interest, cursor } = { interest: first.interest(), cursor: first.cursor }
    const { categories, types, id } = interest
    const of = id !== undefined ? 'thing' : types ? 'types' : 'all'
    const narrow = id !== undefined ? [id] : types ? [types] : []
    const values = [bucketOf(org), org, String(cursor), categories, ...narrow]
    const text = pageSql(projections, of)
    const key = JSON.stringify(interest)
    const wantsSame = (other: Subscriber) => JSON.stringify(other.interest()) === key && other.cursor >= cursor
    let upto = cursor
    try {
      const { rows } = await pool.query({ text, values, rowMode: 'array', types: wireTypes })
      const events = rows.filter(row => row[2] !== null).map(row => announcedOf(row, 2))
      const end = events.length === PAGE_ROWS ? events.at(-1)!.position : BigInt((rows[0]?.[1] as string) ?? 0)
      const linked = interest.channels && events.length > 0 ? await withChannels(pool, org, events) : events
      const batch = { events: linked, rendered: new Map<string, Uint8Array>() }
      const sharing = feed.lagging.filter(wantsSame)
      const viewOf = await viewsOf(this.#options, org, batch, [first, ...sharing])
      if (end > cursor) upto = end
      for (const each of [first, ...sharing]) {
        // A subscriber that changed its mind meanwhile is read for anew.
        if (!feed.subscribers.has(each) || !each.isReady() || !wantsSame(each)) continue
        const view = viewOf(each)
        if (view && each.cursor < upto) give(each, view, upto)
      }
    } finally {
      const done = new Set([first, ...feed.lagging.filter(each => each.cursor >= feed.cursor || !each.isReady())])
      feed.lagging = feed.lagging.filter(each => !done.has(each))
      for (const each of done) this.resume(each)
    }
    return upto > cursor
  }

  async #enter(): Promise<void> {
    if (this.#pages < PAGES_AT_ONCE) this.#pages += 1
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#pages -= 1
  }
}

function give(subscriber: Subscriber, batch: Batch, upto: bigint): void {
  subscriber.take(batch)
  if (subscriber.cursor < upto) subscriber.cursor = upto
}
