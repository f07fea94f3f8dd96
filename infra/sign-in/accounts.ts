/** Users by e-mail address and password: signing up and in, and what to do when a password is forgotten. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasSecondFactor } from '../../domain/identity/user/user.ts'
import type { Users } from '../access/users.ts'
import { httpError } from '../http/errors.ts'
import { type CredentialRows, type Credentials, emailName, nameDigest } from './credentials.ts'
import { type Factors, recoveryDigest, type Shown } from './factors.ts'
import type { GiveUser } from './give-user.ts'
import { mustBeStrong } from './password-rules.ts'
import type { Passwords } from './passwords.ts'
import { mustKnowScope, type Proof, type Sessions, type Tokens, type Wanted } from './sessions.ts'
import type { Throttle, Try } from './throttle.ts'

/** Shortest time that signing up takes, so that it takes as long whether there is such a user or not. */
const SIGN_UP_MS = 600

export type AccountDeps = {
  readonly rows: CredentialRows
  readonly passwords: Passwords
  readonly factors: Factors
  readonly throttle: Throttle
  readonly sessions: Sessions
  readonly users: Users
  readonly give: GiveUser
  readonly signUp: 'open' | 'closed'
}

type Login = Shown & Wanted & { readonly email: string; readonly password: string }
type Change = { readonly before: string; readonly after: string; readonly org: string }
/** Where a request comes from. */
type From = { readonly address?: string | undefined; readonly correlationId: string }

export type Accounts = {
  /** Registers a user, unless there is one of that address: the answer is the same. */
  readonly signUp: (login: { readonly email: string; readonly password: string }, from: From) => Promise<void>
  /** Registers a user for an operator. Throws `conflict` where there is one of that address. */
  readonly add: (login: { readonly email: string; readonly password: string }, correlationId: string) => Promise<string>
  readonly signIn: (login: Login, from: From) => Promise<Tokens>
  /** Sets a new password by a recovery code, and ends all sessions. */
  readonly recover: (given: Shown & { readonly email: string; readonly password: string }, from: From) => Promise<void>
  /** Sets a new password by the one before, ends all sessions, and starts a new one in an org. */
  readonly changePassword: (user: string, change: Change, from: From) => Promise<Tokens>
}

export function accounts(deps: AccountDeps): Accounts {
  const { rows, passwords, factors, throttle, users, give } = deps

  async function register(email: string, hash: string, by: 'sign_up' | 'operator', correlationId: string) {
    const user = randomUUID()
    await give(user, 'register', { user, email, verified: false, by }, correlationId)
    await give(user, 'setPassword', { how: 'chosen' }, correlationId)
    const isNew = await rows.claim(user, 'email', nameDigest('email', emailName(email)), hash)
    return isNew ? user : undefined
  }

  /** Throws `wrong_credentials` in one time for an unknown address and for a wrong password. */
  async function known(email: string, password: string): Promise<Credentials> {
    const row = await rows.byName(nameDigest('email', emailName(email)))
    const isRight = await passwords.isRight(row?.password ?? undefined, password)
    if (!row || !isRight) throw httpError('wrong_credentials')
    return row
  }

  async function second(row: Credentials, shown: Shown, correlationId: string): Promise<Proof> {
    const state = await users.of(row.person)
    if (state.status === 'suspended') throw httpError('account_suspended', [], 'Your account is suspended.')
    const isShown = shown.code !== undefined || shown.recovery_code !== undefined
    if (!hasSecondFactor(state) && !isShown) return { methods: ['pwd'], acr: 'aal1' }
    return { methods: ['pwd', await factors.shown(row, shown, correlationId)], acr: 'aal2' }
  }

  return {
    async signUp({ email, password }, { address, correlationId }) {
      if (deps.signUp === 'closed') throw httpError('sign_up_closed')
      await throttle.count({ name: `sign up ${emailName(email)}`, address })
      await mustBeStrong(password, [email])
      const [, hash] = await Promise.all([sleep(SIGN_UP_MS), passwords.hash(password).then(stored)])
      async function stored(made: string) {
        if (!(await rows.byName(nameDigest('email', emailName(email)))))
          await register(email, made, 'sign_up', correlationId)
      }
      return hash
    },
    async add({ email, password }, correlationId) {
      await mustBeStrong(password, [email])
      const there = await rows.byName(nameDigest('email', emailName(email)))
      const user = there ? undefined : await register(email, await passwords.hash(password), 'operator', correlationId)
      if (user === undefined) throw httpError('conflict', [], 'There is a user of this address.')
      return user
    },
    async signIn({ email, password, ...login }, { address, correlationId }) {
      const tried: Try = { name: emailName(email), address }
      await throttle.count(tried)
      // Before a code is taken.
      mustKnowScope(login.scope)
      const row = await known(email, password)
      let proof: Proof
      try {
        proof = await second(row, login, correlationId)
      } catch (error) {
        // The password was right: it is no guess that the code is missing.
        if (isMissing(error)) await throttle.forgive(tried)
        throw error
      }
      await throttle.forgive(tried)
      if (passwords.isOld(row.password!)) {
        await rows.changePassword(row.person, await passwords.hash(password), row.password!)
      }
      return begun(deps, { user: row.person, password, stored: row.password!, proof, wanted: login }, correlationId)
    },
    ...changing(deps),
  }
}

