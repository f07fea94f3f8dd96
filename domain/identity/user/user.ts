import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import type { Sealed } from '../../kernel/schema.ts'
import { because } from '../../record/reason.ts'
import { mention, said, THING } from '../../record/said.ts'
import { commands, events, rejections } from './messages.ts'

/** One sign-in of a user: it ends by itself, or is ended. */
export type Session = {
  readonly session: string
  readonly org: string
  readonly acr: 'aal1' | 'aal2'
  readonly methods: readonly string[]
  readonly client?: string | undefined
  /** When it began, and when the user last proved who they are. */
  readonly startedAt: string
  readonly provedAt: string
  readonly until: string
}

export type User = {
  readonly status: 'none' | 'active' | 'suspended'
  readonly user: string
  readonly email?: Sealed | undefined
  readonly verified: boolean
  readonly hasPassword: boolean
  readonly hasTotp: boolean
  readonly recoveryCodes: number
  readonly passkeys: readonly { readonly passkey: string; readonly name: string; readonly addedAt: string }[]
  readonly identities: readonly { readonly identity: string; readonly issuer: string }[]
  /** Sessions that were not ended, the oldest first; one that is over by its time may be among them. */
  readonly sessions: readonly Session[]
}

/** The id of the one user of an org that is a user's own. */
const USER = 'user'
/** Sessions that one user has at once: the oldest makes room for a new one. */
const SESSIONS_MAX = 100
const PASSKEYS_MAX = 20

const withSession = (state: User, session: string, change: (before: Session) => Session): User => ({
  ...state,
  sessions: state.sessions.map(each => (each.session === session ? change(each) : each)),
})

const evolve: Evolve<User, typeof events> = {
  UserRegistered: (state, { user, email, verified }) => ({ ...state, status: 'active', user, email, verified }),
  PasswordSet: state => ({ ...state, hasPassword: true }),
  RecoveryCodesMade: (state, { count }) => ({ ...state, recoveryCodes: count }),
  RecoveryCodeUsed: (state, { left }) => ({ ...state, recoveryCodes: left }),
  TotpEnrolled: state => ({ ...state, hasTotp: true }),
  TotpRemoved: state => ({ ...state, hasTotp: false }),
  PasskeyAdded: (state, { passkey, name }, at) => ({
    ...state,
    passkeys: [...state.passkeys, { passkey, name, addedAt: at }],
  }),
  PasskeyRemoved: (state, { passkey }) => ({
    ...state,
    passkeys: state.passkeys.filter(each => each.passkey !== passkey),
  }),
  IdentityLinked: (state, { identity, issuer }) => ({
    ...state,
    identities: [...state.identities, { identity, issuer }],
  }),
  IdentityUnlinked: (state, { identity }) => ({
    ...state,
    identities: state.identities.filter(each => each.identity !== identity),
  }),
  SessionStarted: (state, { session, org, methods, acr, until, client }, at) => ({
    ...state,
    sessions: [
      ...state.sessions.filter(each => each.until > at),
      { session, org, methods, acr, until, client, startedAt: at, provedAt: at },
    ],
  }),
  SessionRaised: (state, { session, methods, acr }, at) =>
    withSession(state, session, before => ({ ...before, methods, acr, provedAt: at })),
  SessionEnded: (state, { session }) => ({
    ...state,
    sessions: state.sessions.filter(each => each.session !== session),
  }),
  SessionsEnded: state => ({ ...state, sessions: [] }),
  UserSuspended: state => ({ ...state, status: 'suspended', sessions: [] }),
  UserResumed: state => ({ ...state, status: 'active' }),
}

