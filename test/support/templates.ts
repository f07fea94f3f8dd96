/** What databases of tests are copies of: making all tables and indexes anew takes half a second of processor time. */
import { projections } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { migrate } from '../../infra/migrate.ts'
import { notaryTiles } from '../../infra/migrations/read/0005-notary-tiles.ts'
import { rowMaps } from '../../infra/migrations/read/0006-row-maps.ts'
import { cosigned } from '../../infra/migrations/read/0007-cosigned.ts'
import { createPool } from '../../infra/postgres.ts'
import { createIndexes, createTables } from '../../projections/rows/tables.ts'
import { ensureIndexes, ensureTables } from '../../projections/runner/build.ts'
import type { Template } from './postgres.ts'

/** A migrated database of read models with all tables and indexes, but no checkpoint: no projector was there yet. */
export const readModels: Template = {
  name: 'read_models',
  async prepare(url) {
    await migrate({ url, set: 'read', log: silentLog })
    const pool = createPool({ url, name: 'read', log: silentLog, max: 2 })
    await ensureTables(pool, projections)
    await ensureIndexes(pool, projections)
    await pool.query('delete from projection_checkpoints; delete from projection_leases')
    await pool.end()
  },
}

/** A migrated database of keys. */
export const keyTables: Template = {
  name: 'keys',
  prepare: async url => void (await migrate({ url, set: 'keys', log: silentLog })),
}

/** Tables, indexes and a plain table of checkpoints, for rows that no projector makes. */
export const rowsAlone: Template = {
  name: 'rows_alone',
  async prepare(url) {
    const pool = createPool({ url, name: 'read', log: silentLog, max: 1 })
    await pool.query(projections.flatMap(model => [...createTables(model), ...createIndexes(model)]).join(';'))
    await pool.query(`create table checkpoints (projection text, version integer, bucket integer, position bigint,
      epoch bigint, state text, error jsonb, updated_at timestamptz, primary key (projection, version, bucket))`)
    for (const { up } of [notaryTiles, rowMaps, cosigned])
      await up({ raw: (text: string) => pool.query(text) } as never)
    await pool.end()
  },
}
