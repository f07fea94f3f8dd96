/** The routes by which users see and end their sessions, and look after how they sign in. */
import { z } from 'zod'
import type { Keyring } from '../../commands/ports.ts'
import { parseBody } from '../../commands/requests.ts'
import { hasSecondFactor, sessionOf, type User } from '../../domain/identity/user/user.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, Route } from '../../domain/kernel/route.ts'
import { id, oneOf, timestamp } from '../../domain/kernel/schema.ts'
import type { Users } from '../access/users.ts'
import { isSure, PROVED_SECONDS_MAX } from '../auth/step-up.ts'
import { httpError } from '../http/errors.ts'
import type { CredentialRows } from './credentials.ts'
import type { Factors } from './factors.ts'
import type { GiveUser } from './give-user.ts'
import { tokensSchema } from './oauth-routes.ts'
import type { Sessions } from './sessions.ts'
import {
  done,
  doneSchema,
  factors as factorFields,
  inSession,
  mustBeEmpty,
  shared,
  signedIn,
  TRIED,
} from './sign-in-routes.ts'
import type { Throttle } from './throttle.ts'

export type MeDeps = {
  readonly users: Users
  readonly keyring: Pick<Keyring, 'open'>
  readonly rows: CredentialRows
  readonly factors: Factors
  readonly sessions: Sessions
  readonly throttle: Throttle
  readonly give: GiveUser
}

const session = z.object({
  session: z.string(),
  org: z.string(),
  client: z.string().optional(),
  acr: oneOf('aal1', 'aal2'),
  methods: z.array(z.string()),
  started_at: timestamp,
  proved_at: timestamp.meta({ description: 'when you last proved who you are' }),
  until: timestamp,
  current: z.boolean().meta({ description: 'whether it is the one that asks' }),
})
const me = z
  .object({
    user: z.string().meta({ description: 'your id, by which organizations invite you' }),
    email: z.string().nullable(),
    has_password: z.boolean(),
    has_totp: z.boolean(),
    recovery_codes: z.int().meta({ description: 'how many are left' }),
    passkeys: z.array(z.object({ passkey: z.string(), name: z.string(), added_at: timestamp })),
    identities: z.array(z.object({ identity: z.string(), issuer: z.string() })),
    sessions: z.array(session),
  })
  .meta({ title: 'Me' })

const codeBody = z
  .strictObject({ code: factorFields.code.unwrap() })
  .meta({ examples: [{ code: '123456' }], title: 'Code' })
const stepUpBody = z.strictObject(factorFields).meta({ examples: [{ code: '123456' }], title: 'StepUp' })
const codesSchema = z.array(z.string()).meta({ description: 'shown this once; each counts once' })
const recoveryCodes = z.object({ recovery_codes: codesSchema }).meta({ title: 'RecoveryCodes' })
const totpSchema = z
  .object({
    secret: z.string().meta({ description: 'in base32, for those who cannot scan' }),
    uri: z.string().meta({ description: 'for a QR code that the authenticator scans' }),
  })
  .meta({ title: 'Totp' })
const confirmed = tokensSchema.extend({ recovery_codes: codesSchema.optional() }).meta({ title: 'TotpConfirmed' })

const mine = { ...shared, permission: 'signed in' } as const
const BEGIN = { 401: ['insufficient_user_authentication'], 403: ['forbidden'], 409: ['conflict'] } as const
const CODES = { ...TRIED, 403: ['forbidden'] } as const

/** Throws where a user with a second factor has not shown it just now, or one without has not signed in just now. */
function mustHaveProved(request: ApiRequest, state: User): void {
  const { signIn } = signedIn(request)
  const isRecent = Date.now() - signIn.provedAt <= PROVED_SECONDS_MAX * 1000
  if (hasSecondFactor(state) ? !isSure(signIn) : !isRecent) throw httpError('insufficient_user_authentication')
}

export const meRoutes = (deps: MeDeps): Route[] => [...sessionRoutes(deps), ...factorRoutes(deps), ...totpRoutes(deps)]

