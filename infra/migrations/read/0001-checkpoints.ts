import type { Migration } from '../migration.ts'

/**
 * How far each projection has come in each bucket of orgs, which projector works on it, and which projectors are alive.
 * The tables of the projections themselves are made by the runner.
 */
export const checkpoints: Migration = {
  name: '0001_checkpoints',
  async up(knex) {
    // Rows that move with every batch: room on the page keeps their versions together.
    await knex.raw(`create table checkpoints (
      projection text collate "C" not null,
      version integer not null,
      bucket integer not null check (bucket between 0 and 15),
      position bigint not null default 0,
      epoch bigint not null default 0,
      state text not null default 'running' check (state in ('running', 'retrying', 'stalled')),
      error jsonb,
      updated_at timestamptz not null default now(),
      primary key (projection, version, bucket)
    ) with (fillfactor = 20)`)
    await knex.raw(`create table projection_leases (
      projection text collate "C" not null,
      version integer not null,
      bucket integer not null,
      owner text collate "C",
      expires_at timestamptz not null default now(),
      primary key (projection, version, bucket)
    ) with (fillfactor = 20)`)
    await knex.raw(`create table projectors (
      id text collate "C" primary key,
      runs text[] not null,
      backend integer not null,
      seen_at timestamptz not null default now()
    )`)
  },
}