type Begin = {
  readonly user: string
  readonly password: string
  /** The hash that the password was compared with. */
  readonly stored: string
  readonly proof: Proof
  readonly wanted: Wanted
}

/** Starts a session by a password, and ends it where the password was changed while it started. */
function begun({ rows, passwords, sessions }: AccountDeps, { user, ...by }: Begin, correlationId: string) {
  return sessions.start(user, by.proof, by.wanted, correlationId, async () => {
    const stored = (await rows.of(user))?.password ?? undefined
    return stored === by.stored || passwords.isRight(stored, by.password)
  })
}

/**
 * How a password is changed, by the one before or by a recovery code. The sessions end before the password is stored,
 * so that none is left by the one before where something fails, and after it, for those that have started meanwhile.
 */
function changing(deps: AccountDeps): Pick<Accounts, 'recover' | 'changePassword'> {
  const { rows, passwords, factors, throttle, sessions, give } = deps
  return {
    async recover({ email, password, ...shown }, { address, correlationId }) {
      const tried: Try = { name: emailName(email), address }
      await throttle.count(tried)
      await mustBeStrong(password, [email])
      const row = await rows.byName(nameDigest('email', emailName(email)))
      const hash = await passwords.hash(password)
      const end = (user: string) => sessions.endAll(user, 'password_recovered', correlationId)
      if (!row || shown.recovery_code === undefined) throw httpError('wrong_credentials')
      // A code of the authenticator is asked for first: a recovery code counts once.
      if (row.totp_confirmed && !(await factors.isCode(row, shown.code ?? ''))) throw httpError('wrong_credentials')
      const code = recoveryDigest(shown.recovery_code)
      if (!(await rows.hasRecoveryCode(row.person, code))) throw httpError('wrong_credentials')
      await give(row.person, 'useRecoveryCode', {}, correlationId)
      await end(row.person)
      await give(row.person, 'setPassword', { how: 'recovered' }, correlationId)
      if (!(await rows.recoverPassword(row.person, hash, code))) throw httpError('wrong_credentials')
      await end(row.person)
      await throttle.forgive(tried)
    },
    async changePassword(user, { before, after, org }, { address, correlationId }) {
      const tried: Try = { name: `user ${user}`, address }
      await throttle.count(tried)
      const stored = (await rows.of(user))?.password ?? undefined
      const isRight = await passwords.isRight(stored, before)
      if (stored === undefined || !isRight) throw httpError('wrong_credentials')
      await throttle.forgive(tried)
      await mustBeStrong(after, [])
      const hash = await passwords.hash(after)
      const end = () => sessions.endAll(user, 'password_changed', correlationId)
      await end()
      await give(user, 'setPassword', { how: 'changed' }, correlationId)
      if (!(await rows.changePassword(user, hash, stored))) throw httpError('wrong_credentials')
      await end()
      // The password alone was shown, whatever the session before had.
      const proof: Proof = { methods: ['pwd'], acr: 'aal1' }
      return begun(deps, { user, password: after, stored: hash, proof, wanted: { org } }, correlationId)
    },
  }
}

const isMissing = (error: unknown) => (error as { readonly code?: unknown }).code === 'second_factor_needed'