function sessionRoutes({ users, keyring, sessions }: MeDeps): Route[] {
  return [
    {
      ...mine,
      method: 'GET',
      path: '/kbs/me',
      operationId: 'me',
      summary: 'How you sign in, and where you are signed in.',
      response: me,
      errors: { 403: ['forbidden'] },
      async handle(request) {
        const { subject, signIn } = signedIn(request)
        return { data: await shown(await users.of(subject), signIn.session, keyring) }
      },
    },
    {
      ...mine,
      method: 'DELETE',
      path: '/kbs/me/sessions/:session',
      operationId: 'endSession',
      summary: 'End a session of yours: its tokens allow nothing from now on.',
      parameters: [{ name: 'session', in: 'path', schema: id('session'), description: 'id of the session' }],
      response: doneSchema,
      errors: { 403: ['forbidden'] },
      async handle(request) {
        mustBeEmpty(request)
        const { subject } = signedIn(request)
        await sessions.end(subject, request.params.session!, 'signed_out', request.correlationId)
        return { status: 204 }
      },
    },
    {
      ...mine,
      method: 'POST',
      path: '/kbs/sign-out',
      operationId: 'signOut',
      summary: 'Sign out: the tokens of this session allow nothing from now on.',
      response: doneSchema,
      errors: { 403: ['forbidden'] },
      async handle(request) {
        mustBeEmpty(request)
        const { subject, signIn } = inSession(request)
        await sessions.end(subject, signIn.session, 'signed_out', request.correlationId)
        return done
      },
    },
    {
      ...mine,
      method: 'POST',
      path: '/kbs/sign-out/everywhere',
      operationId: 'signOutEverywhere',
      summary: 'Sign out everywhere: the tokens of all your sessions allow nothing from now on.',
      response: doneSchema,
      errors: { 403: ['forbidden'] },
      async handle(request) {
        mustBeEmpty(request)
        await sessions.endAll(signedIn(request).subject, 'signed_out', request.correlationId)
        return done
      },
    },
  ]
}

function factorRoutes(deps: MeDeps): Route[] {
  const { users, rows, factors, sessions } = deps
  return [
    {
      ...mine,
      method: 'POST',
      path: '/kbs/step-up',
      operationId: 'stepUp',
      summary: 'Show a second factor again: the answer has an access token for sensitive operations (RFC 9470).',
      body: stepUpBody,
      response: tokensSchema,
      errors: { ...CODES, 401: ['wrong_credentials', 'second_factor_needed'], 422: ['session_over', 'user_suspended'] },
      async handle(request) {
        const given = parseBody(stepUpBody, request.body)
        const caller = inSession(request)
        const method = await tried(deps, request, async () => {
          const row = await rows.of(caller.subject)
          if (!row) throw httpError('second_factor_needed', [], 'Enrol an authenticator first: POST /kbs/me/totp.')
          return factors.shown(row, given, request.correlationId)
        })
        return { data: await sessions.raise(caller, { methods: [method], acr: 'aal2' }, request.correlationId) }
      },
    },
    {
      ...mine,
      method: 'POST',
      path: '/kbs/me/recovery-codes',
      operationId: 'makeRecoveryCodes',
      summary: 'Make new recovery codes in the place of all before: this answer alone shows them.',
      response: recoveryCodes,
      errors: { 401: ['insufficient_user_authentication'], 403: ['forbidden'], 422: ['user_suspended'] },
      async handle(request) {
        mustBeEmpty(request)
        const { subject } = signedIn(request)
        mustHaveProved(request, await users.of(subject))
        return { data: { recovery_codes: await factors.newRecoveryCodes(subject, request.correlationId) } }
      },
    },
  ]
}

