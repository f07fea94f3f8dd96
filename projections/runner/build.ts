/** Makes the tables, checkpoints and indexes of projections in the database. */
import type { Pool, PoolClient } from 'pg'
import { ensureCheckpoints } from '../ownership/checkpoints.ts'
import type { ProjectorLog } from '../ports.ts'
import type { AnyProjection } from '../rows/projection.ts'
import { columnsOf, createIndexes, createTables, historyTableOf, indexNamesOf, tableOf } from '../rows/tables.ts'

// Namespace of our advisory locks: the same `create … if not exists` of two processes at once fails in one of them.
const BUILD_LOCK = 720_311_560
const SORT_MEMORY = '128MB'
/**
 * Indexing reads rows for the first time since they were written, and marks them as committed. With checksums a page so
 * marked goes to the write-ahead log as a whole, and compressing it takes longer than all the sorting. Only a superuser
 * may say this, which the role of the embedded server is; the others have what their server is set to.
 */
const WITHOUT_COMPRESSION = `select set_config('wal_compression', 'off', true)
  from pg_roles where rolname = current_user and rolsuper`
/** How long to wait for a lock on tables, which are made in an instant; then the round fails and says so. */
const TABLES_TIMEOUT_MS = 10_000
/** A process that is frozen between two statements loses its session, so that others get the lock. */
const IDLE_TIMEOUT_MS = 10_000

/** A table has other columns than the projection's row: its version was not raised with its shape. */
export class TableShapeError extends Error {
  override readonly name = 'TableShapeError'
}

/** Makes tables and checkpoints where they are absent. Throws `TableShapeError` where a table is another one. */
export async function ensureTables(pool: Pool, projections: readonly AnyProjection[]): Promise<void> {
  await locked(pool, 'tables', async client => {
    await client.query(`set local lock_timeout = ${TABLES_TIMEOUT_MS}`)
    await checkHistories(client, projections)
    await client.query(projections.flatMap(createTables).join(';'))
    await ensureCheckpoints(client, projections)
    await checkShapes(client, projections)
  })
}

/** Makes the indexes where they are absent, each in a transaction, two at a time: sorting keeps a core busy. */
export async function ensureIndexes(pool: Pool, projections: readonly AnyProjection[]): Promise<void> {
  const present = await namesOf(pool, 'i')
  const missing = projections.filter(projection => indexNamesOf(projection).some(name => !present.has(name)))
  const statements = missing.flatMap(createIndexes).values()
  const build = async () => {
    for (const statement of statements) {
      await locked(pool, statement, async client => {
        await client.query(WITHOUT_COMPRESSION)
        await client.query(statement)
      })
    }
  }
  await Promise.all([build(), build()])
}

/** Makes indexes in the background, one list of projections after another. */
export class IndexBuilder {
  readonly #pool: Pool
  readonly #log: ProjectorLog
  readonly #done = new Set<AnyProjection>()
  #building: Promise<void> | undefined

  constructor(pool: Pool, log: ProjectorLog) {
    this.#pool = pool
    this.#log = log
  }

  /** Resolves when nothing is being built. */
  get idle(): Promise<void> {
    return this.#building ?? Promise.resolve()
  }

  /** Begins to make what these projections lack, unless it is at work already: then the caller asks again later. */
  build(projections: readonly AnyProjection[]): void {
    const missing = projections.filter(projection => !this.#done.has(projection))
    if (missing.length === 0 || this.#building) return
    this.#building = ensureIndexes(this.#pool, missing)
      .then(() => {
        for (const projection of missing) this.#done.add(projection)
      })
      .catch(error => this.#log.warn({ err: error }, 'indexes could not be built, trying again'))
      .finally(() => {
        this.#building = undefined
      })
  }
}

/** The tables (`r`) or indexes (`i`) that are there. */
async function namesOf(client: Pick<Pool, 'query'>, kind: 'r' | 'i'): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    'select relname as name from pg_class where relkind = $1 and pg_table_is_visible(oid)',
    [kind],
  )
  return new Set(rows.map(({ name }) => name))
}

/** Refuses a history that is not there: an empty one beside rows would say that they had never changed. */
async function checkHistories(client: PoolClient, projections: readonly AnyProjection[]): Promise<void> {
  const present = await namesOf(client, 'r')
  for (const projection of projections) {
    if (!projection.history || !present.has(tableOf(projection)) || present.has(historyTableOf(projection))) continue
    throw new TableShapeError(
      `${tableOf(projection)} was made without a history: raise the version of the projection when it is to keep one`,
    )
  }
}

async function checkShapes(client: PoolClient, projections: readonly AnyProjection[]): Promise<void> {
  const { rows } = await client.query<{ name: string; columns: string[] }>(
    `select t.name, array_agg(a.attname::text) as columns from unnest($1::text[]) t(name)
     join pg_attribute a on a.attrelid = quote_ident(t.name)::regclass and a.attnum > 0 and not a.attisdropped
     group by t.name`,
    [projections.map(tableOf)],
  )
  const stored = new Map(rows.map(({ name, columns }) => [name, columns.sort().join(', ')]))
  for (const projection of projections) {
    const wanted = columnsOf(projection)
      .map(({ name }) => name)
      .sort()
      .join(', ')
    const found = stored.get(tableOf(projection))
    if (found === wanted) continue
    throw new TableShapeError(
      `${tableOf(projection)} has the columns ${found} but the projection has ${wanted}: ` +
        'raise the version of the projection when its row changes',
    )
  }
}

/** Does work in a transaction that holds the lock of this name; others that want it wait. */
async function locked(pool: Pool, name: string, work: (client: PoolClient) => Promise<unknown>): Promise<void> {
  const client = await pool.connect()
  let broken: boolean | undefined
  try {
    await client.query(
      `begin; set local statement_timeout = 0; set local maintenance_work_mem = '${SORT_MEMORY}';
       set local idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS}`,
    )
    await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [BUILD_LOCK, name])
    await work(client)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {
      broken = true
    })
    throw error
  } finally {
    client.release(broken)
  }
}
