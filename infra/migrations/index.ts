import type { Knex } from 'knex'
import { subjectKeys } from './keys/0001-subject-keys.ts'
import { checkpoints } from './read/0001-checkpoints.ts'
import { logHeads } from './read/0002-log-heads.ts'
import { sharedCheckpoints } from './read/0003-shared-checkpoints.ts'

/**
 * A step of a schema, forward only. Its name is stored and orders it: never rename one, never change one that has run
 * anywhere. The tables of projections are not made here: the runner makes them from their rows.
 */
export type Migration = { readonly name: string; readonly up: (knex: Knex) => Promise<void> }

/** Every migration of each database, in order. */
export const migrations = {
  read: [checkpoints, logHeads, sharedCheckpoints],
  keys: [subjectKeys],
} satisfies Record<string, readonly Migration[]>

/** Name of a database that has migrations. */
export type MigrationSet = keyof typeof migrations
