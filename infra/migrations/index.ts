import { subjectKeys } from './keys/0001-subject-keys.ts'
import { masterKeys } from './keys/0002-master-keys.ts'
import { keyOwners } from './keys/0003-owners.ts'
import { apiKeys } from './keys/0004-api-keys.ts'
import { secretValues } from './keys/0005-secret-values.ts'
import { indexKeys } from './keys/0006-index-keys.ts'
import { signIn } from './keys/0007-sign-in.ts'
import type { Migration } from './migration.ts'
import { checkpoints } from './read/0001-checkpoints.ts'
import { logHeads } from './read/0002-log-heads.ts'
import { sharedCheckpoints } from './read/0003-shared-checkpoints.ts'
import { workerLeases } from './read/0004-worker-leases.ts'
import { notaryTiles } from './read/0005-notary-tiles.ts'
import { rowMaps } from './read/0006-row-maps.ts'
import { cosigned } from './read/0007-cosigned.ts'

/** Every migration of each database, in order. */
export const migrations = {
  read: [checkpoints, logHeads, sharedCheckpoints, workerLeases, notaryTiles, rowMaps, cosigned],
  keys: [subjectKeys, masterKeys, keyOwners, apiKeys, secretValues, indexKeys, signIn],
} satisfies Record<string, readonly Migration[]>

/** Name of a database that has migrations. */
export type MigrationSet = keyof typeof migrations
