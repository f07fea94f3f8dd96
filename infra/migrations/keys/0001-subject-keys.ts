import type { Migration } from '../migration.ts'

/** One key for each person: without its `secret` everything that it sealed is unreadable, everywhere and for good. */
export const subjectKeys: Migration = {
  name: '0001_subject_keys',
  async up(knex) {
    await knex.schema.createTable('subject_keys', table => {
      table.uuid('key').primary()
      table.text('org').notNullable()
      table.text('subject').notNullable()
      table.binary('secret').nullable()
      table.timestamp('created_at', { useTz: true }).notNullable().defaultTo(knex.fn.now())
      table.timestamp('erased_at', { useTz: true }).nullable()
      table.unique(['org', 'subject'])
    })
  },
}
