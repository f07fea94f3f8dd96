/** The routes by which people sign up, in and out. */
import { z } from 'zod'
import { parseBody } from '../../commands/requests.ts'
import { isAddress } from '../../domain/hub/inbox/email.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, Principal, Route, SignIn } from '../../domain/kernel/route.ts'
import { ORG_ID, refined, text } from '../../domain/kernel/schema.ts'
import type { Accounts } from './accounts.ts'
import { tokensSchema } from './oauth-routes.ts'
import { PASSWORD_MAX, PASSWORD_MIN } from './password-rules.ts'

const email = refined(text(254), isAddress, 'must be an e-mail address such as mira@studio.example')
const password = z
  .string()
  .min(1)
  .max(PASSWORD_MAX)
  .meta({ description: `the password; a new one has at least ${PASSWORD_MIN} characters and is not easily guessed` })
const code = z
  .string()
  .max(20)
  .optional()
  .meta({ description: 'six digits of the authenticator (TOTP); each counts once' })
const recoveryCode = z.string().max(50).optional().meta({ description: 'one of the recovery codes; each counts once' })
export const factors = { code, recovery_code: recoveryCode }
const wanted = {
  org: z
    .string()
    .regex(ORG_ID, 'must be the id of an organization')
    .optional()
    .meta({ description: 'the organization to work in, as a member; unless given, your own org' }),
  scope: z
    .string()
    .max(2_000)
    .optional()
    .meta({ description: 'what the tokens are for, such as `office:read wallet:*`; unless given, all you may do' }),
  client: text(200).optional().meta({ description: 'the program, as it calls itself in the list of sessions' }),
}

const EXAMPLE = { email: 'mira@studio.example', password: 'four blue herons on a roof' }
const signUpBody = z.strictObject({ email, password }).meta({ examples: [EXAMPLE], title: 'SignUp' })
const signInBody = z
  .strictObject({ email, password, ...factors, ...wanted })
  .meta({ examples: [{ ...EXAMPLE, client: 'Phone of Mira' }], title: 'SignIn' })
const recoverBody = z.strictObject({ email, new_password: password, ...factors }).meta({
  examples: [
    { email: EXAMPLE.email, new_password: 'nine red kites in the rain', recovery_code: 'abcd-efgh-jkmn-pqrs' },
  ],
  title: 'RecoverPassword',
})
const passwordBody = z.strictObject({ password, new_password: password }).meta({
  examples: [{ password: EXAMPLE.password, new_password: 'nine red kites in the rain' }],
  title: 'ChangePassword',
})

export const doneSchema = z.object({ done: z.literal(true) }).meta({ title: 'Done' })
export const done = { data: { done: true } } as const
export const shared = { tag: 'kbs', parameters: [], answerHeaders: [] } as const
/** What every route can answer that takes a password or a code. */
export const TRIED = { 401: ['wrong_credentials'], 429: ['too_many_requests'] } as const

/** Throws `invalid_body` where a request has a body that its route does not take. */
export const mustBeEmpty = ({ body }: ApiRequest): void => void parseBody(nothing, body)
const nothing = z.strictObject({})

type Person = Principal & { readonly signIn: SignIn }

/** Who has a session here, also by a token that is narrowed to a scope: API keys and other tokens have none. */
export function inSession({ principal }: ApiRequest): Person {
  if (principal.signIn) return { ...principal, signIn: principal.signIn }
  throw new KogiError('forbidden', 'This is for people who have signed in here, not for keys and other tokens.')
}

/** Who has signed in here, by a token for all that they may do: no scope stands for the account itself. */
export function signedIn(request: ApiRequest): Person {
  const person = inSession(request)
  if (!person.scoped) return person
  throw new KogiError('forbidden', 'This token is narrowed to a scope, and your account is in none: use one without.')
}

export function signInRoutes(accounts: Accounts): Route[] {
  const open = { ...shared, method: 'POST', permission: null } as const
  return [
    {
      ...open,
      path: '/kbs/sign-up',
      operationId: 'signUp',
      summary: 'Sign up with an e-mail address. The answer does not say whether there is such a user.',
      body: signUpBody,
      response: doneSchema,
      errors: { 403: ['sign_up_closed'], 422: ['password_refused'], 429: ['too_many_requests'] },
      async handle(request) {
        await accounts.signUp(parseBody(signUpBody, request.body), request)
        return done
      },
    },
    {
      ...open,
      path: '/kbs/sign-in',
      operationId: 'signIn',
      summary: 'Sign in with a password, and a second factor where the user has one.',
      body: signInBody,
      response: tokensSchema,
      errors: {
        ...TRIED,
        401: ['wrong_credentials', 'second_factor_needed'],
        403: ['account_suspended', 'not_a_member'],
        422: ['user_suspended', 'subject_erased'],
      },
      async handle(request) {
        return { data: await accounts.signIn(parseBody(signInBody, request.body), request) }
      },
    },
    {
      ...open,
      path: '/kbs/recover',
      operationId: 'recoverPassword',
      summary: 'Set a new password by a recovery code, with a code of the authenticator where there is one.',
      body: recoverBody,
      response: doneSchema,
      errors: { ...TRIED, 422: ['password_refused', 'user_suspended'] },
      async handle(request) {
        const { new_password: next, ...given } = parseBody(recoverBody, request.body)
        await accounts.recover({ ...given, password: next }, request)
        return done
      },
    },
    {
      ...shared,
      method: 'PUT',
      permission: 'signed in',
      path: '/kbs/me/password',
      operationId: 'changePassword',
      summary: 'Change your password. All sessions end, and this answer begins a new one.',
      body: passwordBody,
      response: tokensSchema,
      errors: { ...TRIED, 403: ['forbidden'], 422: ['password_refused', 'user_suspended'] },
      async handle(request) {
        const { password: before, new_password: after } = parseBody(passwordBody, request.body)
        const { subject, org } = signedIn(request)
        return { data: await accounts.changePassword(subject, { before, after, org }, request) }
      },
    },
  ]
}
