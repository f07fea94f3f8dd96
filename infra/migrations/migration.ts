import type { Knex } from 'knex'

/**
 * A step of a schema, forward only. Its name is stored and orders it: never rename one, never change one that has run
 * anywhere. The tables of projections are not made here: the runner makes them from their rows.
 */
export type Migration = { readonly name: string; readonly up: (knex: Knex) => Promise<void> }
