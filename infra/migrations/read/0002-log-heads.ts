import type { Migration } from '../migration.ts'

/** Until when everything is known that the log held: what a question about a moment in time needs. */
export const logHeads: Migration = {
  name: '0002_log_heads',
  async up(knex) {
    await knex.raw(`create table log_heads (
      position bigint primary key,
      seen_at timestamptz not null
    )`)
  },
}
