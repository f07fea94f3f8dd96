/** Who calls: the checks of tokens, keys and sessions, one behind the other. */
import type { EventStore } from '../../commands/ports.ts'
import { unblocked } from '../access/admission.ts'
import { apiKeyCallers, type KeyUse } from '../access/api-keys.ts'
import type { Directories } from '../access/directories.ts'
import { governed } from '../access/governed.ts'
import { followedUsers, sessionCallers, type Users } from '../access/users.ts'
import { type Authenticate, createAuthenticator } from '../auth/authenticate.ts'
import { jwksSource } from '../auth/dev-keys.ts'
import type { Config } from '../config.ts'
import type { Configurations } from '../configurations.ts'
import { erasedSubjects } from '../erasures/erased.ts'
import type { KeyWatch } from '../key-watch.ts'
import { keyring } from '../keyring.ts'
import { type Log, reasonOf } from '../log.ts'
import { masterKeysOf } from '../master-keys.ts'
import type { Pool } from '../postgres.ts'
import { type Issuer, openIssuer } from '../sign-in/open.ts'

/** The check of callers, and what it is made of. */
export type Callers = {
  readonly authenticate: Authenticate
  readonly useKey: (secret: string) => Promise<KeyUse>
  readonly issuer: Issuer | undefined
  readonly users: Users
  readonly keyPool: Pool
}

type CallerParts = {
  readonly config: Config
  readonly log: Log
  readonly keyPool: Pool
  readonly watch: KeyWatch
  readonly store: Pick<EventStore, 'read'>
  readonly access: Directories
  readonly settings: Pick<Configurations, 'platform'>
}

/** Tokens of others and own ones, API keys, sessions, what the organization says, and what operators have blocked. */
export async function openCallers(parts: CallerParts): Promise<Callers> {
  const { config, log, keyPool, watch, store, access, settings } = parts
  const { open, seal } = keyring(keyPool, { watch, erased: erasedSubjects(store), masters: masterKeysOf(config) })
  const issuer = openIssuer(config, keyPool, { open, seal })
  const users = followedUsers(store)
  const verify = createAuthenticator({
    jwks: await jwksSource(config),
    issuer: config.jwtIssuer,
    audience: config.jwtAudience!,
    cacheSize: config.tokenCacheSize,
    ...(issuer && { own: issuer.tokens }),
  })
  const onFault = (error: unknown) => log.warn({ reason: reasonOf(error) }, 'the use of an API key was not noted')
  const keyed = apiKeyCallers({ pool: keyPool, directories: access, next: verify, onFault })
  const authenticate = unblocked(governed(sessionCallers(users, keyed), access), settings)
  return { authenticate, useKey: keyed.use, issuer, users, keyPool }
}
