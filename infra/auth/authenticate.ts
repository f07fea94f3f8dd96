import { errors, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Principal } from '../../domain/kernel/route.ts'
import { id, ORG_ID } from '../../domain/kernel/schema.ts'
import { GRANT } from '../../domain/record/grants.ts'
import { isPerson, subjectName } from '../../domain/record/subject.ts'
import { httpError } from '../http/errors.ts'
import { createKeySet } from './key-set.ts'
import { isRole, isScopeOfKogi, permissionsOfRoles, permissionsOfScope } from './permissions.ts'

const CLOCK_TOLERANCE_SECONDS = 5
/** Time for which a verified token is accepted without another look at the key set. */
const REMEMBERED_MS = 300_000

/** Most names that a claim may list, of this API and of others. */
const NAMES_MAX = 5_000

/**
 * A claim that lists names, in the forms of identity providers: a list, or one text with spaces between the names; null
 * or nothing for none. Members of a list that are no texts name nothing here.
 */
const names = z
  .union([z.string().transform(text => text.split(/\s+/)), z.array(z.unknown()), z.null()], {
    error: 'must be a list of names, or a text of names with spaces between them',
  })
  .optional()
  .transform(list => (list ?? []).filter(name => typeof name === 'string' && name !== '') as string[])
  .refine(list => list.length <= NAMES_MAX, `lists more than ${NAMES_MAX} names`)

const team = id('team')

/** The claims that make a principal; the times, the issuer and the audience are checked by the verification. */
const claims = z.object({
  sub: z
    .string('must be a text')
    .refine(
      subject => subjectName.safeParse(subject).success,
      'must have 1 to 128 characters, none of them control characters',
    )
    .refine(isPerson, 'is the name of a process or of a memory, which have no tokens'),
  org_id: z.string('must be a text').regex(ORG_ID, 'must have 1 to 64 letters, digits and . _ ~ -'),
  roles: names,
  permissions: names,
  scope: names,
  scp: names,
  groups: names,
})

export type AuthOptions = {
  /** File or URL of the key set of other issuers (JWKS, RFC 7517), where there is one. */
  readonly jwks: string | undefined
  readonly issuer: string | undefined
  readonly audience: string
  /** Number of verified tokens that are remembered; 0 remembers none. */
  readonly cacheSize: number
  readonly keyCooldownMs?: number
  /** The check of tokens that Kogi has issued itself. */
  readonly own?: {
    readonly isOwn: (token: string) => boolean
    readonly verify: (token: string) => Promise<{ readonly principal: Principal }>
  }
}

/** Finds the principal of an `Authorization` header. Throws `unauthenticated` or `invalid_token`. */
export type Authenticate = (authorization: string | undefined) => Principal | Promise<Principal>

/**
 * Makes the check of `Authorization: Bearer <token>`: RS256 by the key set, issuer, audience, times, then the claims;
 * tokens of the own issuer have a check of their own.
 * A principal's permissions are those of its roles, of `permissions` and of `scope` together. The result of a token is
 * remembered until it expires, for five minutes at most, because verifying costs more than all the rest of a request.
 */
export function createAuthenticator(options: AuthOptions): Authenticate {
  const { jwks, issuer, audience, cacheSize, keyCooldownMs, own } = options
  const keys = jwks === undefined ? undefined : createKeySet(jwks, keyCooldownMs)
  const rules = {
    algorithms: ['RS256'],
    ...(issuer !== undefined && { issuer }),
    audience,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['exp', 'sub', 'org_id'],
  }
  const verified = cacheSize > 0 ? new LRUCache<string, Principal>({ max: cacheSize }) : undefined

  async function principalBy(token: string): Promise<Principal> {
    if (own?.isOwn(token)) return (await own.verify(token)).principal
    if (!keys) throw invalid('iss', 'the token is not of this issuer')
    const { payload } = await jwtVerify(token, keys, rules)
    return principalOf(payload, (payload.exp! + CLOCK_TOLERANCE_SECONDS) * 1000)
  }

  async function verify(token: string): Promise<Principal> {
    let principal: Principal
    try {
      principal = await principalBy(token)
    } catch (error) {
      throw refusal(error)
    }
    const ttl = Math.min(principal.endsAt! - Date.now(), REMEMBERED_MS)
    if (ttl > 0) verified?.set(token, principal, { ttl })
    return principal
  }

  return function authenticate(authorization: string | undefined): Principal | Promise<Principal> {
    if (authorization === undefined) throw httpError('unauthenticated')
    const token = /^Bearer +([\w.+/=-]+) *$/i.exec(authorization)?.[1]
    if (token === undefined) throw invalid('Authorization', 'must be `Bearer <token>`')
    return verified?.get(token) ?? verify(token)
  }
}

/** The principal that the claims of a verified token make. Throws `invalid_token`. */
export function principalOf(payload: JWTPayload, endsAt: number): Principal {
  const parsed = claims.safeParse(payload)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    throw invalid(String(path[0] ?? 'claims'), message)
  }
  const { sub, org_id, permissions, scope, scp, groups } = parsed.data
  // Other names belong to other applications: they grant nothing, and events do not carry them.
  const roles = [...new Set(parsed.data.roles)].filter(isRole)
  const named = permissions.filter(name => GRANT.test(name))
  const words = [...scope, ...scp]
  const scoped = permissionsOfScope(words)
  const granted = new Set([...permissionsOfRoles(roles), ...named, ...scoped])
  // Nothing can be shared with other names, which events could not carry either.
  const teams = [...new Set(groups)].filter(name => team.safeParse(name).success)
  const inTeams = teams.length > 0 && { teams }
  // Scopes of other applications, such as `openid`, narrow nothing here; a misspelt one of Kogi leaves nothing.
  const narrowed = words.some(isScopeOfKogi) && { scoped }
  return Object.freeze({ subject: sub, org: org_id, roles, permissions: [...granted], ...inTeams, ...narrowed, endsAt })
}

/** Turns an error of the verification into a refusal that names the failed check and repeats nothing of the token. */
function refusal(error: unknown): unknown {
  if (error instanceof KogiError) return error
  if (error instanceof errors.JWTExpired) return invalid('exp', 'the token has expired')
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalid(
      error.claim,
      error.reason === 'missing' ? 'the claim is missing' : 'the claim is not the one expected',
    )
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return invalid('alg', 'tokens are signed with RS256')
  }
  if (error instanceof errors.JWKSNoMatchingKey) return invalid('kid', 'the key that signed the token is not known')
  if (error instanceof errors.JOSEError || error instanceof TypeError)
    return invalid('token', 'not a valid signed token')
  return error
}

function invalid(field: string, message: string): KogiError {
  return httpError('invalid_token', [{ field, message }], `The token is not valid: ${message}.`)
}
