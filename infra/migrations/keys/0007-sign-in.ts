import type { Migration } from '../migration.ts'

/**
 * What proves who a user is, and what Kogi signs its tokens with. Events say that these changed; what they are stands
 * here alone. `sealed` columns are envelopes under a key of `subject_keys`.
 */
export const signIn: Migration = {
  name: '0007_sign_in',
  async up(knex) {
    const instant = { useTz: true } as const
    await knex.schema.createTable('signing_keys', table => {
      table.text('kid').primary()
      table.text('alg').notNullable()
      table.integer('number').notNullable()
      table.jsonb('public_key').notNullable()
      table.jsonb('sealed').notNullable()
      table.timestamp('signs_from', instant).notNullable()
      table.timestamp('signs_until', instant).notNullable()
      table.timestamp('published_until', instant).notNullable()
      table.unique(['alg', 'number'])
    })
    await knex.schema.createTable('credentials', table => {
      table.text('person').primary()
      table.text('password').nullable()
      table.jsonb('totp_sealed').nullable()
      table.boolean('totp_confirmed').notNullable().defaultTo(false)
      table.bigInteger('totp_step').notNullable().defaultTo(0)
    })
    await knex.schema.createTable('sign_in_names', table => {
      table.binary('digest').primary()
      table.text('person').notNullable().index()
      table.text('kind').notNullable()
    })
    await knex.schema.createTable('recovery_codes', table => {
      table.text('person').notNullable()
      table.binary('digest').notNullable()
      table.primary(['person', 'digest'])
    })
    await knex.schema.createTable('passkeys', table => {
      table.text('credential').primary()
      table.text('person').notNullable().index()
      table.binary('public_key').notNullable()
      table.bigInteger('counter').notNullable()
      table.specificType('transports', 'text[]').notNullable().defaultTo('{}')
    })
    await knex.schema.createTable('refresh_tokens', table => {
      table.binary('digest').primary()
      table.text('person').notNullable()
      table.text('session').notNullable().index()
      table.text('scope').nullable()
      table.timestamp('ends_at', instant).notNullable().index()
      table.timestamp('used_at', instant).nullable()
    })
    await knex.schema.createTable('sign_in_steps', table => {
      table.binary('digest').primary()
      table.text('kind').notNullable()
      table.jsonb('data').notNullable()
      table.timestamp('ends_at', instant).notNullable().index()
    })
    await knex.schema.createTable('sign_in_failures', table => {
      table.binary('digest').primary()
      table.integer('count').notNullable()
      table.timestamp('ends_at', instant).notNullable().index()
    })
  },
}
