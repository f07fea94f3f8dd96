/**
 * The search index over memories: in the process that searches, one per org, built from the rows when the org is first
 * asked for and brought up to date by every search. The rows are the truth; an index can be dropped at any time.
 */
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Sealed } from '../../domain/kernel/schema.ts'
import { CHECKPOINTS } from '../ownership/tables.ts'
import { bucketOf } from '../rows/bucket.ts'
import type { AnyProjection } from '../rows/projection.ts'
import { fromDatabase, tableOf } from '../rows/tables.ts'
import type { Memory as MemoryRow } from './memories.ts'
import { RankedIndex } from './rank.ts'

/** A memory that matches, best first by `score`, which compares only within one answer. */
export type MemoryHit = {
  readonly kind: string
  readonly subject: string
  /** The thing whose history holds it: the wallet of an entry, otherwise the subject itself. */
  readonly source: string
  readonly title: string
  readonly text?: string
  readonly score: number
  readonly at: string
  readonly position: bigint
}

export type SearchOptions = {
  /** Only memories of these kinds. */
  readonly kinds?: readonly string[]
  readonly limit: number
  /** `kind/subject` of the last hit of the page before. */
  readonly after?: string
  /** Asks for an index at least this new; the answer's position says whether it is. */
  readonly minPosition?: bigint
}

export type MemoryAnswer = { readonly position: bigint; readonly hits: readonly MemoryHit[] }

/** Searches the memories of an org. Fails as the database does when that is away. */
export type MemoryIndex = {
  readonly search: (org: string, query: string, options: SearchOptions) => Promise<MemoryAnswer>
  /** Forgets the index of an org, or all of them: the next search builds it anew. */
  readonly drop: (org?: string) => void
}

/** Memories kept in all indexes together; beyond it the orgs that were asked about longest ago are forgotten. */
const MEMORIES_MAX = 500_000
/** How much more a word in the title counts than one in the text. */
const TITLE_WEIGHT = 3

type OrgIndex = {
  readonly ranking: RankedIndex
  readonly rows: Map<string, Memory>
  position: bigint
  updating: Promise<void>
}
/** A memory as the index keeps it: a personal text stays sealed. */
type Memory = Omit<MemoryHit, 'score'> & { readonly sealed?: Sealed }

/** Opens sealed texts of an org in order: `null` where a key was erased, `undefined` where it is missing. */
type Unseal = (org: string, envelopes: readonly Sealed[]) => Promise<readonly (string | null | undefined)[]>

export type MemoryIndexOptions = {
  readonly pool: Pick<Pool, 'query'>
  /** The read model that is searched. */
  readonly memories: AnyProjection
  readonly unseal: Unseal
  readonly memoriesMax?: number
}

/** Makes the indexes of one process over the rows of a database. */
export function memoryIndex(options: MemoryIndexOptions): MemoryIndex {
  const { memoriesMax = MEMORIES_MAX } = options
  // The org that was asked about last stays, however large it is.
  const sizeOf = ({ ranking }: OrgIndex) => Math.min(memoriesMax, Math.max(1, ranking.size))
  const orgs = new LRUCache<string, OrgIndex>({ maxSize: memoriesMax, sizeCalculation: sizeOf })

  function indexOf(org: string): OrgIndex {
    const index = orgs.get(org) ?? emptyIndex()
    orgs.set(org, index)
    return index
  }

  async function upToDate(org: string): Promise<OrgIndex> {
    const index = indexOf(org)
    const update = index.updating.catch(() => {}).then(() => follow(options, org, index))
    index.updating = update
    await update
    if (index.position >= 0n) return index
    orgs.delete(org)
    return upToDate(org)
  }

  return {
    async search(org, query, { kinds, limit, after }) {
      const index = await upToDate(org)
      // Set anew, because it may have grown: the cache then makes room for it.
      if (orgs.peek(org) === index) {
        orgs.delete(org)
        orgs.set(org, index)
      }
      const { ranking, rows, position } = index
      const ranked = ranking.search(query, kinds)
      const from = after === undefined ? 0 : ranked.findIndex(({ key }) => key === after) + 1
      const page = ranked.slice(from, from + limit).map(({ key, score }) => ({ ...rows.get(key)!, score }))
      return { position, hits: await opened(options.unseal, org, page) }
    },
    drop(org) {
      if (org === undefined) orgs.clear()
      else orgs.delete(org)
    },
  }
}

