/** Puts together how people sign in here: keys, tokens, sessions, and the routes of all of them. */
import type { Express, Response } from 'express'
import type { WriteDeps } from '../../commands/execute.ts'
import type { Keyring } from '../../commands/ports.ts'
import type { Route } from '../../domain/kernel/route.ts'
import type { KeyUse } from '../access/api-keys.ts'
import type { Directories } from '../access/directories.ts'
import type { Users } from '../access/users.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import type { Config } from '../config.ts'
import type { Pool } from '../postgres.ts'
import { type AccessTokens, accessTokens } from './access-tokens.ts'
import { type AccountDeps, accounts } from './accounts.ts'
import { credentialRows } from './credentials.ts'
import { factors } from './factors.ts'
import { giveUser } from './give-user.ts'
import { meRoutes } from './me-routes.ts'
import { METADATA_PATH, metadataOf, oauthRoutes } from './oauth-routes.ts'
import { passwords } from './passwords.ts'
import { sessions } from './sessions.ts'
import { signInRoutes } from './sign-in-routes.ts'
import { type SigningKeys, signingKeys } from './signing-keys.ts'
import { throttle } from './throttle.ts'

type IssuerConfig = Pick<
  Config,
  'issuer' | 'env' | 'host' | 'port' | 'tokenAlgorithm' | 'signingKeyDays' | 'jwtAudience' | 'accessTokenSeconds'
>

/** The name of the issuer; `undefined` where nobody signs in here. */
const ownIssuer = ({ issuer, env, host, port }: Pick<Config, 'issuer' | 'env' | 'host' | 'port'>) =>
  issuer ?? (env === 'production' ? undefined : `http://${host}:${port}`)

export type Issuer = { readonly tokens: AccessTokens; readonly keys: SigningKeys }

/** The issuer of own tokens; `undefined` where the settings name none. */
export function openIssuer(
  config: IssuerConfig,
  pool: Pool,
  keyring: Pick<Keyring, 'seal' | 'open'>,
): Issuer | undefined {
  const issuer = ownIssuer(config)
  if (issuer === undefined) return undefined
  const { tokenAlgorithm: algorithm, signingKeyDays: days, jwtAudience, accessTokenSeconds: seconds } = config
  const keys = signingKeys({ pool, keyring, algorithm, days })
  return { keys, tokens: accessTokens({ issuer, audience: jwtAudience!, seconds, keys }) }
}

/** How many of what, and what is allowed. */
type SignInConfig = Pick<Config, 'sessionDays' | 'signUp' | 'signInTries' | 'passwordMemoryKib' | 'passwordPasses'>

export type SignInDeps = {
  readonly config: SignInConfig
  readonly pool: Pool
  readonly keyring: Keyring
  readonly write: WriteDeps
  readonly issuer: Issuer
  readonly users: Users
  readonly directories: Directories
}

/** The services behind the routes, for operators too. */
export function openAccounts({ config, pool, keyring, write, issuer, users, directories }: SignInDeps) {
  const give = giveUser(write, users)
  const rows = credentialRows(pool)
  const shared = { users, give, rows, keyring }
  const opened = {
    ...shared,
    factors: factors(shared),
    throttle: throttle(pool, config.signInTries),
    sessions: sessions({ ...shared, pool, directories, tokens: issuer.tokens, days: config.sessionDays }),
  }
  const cost = { memoryKib: config.passwordMemoryKib, passes: config.passwordPasses, lanes: 1 }
  const deps: AccountDeps = { ...opened, passwords: passwords(cost), signUp: config.signUp }
  return { ...opened, accounts: accounts(deps) }
}

/** What the check of callers has for the routes of OAuth. */
type Callers = { readonly authenticate: Authenticate; readonly useKey: (secret: string) => Promise<KeyUse> }

export function signInRoutesOf(deps: SignInDeps, callers: Callers): Route[] {
  const { issuer } = deps
  const opened = openAccounts(deps)
  return [
    ...signInRoutes(opened.accounts),
    ...meRoutes(opened),
    ...oauthRoutes({ ...issuer, ...callers, sessions: opened.sessions }),
  ]
}

/** Adds the metadata of the issuer (RFC 8414), which stands outside of the API. */
export function mountMetadata(app: Express, { tokens }: Issuer): void {
  const text = JSON.stringify(metadataOf(tokens.issuer))
  app.get(METADATA_PATH, (_, response: Response) => {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.type('application/json').send(text)
  })
}
