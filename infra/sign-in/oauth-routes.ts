/** The routes of OAuth 2: tokens (RFC 6749), revocation (RFC 7009) and introspection (RFC 7662). */
import { z } from 'zod'
import { parseBody } from '../../commands/requests.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, ApiResponse, Principal, Route } from '../../domain/kernel/route.ts'
import { bothCover } from '../../domain/record/grants.ts'
import type { KeyUse } from '../access/api-keys.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import { allows, permissionsOfScope } from '../auth/permissions.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { Sessions } from './sessions.ts'
import type { SigningKeys } from './signing-keys.ts'

export type OauthDeps = {
  readonly tokens: AccessTokens
  readonly keys: Pick<SigningKeys, 'published'>
  readonly sessions: Sessions
  /** The whole check of callers: what it says of a token counts. */
  readonly authenticate: Authenticate
  /** What an API key may be used for, as the credentials of a client. Throws `invalid_token`. */
  readonly useKey: (secret: string) => Promise<KeyUse>
}

/** Where a client reads what this issuer does (RFC 8414). */
export const METADATA_PATH = '/.well-known/oauth-authorization-server'
const BASE = '/kbs/oauth'
const GRANTS = ['refresh_token', 'client_credentials'] as const

/** The metadata of the issuer. */
export const metadataOf = (issuer: string) => {
  const at = (path: string) => `${issuer}/api/v1${BASE}/${path}`
  const methods = ['client_secret_basic', 'client_secret_post']
  return {
    issuer,
    token_endpoint: at('token'),
    jwks_uri: at('jwks'),
    revocation_endpoint: at('revoke'),
    introspection_endpoint: at('introspect'),
    response_types_supported: [],
    grant_types_supported: [...GRANTS],
    token_endpoint_auth_methods_supported: ['none', ...methods],
    revocation_endpoint_auth_methods_supported: ['none'],
    introspection_endpoint_auth_methods_supported: ['bearer'],
    acr_values_supported: ['aal1', 'aal2'],
    service_documentation: `${issuer}/docs`,
  }
}

const field = (description: string, example?: string) =>
  z
    .string()
    .max(4_096)
    .optional()
    .meta({ description, ...(example !== undefined && { examples: [example] }) })

const tokenBody = z
  .object({
    grant_type: z.string().meta({ description: GRANTS.join(' or ') }),
    refresh_token: field('the refresh token of the session, which counts once'),
    client_id: field('the id of an API key'),
    client_secret: field('the API key itself'),
    scope: field('what is asked for, such as `office:read`: less than what is allowed, never more'),
  })
  .meta({ examples: [{ grant_type: 'refresh_token', refresh_token: 'kogi_rt_…' }], title: 'TokenRequest' })

const tokenAnswer = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().meta({ description: 'seconds' }),
    refresh_token: z.string().optional(),
    scope: z.string().optional(),
  })
  .meta({ title: 'Tokens' })
export const tokensSchema = tokenAnswer

const oneToken = z
  .object({ token: z.string().max(16_384), token_type_hint: field('is not needed') })
  .meta({ examples: [{ token: 'kogi_rt_…' }], title: 'OneToken' })

const introspection = z
  .looseObject({ active: z.boolean() })
  .meta({ title: 'Introspection', description: 'RFC 7662; of a token that does not count, `active` alone' })