const emptyIndex = (): OrgIndex => ({
  ranking: new RankedIndex(),
  rows: new Map(),
  position: 0n,
  updating: Promise.resolve(),
})

const UNDEFINED_TABLE = '42P01'

// One statement sees one snapshot, so the rows are those of the checkpoint that comes with them.
const followSql = (memories: AnyProjection) => `select c.position as checkpoint, c.state, m.*
  from (select position, state from ${CHECKPOINTS} where projection = $1 and version = $2 and bucket = $3) c
  left join ${tableOf(memories)} m on m.org = $4 and m.position > $5`

/** Takes the rows that are new since the index's position. A database that went back makes the index invalid. */
async function follow({ pool, memories, unseal }: MemoryIndexOptions, org: string, index: OrgIndex): Promise<void> {
  if (index.position < 0n) return
  const values = [memories.name, memories.version, bucketOf(org), org, index.position]
  const { rows } = await pool.query({ name: 'follow-memories', text: followSql(memories), values }).catch(error => {
    // Not built yet: nothing is known, and the position says so.
    if ((error as { code?: unknown }).code === UNDEFINED_TABLE) return { rows: [] }
    throw error
  })
  if (rows.length === 0) return
  if (rows[0].state === 'stalled')
    throw new KogiError('projection_stalled', 'The memories are stalled: an operator must act.')
  const checkpoint = BigInt(rows[0].checkpoint as bigint | string)
  if (checkpoint < index.position) {
    index.position = -1n
    return
  }
  const stored = rows.filter(row => row.org !== null).map(row => fromDatabase(memories, row) as unknown as MemoryRow)
  const sealed = stored.flatMap(({ sealed_body }) => sealed_body ?? [])
  const plain = sealed.length > 0 ? await unseal(org, sealed) : []
  const bodies = new Map(sealed.map((envelope, at) => [envelope.text, plain[at] ?? '']))
  for (const { kind, subject, source, title, body, sealed_body, details, at, position } of stored) {
    const key = `${kind}/${subject}`
    if (title === undefined) {
      index.ranking.delete(key)
      index.rows.delete(key)
      continue
    }
    const words = sealed_body ? bodies.get(sealed_body.text)! : (body ?? '')
    index.ranking.set({
      key,
      kind,
      fields: [
        [title, TITLE_WEIGHT],
        [words, 1],
        [details ?? '', 1],
      ],
    })
    const text = [body, details].filter(part => part !== undefined).join('\n')
    const shown = { ...(text !== '' && { text }), ...(sealed_body && { sealed: sealed_body }) }
    index.rows.set(key, { kind, subject, source, title, ...shown, at, position })
  }
  index.position = checkpoint
}

/** Hits as they are answered: sealed texts are opened only now, so that none is shown whose key is gone. */
async function opened(
  unseal: Unseal,
  org: string,
  hits: readonly (Memory & { score: number })[],
): Promise<MemoryHit[]> {
  const sealed = hits.flatMap(hit => hit.sealed ?? [])
  if (sealed.length === 0) return [...hits]
  const plain = await unseal(org, sealed)
  const texts = new Map(sealed.map((envelope, at) => [envelope, plain[at]]))
  return hits.map(({ sealed: envelope, ...hit }) => {
    if (!envelope) return hit
    const text = [texts.get(envelope) ?? undefined, hit.text].filter(part => part !== undefined).join('\n')
    return { ...hit, ...(text !== '' && { text }) }
  })
}
