import type { Migration } from '../migration.ts'

/** One row for each value of a secret: encrypted under a key of its own, which a master key has wrapped. */
export const secretValues: Migration = {
  name: '0005_secret_values',
  async up(knex) {
    await knex.schema.createTable('secret_values', table => {
      table.uuid('value').primary()
      table.text('org').notNullable()
      table.text('secret').notNullable()
      table.binary('key').notNullable()
      table.text('master').notNullable()
      table.binary('nonce').notNullable()
      table.binary('text').notNullable()
      // The request that stored it, until an event names it.
      table.uuid('claim').nullable()
      table.timestamp('made_at', { useTz: true }).notNullable().defaultTo(knex.fn.now())
      table.index(['org', 'secret'])
    })
  },
}