export function oauthRoutes(deps: OauthDeps): Route[] {
  const shared = { tag: 'kbs', parameters: [], errors: {}, plain: true } as const
  const post = { ...shared, method: 'POST', form: true } as const
  return [
    {
      ...post,
      path: `${BASE}/token`,
      permission: null,
      operationId: 'oauthToken',
      summary: 'The next tokens for a refresh token, or a token for a server by its API key (RFC 6749).',
      body: tokenBody,
      response: tokenAnswer,
      errors: { 401: ['wrong_credentials'], 429: ['too_many_requests'] },
      handle: request => inWordsOfOauth(() => token(deps, request)),
    },
    {
      ...post,
      path: `${BASE}/revoke`,
      permission: null,
      operationId: 'oauthRevoke',
      summary: 'End the session of a token (RFC 7009). Who has the token may end it.',
      body: oneToken,
      response: z.object({}),
      handle: request => inWordsOfOauth(() => revoke(deps, request)),
    },
    {
      ...post,
      path: `${BASE}/introspect`,
      permission: 'signed in',
      operationId: 'oauthIntrospect',
      summary: 'Whether a token of the caller counts, or one of the org for who holds identity.access.read (RFC 7662).',
      body: oneToken,
      response: introspection,
      handle: request => introspect(deps, request),
    },
    {
      ...shared,
      method: 'GET',
      path: `${BASE}/jwks`,
      permission: null,
      operationId: 'oauthJwks',
      summary: 'The public keys of tokens of this issuer (JWKS, RFC 7517).',
      response: z.object({ keys: z.array(z.looseObject({ kid: z.string() })) }),
      async handle() {
        return { plain: true, data: { keys: await deps.keys.published() } }
      },
    },
  ]
}

/** An error of RFC 6749, 5.2. */
class OauthError extends Error {
  readonly code: string
  readonly status: 400 | 401