const decide: Decide<User, typeof commands, typeof events> = {
  register({ status }, data) {
    if (status !== 'none') throw rejected('user_exists', 'This user is registered.')
    return [{ type: 'UserRegistered', data }]
  },
  setPassword(state, { how }) {
    active(state)
    return [{ type: 'PasswordSet', data: { how } }]
  },
  makeRecoveryCodes(state, { count }) {
    active(state)
    return [{ type: 'RecoveryCodesMade', data: { count } }]
  },
  useRecoveryCode: state => [
    { type: 'RecoveryCodeUsed', data: { left: Math.max(0, active(state).recoveryCodes - 1) } },
  ],
  enrolTotp: state => (active(state).hasTotp ? [] : [{ type: 'TotpEnrolled', data: {} }]),
  removeTotp: state => (state.hasTotp ? [{ type: 'TotpRemoved', data: {} }] : []),
  addPasskey(state, { passkey, name }) {
    if (active(state).passkeys.some(each => each.passkey === passkey)) return []
    if (state.passkeys.length >= PASSKEYS_MAX) {
      throw rejected('passkeys_full', 'Remove a passkey that you do not use.', { most: PASSKEYS_MAX })
    }
    return [{ type: 'PasskeyAdded', data: { passkey, name } }]
  },
  removePasskey(state, { passkey }) {
    if (!state.passkeys.some(each => each.passkey === passkey)) {
      throw rejected('passkey_unknown', 'You have no such passkey.')
    }
    mustKeepOne(state)
    return [{ type: 'PasskeyRemoved', data: { passkey } }]
  },
  linkIdentity(state, { identity, issuer }) {
    if (active(state).identities.some(each => each.identity === identity)) return []
    return [{ type: 'IdentityLinked', data: { identity, issuer } }]
  },
  unlinkIdentity(state, { identity }) {
    if (!state.identities.some(each => each.identity === identity)) {
      throw rejected('identity_unknown', 'No such identity is linked.')
    }
    mustKeepOne(state)
    return [{ type: 'IdentityUnlinked', data: { identity } }]
  },
  startSession(state, data, { at }) {
    const open = active(state).sessions.filter(({ until }) => until > at)
    const [oldest] = open
    const room = open.length >= SESSIONS_MAX && oldest ? [replaced(oldest)] : []
    return [...room, { type: 'SessionStarted', data }]
  },
  raiseSession(state, { session, methods, acr }, { at }) {
    if (!sessionOf(active(state), session, at)) throw rejected('session_over', 'Sign in again.')
    return [{ type: 'SessionRaised', data: { session, methods, acr } }]
  },
  endSession(state, { session, why }) {
    if (!state.sessions.some(each => each.session === session)) return []
    return [{ type: 'SessionEnded', data: { session, why } }]
  },
  endSessions: ({ sessions }, { why }) => (sessions.length === 0 ? [] : [{ type: 'SessionsEnded', data: { why } }]),
  suspend({ status }, { reason }) {
    if (status === 'none') throw unknown()
    return status === 'suspended' ? [] : [{ type: 'UserSuspended', data: because(reason) }]
  },
  resume({ status }, { reason }) {
    if (status === 'none') throw unknown()
    return status === 'active' ? [] : [{ type: 'UserResumed', data: because(reason) }]
  },
}

/**
 * A person who signs in here. Each user has an org of their own, whose id is that of the user: it holds this one
 * stream, and is theirs to work in.
 */
export const user = aggregate({
  name: 'user',
  only: USER,
  events,
  commands,
  api: {
    register: 'internal',
    setPassword: 'internal',
    makeRecoveryCodes: 'internal',
    useRecoveryCode: 'internal',
    enrolTotp: 'internal',
    removeTotp: 'internal',
    addPasskey: 'internal',
    removePasskey: 'internal',
    linkIdentity: 'internal',
    unlinkIdentity: 'internal',
    startSession: 'internal',
    raiseSession: 'internal',
    endSession: 'internal',
    endSessions: 'internal',
    suspend: 'internal',
    resume: 'internal',
  },
  rejections,
  initial: {
    status: 'none',
    user: '',
    verified: false,
    hasPassword: false,
    hasTotp: false,
    recoveryCodes: 0,
    passkeys: [],
    identities: [],
    sessions: [],
  } as User,
  evolve,
  decide,
  subjectOf: ({ user: whom }) => whom || undefined,
  stateSchema: 1,
  activity: {
    on: {
      UserRegistered: said`registered the ${THING}`,
      PasswordSet: said`set a password of the ${THING}`,
      RecoveryCodesMade: said`made recovery codes of the ${THING}`,
      RecoveryCodeUsed: said`redeemed a recovery code of the ${THING}`,
      TotpEnrolled: said`enrolled an authenticator of the ${THING}`,
      TotpRemoved: said`removed the authenticator of the ${THING}`,
      PasskeyAdded: ({ name }) => said`added a passkey of the ${THING}: ${name}`,
      PasskeyRemoved: said`removed a passkey of the ${THING}`,
      IdentityLinked: ({ issuer }) => said`linked an identity of the ${THING}: ${issuer}`,
      IdentityUnlinked: said`unlinked an identity of the ${THING}`,
      SessionStarted: ({ org }) => said`signed in to ${mention('organization', org)}`,
      SessionRaised: said`proved again who the ${THING} is`,
      SessionEnded: said`ended a session of the ${THING}`,
      SessionsEnded: said`ended all sessions of the ${THING}`,
      UserSuspended: said`suspended the ${THING}`,
      UserResumed: said`ended the suspension of the ${THING}`,
    },
  },
})

/** A session that counts at an instant. */
export const sessionOf = ({ sessions }: User, session: string, at: string): Session | undefined =>
  sessions.find(each => each.session === session && each.until > at)

/** Whether the user has a second factor to prove who they are with. */
export const hasSecondFactor = ({ hasTotp, passkeys }: User): boolean => hasTotp || passkeys.length > 0

const replaced = ({ session }: Session) => ({ type: 'SessionEnded', data: { session, why: 'replaced' } }) as const

function active(state: User): User {
  if (state.status === 'active') return state
  throw state.status === 'none' ? unknown() : rejected('user_suspended', 'The user is suspended.')
}

const unknown = () => rejected('user_unknown', 'There is no such user.')

/** Refuses to take away the last way to sign in. */
function mustKeepOne({ hasPassword, passkeys, identities }: User): void {
  if (Number(hasPassword) + passkeys.length + identities.length > 1) return
  throw rejected('factor_is_last', 'It is your last way to sign in: add another one first.')
}
