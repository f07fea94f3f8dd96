/**
 * Sessions: what a user gets for proving who they are. The log says which sessions count; refresh tokens stand as
 * digests in the database of the keys, and change with each use. One that is used again was copied: its session ends
 * (RFC 9700).
 */
import { hash, randomBytes, randomUUID } from 'node:crypto'
import type { Keyring } from '../../commands/ports.ts'
import { type Directory, standingOf } from '../../domain/identity/access.ts'
import { type Session, sessionOf, type User } from '../../domain/identity/user/user.ts'
import type { Principal } from '../../domain/kernel/route.ts'
import { bothCover, covers } from '../../domain/record/grants.ts'
import type { Directories } from '../access/directories.ts'
import { effective } from '../access/effective.ts'
import type { Users } from '../access/users.ts'
import { permissions as allPermissions, permissionsOfRoles, permissionsOfScope } from '../auth/permissions.ts'
import { httpError } from '../http/errors.ts'
import { type Pool, withTransaction } from '../postgres.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { GiveUser } from './give-user.ts'

const DAY_MS = 86_400_000
const REFRESH_TOKEN = /^kogi_rt_[A-Za-z0-9_-]{43}$/

export type Tokens = {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly refresh_token?: string
  readonly scope?: string
}

/** How a user has proved who they are. */
export type Proof = { readonly methods: readonly string[]; readonly acr: 'aal1' | 'aal2' }

/** Whether what was proved still counts. */
type Counts = () => Promise<boolean>

/** What a session is asked for. */
export type Wanted = {
  readonly org?: string | undefined
  readonly scope?: string | undefined
  readonly client?: string | undefined
}

export type Sessions = {
  /**
   * Starts a session; one whose proof counts no more once it has started ends at once. Throws `not_a_member`,
   * `account_suspended`; `invalid_parameter` for unknown scopes; `wrong_credentials` for such a proof.
   */
  readonly start: (user: string, proof: Proof, wanted: Wanted, id: string, counts: Counts) => Promise<Tokens>
  /** The next tokens of a session; `undefined` for a refresh token that does not count (any more). */
  readonly refresh: (token: string, scope: string | undefined, correlationId: string) => Promise<Tokens | undefined>
  /** A new access token of a session that has been raised, of the scope of the one that asks. */
  readonly raise: (principal: Principal, proof: Proof, correlationId: string) => Promise<Tokens>
  readonly end: (user: string, session: string, why: 'signed_out' | 'revoked', correlationId: string) => Promise<void>
  readonly endAll: (user: string, why: EndAll, correlationId: string) => Promise<void>
  /** The session of a refresh token that was stored, used or not. */
  readonly ofRefreshToken: (token: string) => Promise<RefreshRow | undefined>
  /** The session of a row, where it counts. */
  readonly current: (row: RefreshRow) => Promise<Session | undefined>
}
type EndAll = 'signed_out' | 'password_changed' | 'password_recovered' | 'by_operator'

export type SessionDeps = {
  /** The database of the keys. */
  readonly pool: Pool
  readonly keyring: Pick<Keyring, 'open'>
  readonly users: Users
  readonly directories: Directories
  readonly tokens: AccessTokens
  readonly give: GiveUser
  /** Days after which a session is over. */
  readonly days: number
}

type RefreshRow = {
  readonly person: string
  readonly session: string
  readonly scope: string | null
  readonly ends_at: string
  readonly used_at: string | null
}

export const digestOf = (secret: string): Buffer => hash('sha256', secret, 'buffer')
const instant = (ms: number) => new Date(ms).toISOString()

export function sessions(deps: SessionDeps): Sessions {
  const { pool, users, give } = deps

  const current = async ({ person, session }: RefreshRow): Promise<Session | undefined> => {
    const state = await users.of(person)
    return state.status === 'active' ? sessionOf(state, session, instant(Date.now())) : undefined
  }
  const ofRefreshToken: Sessions['ofRefreshToken'] = async token => {
    if (!REFRESH_TOKEN.test(token)) return undefined
    const text = 'select person, session, scope, ends_at, used_at from refresh_tokens where digest = $1'
    return (await pool.query<RefreshRow>(text, [digestOf(token)])).rows[0]
  }
  const forget = (user: string, session?: string) =>
    pool.query('delete from refresh_tokens where person = $1 and ($2::text is null or session = $2)', [
      user,
      session ?? null,
    ])

  const end: Sessions['end'] = async (user, session, why, correlationId) => {
    await give(user, 'endSession', { session, why }, correlationId)
    await forget(user, session)
  }

  return {
    current,
    end,
    async start(user, proof, { org = user, scope, client }, correlationId, counts) {
      const state = await users.of(user)
      mustKnowScope(scope)
      // Before anything is written: whether the user may work there at all.
      await permissionsIn(deps, user, org, scope)
      const session: Session = {
        ...proof,
        session: randomUUID(),
        org,
        client,
        startedAt: instant(Date.now()),
        provedAt: instant(Date.now()),
        until: instant(Date.now() + deps.days * DAY_MS),
      }
      const { startedAt: _, provedAt: __, ...data } = session
      await give(user, 'startSession', { ...data, methods: [...proof.methods] }, correlationId)
      if (!(await counts())) {
        await end(user, session.session, 'revoked', correlationId)
        throw httpError('wrong_credentials')
      }
      await pool.query('delete from refresh_tokens where ends_at < now()')
      const token = newRefreshToken()
      await pool.query(STORE, stored(token, user, session, scope))
      return answer(deps, state, session, scope, token)
    },
    refresh: (...of) => refreshed(deps, { current, ofRefreshToken }, ...of),
    async raise({ subject, signIn }, { methods, acr }, correlationId) {
      const before = sessionOf(await users.of(subject), signIn!.session, instant(Date.now()))
      if (!before) throw httpError('invalid_token', [{ field: 'sid', message: 'the session is over: sign in again' }])
      const all = [...new Set([...before.methods, ...methods])]
      await give(subject, 'raiseSession', { session: before.session, methods: all, acr }, correlationId)
      const raised = { ...before, methods: all, acr, provedAt: instant(Date.now()) }
      return answer(deps, await users.of(subject), raised, signIn!.scope)
    },
    async endAll(user, why, correlationId) {
      await give(user, 'endSessions', { why }, correlationId)
      await forget(user)
    },
    ofRefreshToken,
  }
}

