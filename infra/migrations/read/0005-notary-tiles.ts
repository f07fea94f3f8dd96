import type { Migration } from '../migration.ts'

/**
 * The trees of the notary: hashes in tiles, with the positions of the events that level 0 is of, and the last signed
 * head of each. `tree` is an org, or empty for the whole log. The notary makes them anew from the log.
 */
export const notaryTiles: Migration = {
  name: '0005_notary_tiles',
  async up(knex) {
    await knex.raw(`create table notary_tiles (
      tree text collate "C",
      level smallint,
      index bigint,
      first_position bigint,
      positions bytea,
      hashes bytea not null,
      primary key (tree, level, index)
    ) with (fillfactor = 50)`)
    await knex.raw('create index on notary_tiles (tree, first_position) where level = 0')
    await knex.raw(`create table notary_heads (
      tree text collate "C" primary key,
      size bigint not null,
      note text not null
    ) with (fillfactor = 50)`)
  },
}
