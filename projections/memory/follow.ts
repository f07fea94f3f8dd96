/** How the index of an org follows the rows of memories: in pages by position, and in slices that let others work. */
import type { Pool } from 'pg'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Sealed } from '../../domain/kernel/schema.ts'
import { CHECKPOINTS } from '../ownership/tables.ts'
import { bucketOf } from '../rows/bucket.ts'
import type { AnyProjection, MemoryTraits } from '../rows/projection.ts'
import { fromDatabase, tableOf } from '../rows/tables.ts'
import type { Memory as MemoryRow } from './memories.ts'
import { charactersOf, forgetErased, openedBodies, type Remembered, take } from './taking.ts'

/** A memory as the index keeps it: a personal text stays sealed. */
export type Memory = {
  readonly kind: string
  readonly subject: string
  /** The thing whose history holds it: the wallet of an entry, the item of a part of a book, otherwise the subject. */
  readonly source: string
  readonly title: string
  readonly text?: string
  readonly at: string
  readonly position: bigint
  readonly sealed?: Sealed
  /** Who did it last. */
  readonly actor?: string
  /** What is known of it beside its words, where it was stored as a memory: it is called by its type then. */
  readonly traits?: MemoryTraits
}

/** Opens sealed texts of an org, in order: `null` where a key was erased, `undefined` where it is missing. */
export type Unseal = (org: string, envelopes: readonly Sealed[]) => Promise<readonly (string | null | undefined)[]>

export type Source = {
  readonly pool: Pick<Pool, 'query'>
  /** The read model that is searched. */
  readonly memories: AnyProjection
  readonly unseal: Unseal
  /** How many persons of an org were erased, for the indexes to forget what they sealed. */
  readonly erased?: (org: string) => Promise<number>
}

/** What searches the texts of an org. */
export type Ranking = {
  readonly bytes: number
  readonly set: (memory: Remembered) => void
  readonly delete: (key: string) => void
}

/** The memories of one org, as they were at a position of the log. */
export class OrgIndex<R extends Ranking = Ranking> {
  ranking: R
  rows = new Map<string, Memory>()
  position = 0n
  /** The last memory of that position that it has, where it may not have all of them; `null` where it has. */
  last: { readonly kind: string; readonly source: string; readonly subject: string } | null = null
  /** How many persons of the org were erased when the index last forgot what they sealed. */
  erased = 0
  hasSealed = false
  /** Characters of the texts of its rows. */
  characters = 0
  /** Rows that it took since it was stored, and whether one of them took a memory away. */
  taken = 0
  forgot = false
  /** How many rows told it to forget a memory. */
  forgets = 0
  /** The position up to which it misses the memories with sealed texts, because these are not stored. */
  withoutSealed: bigint | undefined
  readonly #source: Source
  readonly #org: string
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<boolean> | undefined

  constructor(source: Source, org: string, ranking: R) {
    this.ranking = ranking
    this.#source = source
    this.#org = org
  }

  /** Takes a memory out, if it is there. */
  forget(key: string): void {
    this.characters -= charactersOf(this.rows.get(key))
    this.ranking.delete(key)
    this.rows.delete(key)
  }

  /** What it takes of the memory of the process, about. */
  get bytes(): number {
    return ROW_BYTES * this.rows.size + 2 * this.characters + this.ranking.bytes
  }

  /** Does this before it follows anything. */
  begin(work: () => Promise<void>): void {
    this.#running = work()
  }

  /**
   * Takes the rows that are new at the time of the call; calls that wait for their turn share one. `false` says that
   * the database went back behind this index, which is of no use then.
   */
  follow(): Promise<boolean> {
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#running = this.#next!
        this.#next = undefined
        return upToDate(this.#source, this.#org, this)
      })
    return this.#next
  }
}