function totpRoutes(deps: MeDeps): Route[] {
  const { users, keyring, rows, factors, give } = deps
  return [
    {
      ...mine,
      method: 'POST',
      path: '/kbs/me/totp',
      operationId: 'beginTotp',
      summary: 'Begin with an authenticator: it counts once a code of it is confirmed.',
      response: totpSchema,
      errors: { ...BEGIN, 422: ['step_over', 'subject_erased'] },
      async handle(request) {
        mustBeEmpty(request)
        const state = await users.of(signedIn(request).subject)
        mustHaveProved(request, state)
        if (state.hasTotp) throw httpError('step_over', [], 'There is an authenticator: remove it first.')
        const [address] = state.email ? await keyring.open(state.user, [state.email]) : []
        return { data: await factors.begin(state.user, address ?? state.user) }
      },
    },
    {
      ...mine,
      method: 'POST',
      path: '/kbs/me/totp/confirm',
      operationId: 'confirmTotp',
      summary: 'Confirm the authenticator with a code of it. Recovery codes come with the answer, the first time.',
      body: codeBody,
      response: confirmed,
      errors: { ...CODES, ...BEGIN, 401: ['wrong_credentials', ...BEGIN[401]], 422: ['user_suspended'] },
      handle: request => confirm(deps, request),
    },
    {
      ...mine,
      method: 'DELETE',
      path: '/kbs/me/totp',
      operationId: 'removeTotp',
      summary: 'Remove the authenticator.',
      response: doneSchema,
      errors: { 401: ['insufficient_user_authentication'], 403: ['forbidden'] },
      async handle(request) {
        mustBeEmpty(request)
        const { subject } = signedIn(request)
        mustHaveProved(request, await users.of(subject))
        await give(subject, 'removeTotp', {}, request.correlationId)
        await rows.dropTotp(subject)
        return { status: 204 }
      },
    },
  ]
}

async function confirm({ users, rows, factors, sessions, give, ...deps }: MeDeps, request: ApiRequest) {
  const { code } = parseBody(codeBody, request.body)
  const caller = signedIn(request)
  const { subject: user } = caller
  const state = await users.of(user)
  mustHaveProved(request, state)
  const sealed = await tried(deps, request, async () => {
    const row = await rows.of(user)
    if (!row?.totp_sealed || !(await factors.isCode(row, code))) throw httpError('wrong_credentials')
    return row.totp_sealed
  })
  // The row first: what the log has can be shown. Confirming again finishes what a fault has cut off.
  if (!(await rows.confirmTotp(user, sealed))) throw httpError('conflict', [], 'Begin again with the authenticator.')
  await give(user, 'enrolTotp', {}, request.correlationId)
  const tokens = await sessions.raise(caller, { methods: ['otp'], acr: 'aal2' }, request.correlationId)
  const codes = state.recoveryCodes === 0 ? await factors.newRecoveryCodes(user, request.correlationId) : undefined
  return { data: { ...tokens, ...(codes && { recovery_codes: codes }) } }
}

/** Counts a try of the caller, and takes it back where it does not fail. */
async function tried<T>({ throttle }: Pick<MeDeps, 'throttle'>, request: ApiRequest, work: () => Promise<T>) {
  const by = { name: `user ${request.principal.subject}`, address: request.address }
  await throttle.count(by)
  const answer = await work()
  await throttle.forgive(by)
  return answer
}

async function shown(state: User, current: string, keyring: Pick<Keyring, 'open'>): Promise<z.input<typeof me>> {
  const now = new Date().toISOString()
  if (state.status === 'none') throw new KogiError('not_found', 'There is nothing with this id.')
  const [address] = state.email ? await keyring.open(state.user, [state.email]) : []
  return {
    user: state.user,
    email: address ?? null,
    has_password: state.hasPassword,
    has_totp: state.hasTotp,
    recovery_codes: state.recoveryCodes,
    passkeys: state.passkeys.map(({ passkey, name, addedAt }) => ({ passkey, name, added_at: addedAt })),
    identities: [...state.identities],
    sessions: state.sessions
      .filter(each => sessionOf(state, each.session, now))
      .map(each => ({
        session: each.session,
        org: each.org,
        ...(each.client !== undefined && { client: each.client }),
        acr: each.acr,
        methods: [...each.methods],
        started_at: each.startedAt,
        proved_at: each.provedAt,
        until: each.until,
        current: each.session === current,
      })),
  }
}
