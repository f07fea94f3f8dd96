import pg from 'pg'
import type { Log } from './log.ts'
import { type MigrationSet, migrations } from './migrations/index.ts'
import type { Migration } from './migrations/migration.ts'
import { asEngineError } from './postgres.ts'

/** Key of the advisory lock that keeps two processes from migrating one database at once; the value has no meaning. */
const LOCK = 7_203_115_601

/**
 * Brings a database to the newest schema and returns the names of the migrations that ran. Safe to call from any
 * number of processes at once, and after one was killed in the middle: each migration is one transaction.
 */
export async function migrate(options: { url: string; set: MigrationSet; log: Log }): Promise<string[]> {
  const { url, set, log } = options
  const guard = new pg.Client({ connectionString: url })
  try {
    await guard.connect()
    // The session holds this lock, so that a killed process frees it; knex's own lock is a row that would stay.
    await guard.query('SELECT pg_advisory_lock($1)', [LOCK])
    const applied = await runMigrations(url, migrations[set])
    for (const name of applied) log.info({ database: set, migration: name }, 'migrated')
    return applied
  } catch (error) {
    throw asEngineError(error)
  } finally {
    await guard.end()
  }
}

async function runMigrations(url: string, list: readonly Migration[]): Promise<string[]> {
  const { default: createKnex } = await import('knex')
  const knex = createKnex({ client: 'pg', connection: url, pool: { min: 0, max: 2 } })
  try {
    await knex.migrate.forceFreeMigrationsLock({ migrationSource: sourceOf(list) })
    const [, applied] = await knex.migrate.latest({ migrationSource: sourceOf(list) })
    return applied
  } finally {
    await knex.destroy()
  }
}

function sourceOf(list: readonly Migration[]) {
  return {
    getMigrations: async () => [...list],
    getMigrationName: (migration: Migration) => migration.name,
    getMigration: async ({ up }: Migration) => ({ up, down: refuseDown }),
  }
}

async function refuseDown(): Promise<void> {
  throw new Error('Migrations go forward only: write a new one that undoes what the last one did')
}

/** Migrates both databases of a system; returns the names of the migrations that ran, by set. */
export async function migrateAll(
  urls: { readonly databaseUrl: string; readonly keysDatabaseUrl: string },
  log: Log,
): Promise<Record<MigrationSet, string[]>> {
  const [read, keys] = await Promise.all([
    migrate({ url: urls.databaseUrl, set: 'read', log }),
    migrate({ url: urls.keysDatabaseUrl, set: 'keys', log }),
  ])
  return { read, keys }
}
