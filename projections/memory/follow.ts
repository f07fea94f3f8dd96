/** How the index of an org follows the rows of memories: in pages by position, and in slices that let others work. */
import { KogiError } from '../../domain/kernel/errors.ts'
import { CHECKPOINTS } from '../ownership/tables.ts'
import { bucketOf } from '../rows/bucket.ts'
import type { AnyProjection } from '../rows/projection.ts'
import { fromDatabase, tableOf } from '../rows/tables.ts'
import { HeldIndex, type Ranking, type Source } from './held-index.ts'
import type { Memory as MemoryRow } from './memories.ts'
import { forgetErased, openedBodies, take } from './taking.ts'

/** The memories of one org, which it follows. */
export class OrgIndex<R extends Ranking = Ranking> extends HeldIndex<R> {
  readonly #source: Source
  readonly #org: string
  #last: Promise<unknown> = Promise.resolve()
  #next: Promise<boolean> | undefined

  constructor(source: Source, org: string, ranking: R) {
    super(ranking)
    this.#source = source
    this.#org = org
  }

  /** Does this while it follows nothing. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  /**
   * Takes the rows that are new at the time of the call; calls that wait for their turn share one. `false` says that
   * the database went back behind this index, which is of no use then.
   */
  follow(): Promise<boolean> {
    this.#next ??= this.alone(() => {
      this.#next = undefined
      return upToDate(this.#source, this.#org, this)
    })
    return this.#next
  }
}

/** Rows that are read at once, and bytes of texts, but for those of the last row. */
const PAGE_ROWS = 500
const PAGE_BYTES = 4 * 1024 * 1024
const UNDEFINED_TABLE = '42P01'
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
    if (erased !== index.erased) {
      await forgetErased(source, org, index)
      // The erasure destroyed the key of what was stored, whether anything was forgotten or not.
      index.lost = true
    }
    index.erased = erased
  }
  return fits
}

async function followed(source: Source, org: string, index: OrgIndex): Promise<boolean> {
  const { pool, memories, unseal } = source
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