/** Rows that are read at once, and bytes of texts, but for those of the last row. */
const PAGE_ROWS = 500
const PAGE_BYTES = 4 * 1024 * 1024
/** What a memory takes without its texts, about. */
const ROW_BYTES = 400
const UNDEFINED_TABLE = '42P01'
const ORDER = 'position, kind, source, subject'
const textBytes = `coalesce(octet_length(body), 0) + coalesce(pg_column_size(sealed_body), 0)
        + coalesce(octet_length(details), 0)`

// One statement sees one snapshot, so the rows are those of the checkpoint that comes with them. An event may change
// several memories, whose rows then have the same position: a page may end among them. The lengths of texts are known
// without reading them.
const followSql = (memories: AnyProjection) => `select c.position as checkpoint, c.state, m.*
  from (select position, state from ${CHECKPOINTS} where projection = $1 and version = $2 and bucket = $3) c
  left join lateral (select *, count(*) over () as found,
      sum(${textBytes})
        over (order by position, kind, source, subject rows between unbounded preceding and 1 preceding) as bytes
    from (select * from ${tableOf(memories)}
      where org = $4 and position >= $5 and (position > $5 or (kind, source, subject) > ($6, $7, $8))
      order by position, kind, source, subject limit ${PAGE_ROWS}) page) m on coalesce(m.bytes, 0) < ${PAGE_BYTES}
  order by m.position, m.kind, m.source, m.subject`

async function upToDate(source: Source, org: string, index: OrgIndex): Promise<boolean> {
  const fits = await followed(source, org, index)
  if (fits && index.hasSealed && source.erased) {
    const erased = await source.erased(org)
    if (erased !== index.erased) await forgetErased(source, org, index)
    index.erased = erased
  }
  return fits
}

/** Takes the memories with sealed texts that an index was stored without. */
async function takeSealed({ pool, memories, unseal }: Source, org: string, index: OrgIndex): Promise<void> {
  const text = `select * from ${tableOf(memories)} where org = $1 and sealed_body is not null and position <= $2
    and (position, kind, source, subject) > ($3, $4, $5, $6) order by ${ORDER} limit ${PAGE_ROWS}`
  for (let place: unknown[] = [0n, '', '', '']; index.withoutSealed !== undefined; ) {
    const { rows } = await pool.query({ text, values: [org, index.withoutSealed, ...place] })
    const sealed = rows.map(row => fromDatabase(memories, row) as unknown as MemoryRow)
    await take(sealed, await openedBodies(sealed, org, unseal), index)
    const end = sealed.at(-1)!
    if (rows.length < PAGE_ROWS) index.withoutSealed = undefined
    else place = [end.position, end.kind, end.source, end.subject]
  }
}

async function followed(source: Source, org: string, index: OrgIndex): Promise<boolean> {
  const { pool, memories, unseal } = source
  if (index.withoutSealed !== undefined) await takeSealed(source, org, index)
  for (;;) {
    const { kind = null, source = null, subject = null } = index.last ?? {}
    const place = [index.position, kind, source, subject]
    const values = [memories.name, memories.version, bucketOf(org), org, ...place]
    const { rows } = await pool.query({ name: 'follow-memories', text: followSql(memories), values }).catch(error => {
      // Not built yet: nothing is known, and the position says so.
      if ((error as { code?: unknown }).code === UNDEFINED_TABLE) return { rows: [] }
      throw error
    })
    if (rows.length === 0) return index.position === 0n
    if (rows[0].state === 'stalled')
      throw new KogiError('projection_stalled', 'The memories are stalled: an operator must act.')
    const checkpoint = BigInt(rows[0].checkpoint as bigint | string)
    if (checkpoint < index.position) return false
    const stored = rows.filter(row => row.org !== null).map(row => fromDatabase(memories, row) as unknown as MemoryRow)
    await take(stored, await openedBodies(stored, org, unseal), index)
    // A row that changes moves to a later position, so that the pages miss none.
    const isLast = stored.length < PAGE_ROWS && stored.length === Number(rows[0].found)
    const end = isLast ? undefined : stored.at(-1)!
    index.position = end?.position ?? checkpoint
    index.last = end ? { kind: end.kind, source: end.source, subject: end.subject } : null
    if (!end) return true
  }
}