type Refreshing = Pick<Sessions, 'current' | 'ofRefreshToken'>

/**
 * Takes a refresh token, once, and gives the next one; a token that was taken before ends its session. All that can
 * fail comes first, so that the token counts on after a fault.
 */
async function refreshed(
  deps: SessionDeps,
  { current, ofRefreshToken }: Refreshing,
  token: string,
  narrower: string | undefined,
  correlationId: string,
): Promise<Tokens | undefined> {
  const { pool, users, give } = deps
  const row = await ofRefreshToken(token)
  if (!row) return undefined
  const { person: user } = row
  users.changed(user)
  if (!row.used_at) {
    const session = await current(row)
    if (!session) return undefined
    const scope = narrower ?? row.scope ?? undefined
    mustKnowScope(scope)
    // RFC 6749, 6: no more than what was granted at first.
    if (narrower !== undefined && row.scope !== null && !isWithin(narrower, row.scope)) {
      throw invalidScope('must not go beyond the scope of the session')
    }
    const next = newRefreshToken()
    const tokens = await answer(deps, await users.of(user), session, scope, next)
    const isTaken = await withTransaction(pool, async connection => {
      const take = 'update refresh_tokens set used_at = now() where digest = $1 and used_at is null'
      if ((await connection.query(take, [digestOf(token)])).rowCount !== 1) return false
      await connection.query(STORE, stored(next, user, session, row.scope ?? undefined))
      return true
    })
    if (isTaken) return tokens
    // Another request has taken it, or the session was ended, meanwhile.
    if (!(await ofRefreshToken(token))) return undefined
  }
  await give(user, 'endSession', { session: row.session, why: 'token_reused' }, correlationId)
  return undefined
}

const STORE = 'insert into refresh_tokens (digest, person, session, scope, ends_at) values ($1, $2, $3, $4, $5)'
const stored = (token: string, user: string, { session, until }: Session, scope: string | undefined) => [
  digestOf(token),
  user,
  session,
  scope ?? null,
  until,
]

const newRefreshToken = () => `kogi_rt_${randomBytes(32).toString('base64url')}`

async function answer(
  deps: SessionDeps,
  { user, email, verified }: User,
  session: Session,
  scope: string | undefined,
  refreshToken?: string,
): Promise<Tokens> {
  const { org, acr, methods: amr, provedAt, session: id } = session
  const held = await permissionsIn(deps, user, org, scope)
  const [address] = email ? await deps.keyring.open(user, [email]) : []
  const token = await deps.tokens.issue({
    user,
    org,
    ...held,
    scope,
    ...(address && { email: { address, verified } }),
    by: { session: id, acr, amr, provedAt },
  })
  return {
    access_token: token,
    token_type: 'Bearer',
    expires_in: deps.tokens.seconds,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    ...(scope !== undefined && { scope }),
  }
}

type Held = { readonly roles: readonly string[]; readonly permissions: readonly string[] }

/** What a user may do in an org: all in their own while that is no organization; elsewhere what its members may. */
async function permissionsIn(
  { directories }: SessionDeps,
  user: string,
  org: string,
  scope: string | undefined,
): Promise<Held> {
  const directory = await directories.of(org)
  const isOwn = org === user && directory.organization.status === 'none'
  if (!isOwn && !isListed(directory, user)) throw httpError('not_a_member')
  const roles = isOwn ? ['organization-admin'] : []
  const asked = { subject: user, org, roles, permissions: permissionsOfRoles(roles) }
  const { principal } = effective(asked, directory, Date.now())
  if (scope === undefined) return { roles: principal.roles, permissions: compact(principal.permissions) }
  // Roles would say more than the scope leaves.
  return { roles: [], permissions: bothCover(principal.permissions, permissionsOfScope(scope.split(' '))) }
}

/** Members, and those who are refused for a reason that has a name: `effective` gives it. */
const isListed = (directory: Directory, user: string): boolean => standingOf(directory, user) !== 'outsider'

/** A list of permissions in fewer words: those of a service that are all there become one. */
function compact(held: readonly string[]): readonly string[] {
  const services = new Set(allPermissions.map(name => name.split('.')[0]!))
  const whole = [...services].filter(service =>
    allPermissions.every(name => !name.startsWith(`${service}.`) || covers(held, name)),
  )
  const patterns = whole.map(service => `${service}.*`)
  return [...patterns, ...held.filter(name => name !== '*' && !covers(patterns, name))]
}

/** Throws `invalid_parameter` for a scope that stands for nothing. */
export function mustKnowScope(scope: string | undefined): void {
  const unknown = scope?.split(' ').find(word => permissionsOfScope([word]).length === 0)
  if (unknown !== undefined)
    throw invalidScope(`${unknown.slice(0, 100)} is no scope here: scopes are such as office:read`)
}

const invalidScope = (message: string) => httpError('invalid_parameter', [{ field: 'scope', message }])

const isWithin = (narrower: string, scope: string): boolean => {
  const all = permissionsOfScope(scope.split(' '))
  return permissionsOfScope(narrower.split(' ')).every(name => covers(all, name))
}
