/** The access tokens that Kogi issues itself: JWTs (RFC 9068) with the claims that docs/tokens.md lists. */
import { randomUUID } from 'node:crypto'
import { decodeJwt, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import type { Principal } from '../../domain/kernel/route.ts'
import { principalOf } from '../auth/authenticate.ts'
import { permissionsOfScope } from '../auth/permissions.ts'
import type { SigningKeys } from './signing-keys.ts'

const TYPE = 'at+jwt'
const CLOCK_TOLERANCE_SECONDS = 5

/** Whose a token is and what it says of them. */
type TokenSubject = {
  readonly user: string
  readonly org: string
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  readonly scope?: string | undefined
  readonly email?: { readonly address: string; readonly verified: boolean } | undefined
  /** A session of a person, or the API key of a server. */
  readonly by:
    | { readonly session: string; readonly acr: string; readonly amr: readonly string[]; readonly provedAt: string }
    | { readonly key: string; readonly generation: number }
}

export type AccessTokens = {
  readonly issuer: string
  readonly seconds: number
  readonly issue: (of: TokenSubject) => Promise<string>
  /** The principal of a token, and when it ends, in ms. Throws the errors of `jose`. */
  readonly verify: (token: string) => Promise<{ readonly principal: Principal; readonly payload: JWTPayload }>
  /** Whether a token says that it is of this issuer. */
  readonly isOwn: (token: string) => boolean
}

type Options = {
  readonly issuer: string
  readonly audience: string
  readonly seconds: number
  readonly keys: Pick<SigningKeys, 'signing' | 'find'>
  readonly now?: () => number
}

/** The claims of tokens of this issuer alone. */
const own = z.object({
  jti: z.string(),
  scope: z.string().optional(),
  sid: z.string().optional(),
  acr: z.string().optional(),
  auth_time: z.number().optional(),
  client_id: z.string().optional(),
  key_generation: z.int().optional(),
})

export function accessTokens({ issuer, audience, seconds, keys, now = Date.now }: Options): AccessTokens {
  return {
    issuer,
    seconds,
    async issue({ user, org, roles, permissions, scope, email, by }) {
      const { kid, alg, key } = await keys.signing()
      const at = Math.floor(now() / 1000)
      const session = 'session' in by && {
        sid: by.session,
        acr: by.acr,
        amr: [...by.amr],
        auth_time: Math.floor(Date.parse(by.provedAt) / 1000),
      }
      const server = 'key' in by && { client_id: by.key, key_generation: by.generation }
      const claims = {
        org_id: org,
        ...(email && { email: email.address, email_verified: email.verified }),
        roles: [...roles],
        permissions: [...permissions],
        ...(scope !== undefined && { scope }),
        memory_context: `${org}_context`,
        ...session,
        ...server,
      }
      return new SignJWT(claims)
        .setProtectedHeader({ alg, typ: TYPE, kid })
        .setSubject(user)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(at)
        .setExpirationTime(at + seconds)
        .setJti(randomUUID())
        .sign(key)
    },
    async verify(token) {
      const { payload } = await jwtVerify(
        token,
        async ({ kid, alg }) => {
          const found = kid === undefined ? undefined : await keys.find(kid)
          if (!found) throw new errors.JWKSNoMatchingKey()
          // A key is for one algorithm (RFC 8725, 3.1).
          if (alg !== found.alg) throw new errors.JOSEAlgNotAllowed('the key is for another algorithm')
          return found.key
        },
        {
          algorithms: ['RS256', 'EdDSA'],
          typ: TYPE,
          issuer,
          audience,
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          currentDate: new Date(now()),
          requiredClaims: ['exp', 'iat', 'jti', 'sub', 'org_id'],
        },
      )
      return { principal: ownPrincipal(payload), payload }
    },
    isOwn(token) {
      try {
        return decodeJwt(token).iss === issuer
      } catch {
        return false
      }
    },
  }
}

/** Scopes narrow, and grant nothing: what they left is in `permissions`. */
function ownPrincipal(payload: JWTPayload): Principal {
  const { scope, sid, acr, auth_time: provedAt, client_id: key, key_generation: generation } = own.parse(payload)
  const endsAt = (payload.exp! + CLOCK_TOLERANCE_SECONDS) * 1000
  const { scope: _, ...rest } = payload
  const principal = principalOf(rest, endsAt)
  const scoped = scope !== undefined && { scoped: permissionsOfScope(scope.split(' ')) }
  if (sid !== undefined) {
    const signIn = { session: sid, acr: acr ?? 'aal1', provedAt: (provedAt ?? 0) * 1000, scope }
    return Object.freeze({ ...principal, ...scoped, signIn })
  }
  if (key === undefined || generation === undefined) throw new errors.JWTInvalid('the token names no session')
  return Object.freeze({ ...principal, ...scoped, client: { key, generation } })
}
