import type { Migration } from '../migration.ts'

/** With whose data the key of one thing is destroyed: of nobody else's where it is the key of a person. */
export const keyOwners: Migration = {
  name: '0003_key_owners',
  async up(knex) {
    await knex.schema.alterTable('subject_keys', table => {
      table.specificType('owners', 'text[]').notNullable().defaultTo('{}')
      table.index('owners', 'subject_keys_owners', 'gin')
    })
  },
}
