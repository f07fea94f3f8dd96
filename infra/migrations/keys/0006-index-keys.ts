import type { Migration } from '../migration.ts'

/** The key of the stored search index of an org: every erasure in the org destroys it. */
export const indexKeys: Migration = {
  name: '0006_index_keys',
  async up(knex) {
    await knex.schema.createTable('index_keys', table => {
      table.text('org').primary()
      table.uuid('key').notNullable()
      table.binary('secret').notNullable()
      table.text('master').nullable()
      table.timestamp('made_at', { useTz: true }).notNullable().defaultTo(knex.fn.now())
    })
  },
}
