import type { Migration } from '../migration.ts'

/** Where the log ended at which time: answers of a moment in time need to know it. */
export const logHeads: Migration = {
  name: '0002_log_heads',
  async up(knex) {
    await knex.raw(`create table log_heads (
      position bigint primary key,
      seen_at timestamptz not null
    )`)
  },
}
