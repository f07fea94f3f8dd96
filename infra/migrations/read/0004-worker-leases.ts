import type { Migration } from '../migration.ts'

/** Which worker does what only one may do at a time, and until when it counts as alive. */
export const workerLeases: Migration = {
  name: '0004_worker_leases',
  async up(knex) {
    await knex.raw(`create table worker_leases (
      name text collate "C" primary key,
      owner text collate "C" not null,
      backend integer not null,
      since timestamptz not null default clock_timestamp(),
      expires_at timestamptz not null
    ) with (fillfactor = 20)`)
  },
}
