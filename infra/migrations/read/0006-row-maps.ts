import type { Migration } from '../migration.ts'

/**
 * The Merkle maps of the rows of read models, one for each model and org: the last signed statement of each with the
 * checkpoint of the log that it is about, and the pages of its tree. They are made anew from the rows.
 */
export const rowMaps: Migration = {
  name: '0006_row_maps',
  async up(knex) {
    await knex.raw(`create table row_maps (
      id integer generated always as identity primary key,
      model text collate "C" not null,
      version integer not null,
      org text collate "C" not null,
      source bigint not null,
      position bigint not null default 0,
      size bigint not null default 0,
      rows bigint not null default 0,
      root bytea,
      statement text,
      checkpoint text,
      unique (model, version, org)
    ) with (fillfactor = 50)`)
    await knex.raw(`create table row_map_pages (
      map integer not null references row_maps (id) on delete cascade,
      prefix text collate "C" not null,
      page bytea not null,
      primary key (map, prefix)
    ) with (fillfactor = 70)`)
  },
}
