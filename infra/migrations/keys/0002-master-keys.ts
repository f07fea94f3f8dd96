import type { Migration } from '../migration.ts'

/** Which master key a secret is wrapped under: none where it stands in the clear, as before. */
export const masterKeys: Migration = {
  name: '0002_master_keys',
  async up(knex) {
    await knex.schema.alterTable('subject_keys', table => {
      table.text('master').nullable()
    })
  },
}
