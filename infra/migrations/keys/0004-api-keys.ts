import type { Migration } from '../migration.ts'

/** One row for each generation of an API key: the digest of its secret. Whether it counts, the log says. */
export const apiKeys: Migration = {
  name: '0004_api_keys',
  async up(knex) {
    await knex.schema.createTable('api_keys', table => {
      table.text('org').notNullable()
      table.text('key').notNullable()
      table.integer('generation').notNullable()
      table.binary('digest').notNullable().unique()
      table.timestamp('made_at', { useTz: true }).notNullable().defaultTo(knex.fn.now())
      table.timestamp('used_at', { useTz: true }).nullable()
      table.primary(['org', 'key', 'generation'])
    })
  },
}
