import type { Migration } from '../migration.ts'

/**
 * Projections that stand at the same position in a bucket share one checkpoint. The table of before becomes
 * `projection_checkpoints`, and `checkpoints` is a view of where each projection stands: processes of an earlier
 * release read it rightly and fail when they write to it. A projector's own row says until when it counts as alive, in
 * place of its leases; a projector of an earlier release fails because it does not say so.
 */
export const sharedCheckpoints: Migration = {
  name: '0003_shared_checkpoints',
  async up(knex) {
    await knex.raw('alter table checkpoints rename to projection_checkpoints')
    await knex.raw('alter index checkpoints_pkey rename to projection_checkpoints_pkey')
    await knex.raw(`create table shared_checkpoints (
      id uuid primary key,
      bucket integer not null check (bucket between 0 and 15),
      owner text collate "C" not null,
      position bigint not null,
      epoch bigint not null default 0,
      updated_at timestamptz not null default now()
    ) with (fillfactor = 20)`)
    await knex.raw('alter table projection_checkpoints add column shared uuid references shared_checkpoints (id)')
    await knex.raw(`create index projection_checkpoints_shared on projection_checkpoints (shared)
      where shared is not null`)
    await knex.raw(`create view checkpoints as
      select c.projection, c.version, c.bucket, coalesce(s.position, c.position) as position, c.epoch, c.state, c.error,
        coalesce(s.updated_at, c.updated_at) as updated_at, c.shared
      from projection_checkpoints c left join shared_checkpoints s on s.id = c.shared`)
    await knex.raw('alter table projection_leases drop column expires_at')
    await knex.raw('delete from projectors')
    await knex.raw('alter table projectors add column expires_at timestamptz not null')
  },
}
