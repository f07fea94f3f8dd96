import type { Migration } from '../migration.ts'

/** The last checkpoint of each tree of the notary that witnesses have cosigned. */
export const cosigned: Migration = {
  name: '0007_cosigned',
  async up(knex) {
    await knex.raw('alter table notary_heads add column cosigned text')
  },
}
