/**
 * Indexes as of an earlier position of the log: a copy of the one of now in which what came since is undone, or one
 * from the versions of then, where less is to be done for it. Both are the same, because an index does not depend on
 * how it came to be.
 */
import { LRUCache } from 'lru-cache'
import { fromDatabase, historyTableOf, tableOf } from '../rows/tables.ts'
import { OrgIndex } from './follow.ts'
import type { Source } from './held-index.ts'
import type { Memory as MemoryRow } from './memories.ts'
import { Recall } from './recall/recall.ts'
import { keyOf, openedBodies, take } from './taking.ts'

/** An index of the past, and what the one of now had forgotten when it was made. */
type Past = {
  readonly index: OrgIndex<Recall>
  readonly now: OrgIndex<Recall>
  readonly forgets: number
  readonly erased: number
}

/** Versions that are read at once. */
const PAGE_ROWS = 100

/** The indexes of the past that were asked for last. */
export class PastIndexes {
  readonly #source: Source
  readonly #kept: LRUCache<string, Past>
  readonly #coming = new Map<string, Promise<OrgIndex<Recall>>>()

  /** They take no more than half of `bytesMax`, but for one that is larger. */
  constructor(source: Source, bytesMax: number) {
    const most = Math.ceil(bytesMax / 2)
    const sizeCalculation = ({ index }: Past) => Math.min(most, Math.max(1, index.bytes))
    this.#source = source
    this.#kept = new LRUCache({ maxSize: most, sizeCalculation })
  }

  drop(): void {
    this.#kept.clear()
  }

  /**
   * The index of an org as of a position that the one of now has reached; that of now, where nothing changed since. A
   * stored memory that was forgotten, or whose persons were erased, is in none.
   */
  of(org: string, now: OrgIndex<Recall>, position: bigint): Promise<OrgIndex<Recall>> {
    const name = `${position} ${org}`
    const known = this.#kept.get(name)
    const isOfNow = known?.now === now && known.forgets === now.forgets && known.erased === now.erased
    if (isOfNow) return Promise.resolve(known.index)
    const coming = this.#coming.get(name) ?? this.#make(name, org, now, position)
    this.#coming.set(name, coming)
    return coming
  }

  async #make(name: string, org: string, now: OrgIndex<Recall>, position: bigint): Promise<OrgIndex<Recall>> {
    const { forgets, erased } = now
    try {
      const changes = await this.#changesSince(org, position)
      if (changes === 0) return now
      const isCopy = changes <= now.rows.size / 2
      const index = isCopy ? copyOf(now, org, this.#source) : new OrgIndex(this.#source, org, new Recall())
      index.position = position
      // What comes while the copy is at work comes up here too: its row has a later position.
      const text = isCopy ? this.#undoing() : this.#versions()
      for (let place: readonly unknown[] | undefined = ['-1', '', '', '']; place; ) {
        place = await this.#takePage(index, org, text, [org, position, ...place])
      }
      this.#kept.set(name, { index, now, forgets, erased })
      return index
    } finally {
      this.#coming.delete(name)
    }
  }

  async #changesSince(org: string, position: bigint): Promise<number> {
    const text = `select count(*)::int as changes from ${tableOf(this.#source.memories)}
      where org = $1 and position > $2`
    const { rows } = await this.#source.pool.query({ text, values: [org, position] })
    return Number(rows[0].changes)
  }

  /** Takes a page of versions; the place behind it, where there may be more. */
  async #takePage(index: OrgIndex<Recall>, org: string, text: string, values: readonly unknown[]) {
    const { pool, memories, unseal } = this.#source
    const { rows: found } = await pool.query({ text, values: [...values] })
    const versions: MemoryRow[] = []
    for (const { _kind: kind, _source: source, _subject: subject, _is_there: isThere, ...version } of found) {
      if (isThere) versions.push(fromDatabase(memories, version) as unknown as MemoryRow)
      else index.forget(keyOf({ kind, source, subject }))
    }
    await take(versions, await openedBodies(versions, org, unseal), index)
    const { _at, _kind, _source, _subject } = found.at(-1) ?? {}
    return found.length < PAGE_ROWS ? undefined : [_at, _kind, _source, _subject]
  }

  /** The memories that changed since, with their versions of then. */
  #undoing(): string {
    const { memories } = this.#source
    const order = 'position, kind, source, subject'
    return `select c.position as _at, c.kind as _kind, c.source as _source, c.subject as _subject,
        v.org is not null and not v._removed and ${IS_KEPT} as _is_there, v.*
      from (select * from ${tableOf(memories)} where org = $1 and position > $2
        and (${order}) > ($3::bigint, $4, $5, $6) order by ${order} limit ${PAGE_ROWS}) c
      left join lateral (select * from ${historyTableOf(memories)} h
        where h.org = c.org and h.kind = c.kind and h.source = c.source and h.subject = c.subject
          and h._position <= $2 order by h._position desc limit 1) v on true
      order by c.position, c.kind, c.source, c.subject`
  }

  /** All memories of then. */
  #versions(): string {
    const { memories } = this.#source
    const key = 'kind, source, subject'
    return `select 0 as _at, v.kind as _kind, v.source as _source, v.subject as _subject,
        not v._removed and ${IS_KEPT} as _is_there, v.*
      from (select distinct on (${key}) * from ${historyTableOf(memories)} where org = $1 and _position <= $2
        and $3::bigint <= 0 and (${key}) > ($4, $5, $6) order by ${key}, _position desc limit ${PAGE_ROWS}) v
      join ${tableOf(memories)} c using (org, ${key})
      order by v.kind, v.source, v.subject`
  }
}

/** A stored memory whose row of now has no traits was forgotten: its key is destroyed, or is about to be. */
const IS_KEPT = '(v.traits is null or c.traits is not null)'

function copyOf(now: OrgIndex<Recall>, org: string, source: Source): OrgIndex<Recall> {
  const copy = new OrgIndex(source, org, Recall.of(now.ranking.state))
  copy.rows = new Map(now.rows)
  copy.characters = now.characters
  return copy
}