  constructor(code: string, message: string, status: 400 | 401 = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** Words of the standard for what the rest of the code throws. */
const CODES: Readonly<Record<string, string>> = {
  invalid_body: 'invalid_request',
  invalid_parameter: 'invalid_scope',
  not_a_member: 'invalid_grant',
  account_suspended: 'invalid_grant',
}

async function inWordsOfOauth(work: () => Promise<ApiResponse>): Promise<ApiResponse> {
  try {
    return await work()
  } catch (error) {
    const known = asOauth(error)
    if (!known) throw error
    const { code, status, message } = known
    const challenge = status === 401 && { 'WWW-Authenticate': 'Basic realm="kogi"' }
    return {
      plain: true,
      status,
      data: { error: code, error_description: message },
      headers: { Pragma: 'no-cache', ...challenge },
    }
  }
}

function asOauth(error: unknown): OauthError | undefined {
  if (error instanceof OauthError) return error
  if (!(error instanceof KogiError) || !CODES[error.code]) return undefined
  const { code, message, details } = error
  const why = details.map(({ field: name, message: fault }) => `${name} ${fault}`).join('; ')
  return new OauthError(CODES[code]!, why || message)
}

const plain = (data: unknown): ApiResponse => ({ plain: true, data, headers: { Pragma: 'no-cache' } })

async function token(deps: OauthDeps, request: ApiRequest): Promise<ApiResponse> {
  const { grant_type: grant, refresh_token: refresh, scope } = parseBody(tokenBody, request.body)
  if (grant === 'client_credentials') return plain(await forClient(deps, request))
  if (grant !== 'refresh_token') {
    throw new OauthError('unsupported_grant_type', `grant_type must be ${GRANTS.join(' or ')}`)
  }
  if (refresh === undefined) throw new OauthError('invalid_request', 'refresh_token is required')
  const tokens = await deps.sessions.refresh(refresh, scope || undefined, request.correlationId)
  if (tokens) return plain(tokens)
  throw new OauthError('invalid_grant', 'The refresh token is over, was used before, or never was one: sign in again.')
}

/** A server proves itself by an API key, as `Basic` credentials or in the form. */
async function forClient({ tokens, useKey, authenticate }: OauthDeps, request: ApiRequest) {
  const { client_id: id, client_secret: secret, scope } = clientOf(request)
  const refused = new OauthError('invalid_client', 'client_id and client_secret must be an API key and its id.', 401)
  if (id === undefined || secret === undefined) throw refused
  const use = await useKey(secret).catch(error => {
    throw error instanceof KogiError && error.code === 'invalid_token' ? refused : error
  })
  if (use.key !== id) throw refused
  const { subject, org, permissions } = await authenticate(`Bearer ${secret}`)
  const unknown = scope?.split(' ').find(word => permissionsOfScope([word]).length === 0)
  if (unknown !== undefined)
    throw new OauthError('invalid_scope', 'There is no such scope: scopes are such as office:read')
  const held = scope === undefined ? permissions : bothCover(permissions, permissionsOfScope(scope.split(' ')))
  const { key, generation } = use
  const permitted = { user: subject, org, roles: [], permissions: held, scope }
  return {
    access_token: await tokens.issue({ ...permitted, by: { key, generation } }),
    token_type: 'Bearer',
    expires_in: tokens.seconds,
    ...(scope !== undefined && { scope }),
  }
}

function clientOf({ body, header }: ApiRequest) {
  const given = parseBody(tokenBody, body)
  const basic = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(header('authorization') ?? '')?.[1]
  if (basic === undefined) return given
  if (given.client_secret !== undefined) throw new OauthError('invalid_request', 'Send the credentials in one place.')
  const [id = '', ...rest] = Buffer.from(basic, 'base64').toString('utf8').split(':')
  const decoded = (text: string) => {
    try {
      return decodeURIComponent(text.replaceAll('+', ' '))
    } catch {
      throw new OauthError('invalid_client', 'The credentials are not encoded as RFC 6749, 2.3.1 says.', 401)
    }
  }
  return { ...given, client_id: decoded(id), client_secret: decoded(rest.join(':')) }
}

async function revoke({ sessions, tokens }: OauthDeps, request: ApiRequest): Promise<ApiResponse> {
  const { token: given } = parseBody(oneToken, request.body)
  const row = await sessions.ofRefreshToken(given)
  if (row) await sessions.end(row.person, row.session, 'revoked', request.correlationId)
  else if (tokens.isOwn(given)) {
    // A token that does not count is no error (RFC 7009, 2.2).
    const { principal } = await tokens.verify(given).catch(() => ({ principal: undefined }))
    const signIn = principal?.signIn
    if (principal && signIn) await sessions.end(principal.subject, signIn.session, 'revoked', request.correlationId)
  }
  return plain({})
}

async function introspect(deps: OauthDeps, request: ApiRequest): Promise<ApiResponse> {
  const { token: given } = parseBody(oneToken, request.body)
  const found = await introspected(deps, given).catch(error => {
    if (error instanceof KogiError && error.code !== 'engine_unavailable') return undefined
    throw error
  })
  const mayKnow = found && maySee(request.principal, found.principal)
  return plain(mayKnow ? { active: true, ...found.claims } : { active: false })
}

/** Your own tokens, and those of your org if you may look at who may do what there. */
const maySee = (caller: Principal, { subject, org }: Principal): boolean =>
  caller.org === org && (caller.subject === subject || allows(caller, 'identity.access.read'))

async function introspected({ tokens, authenticate, sessions }: OauthDeps, given: string) {
  if (tokens.isOwn(given)) {
    const principal = await authenticate(`Bearer ${given}`)
    const { payload } = await tokens.verify(given)
    const { iss, sub, aud, exp, iat, jti, scope, client_id, org_id, acr, auth_time } = payload
    const claims = { iss, sub, aud, exp, iat, jti, scope, client_id, org_id, acr, auth_time, token_type: 'Bearer' }
    return { principal, claims }
  }
  const row = await sessions.ofRefreshToken(given)
  const session = row && !row.used_at ? await sessions.current(row) : undefined
  if (!row || !session) return undefined
  const principal = { subject: row.person, org: session.org, roles: [], permissions: [] }
  const exp = Math.floor(Date.parse(row.ends_at) / 1000)
  return { principal, claims: { sub: row.person, exp, org_id: session.org, token_type: 'refresh_token' } }
}
