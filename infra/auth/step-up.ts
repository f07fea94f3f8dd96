/** What needs a second factor that was shown just now (step-up authentication, RFC 9470). */
import type { Principal } from '../../domain/kernel/route.ts'
import { httpError } from '../http/errors.ts'

/** How long ago a second factor may have been shown. */
export const PROVED_SECONDS_MAX = 900

/** Permissions to give rights away, to let secrets or data out for good, and to move money for others. */
const SENSITIVE: ReadonlySet<string> = new Set([
  'identity.members.write',
  'identity.organization.write',
  'identity.roles.write',
  'identity.teams.write',
  'identity.keys.write',
  'audit.erasures.write',
  'audit.legal-holds.write',
  'audit.disclosures.write',
  'audit.exports.write',
  'wallet.transfers.approve',
])

/** Whether what a permission allows needs a second factor. */
export const isSensitive = (permission: string): boolean => SENSITIVE.has(permission)

/**
 * Throws `insufficient_user_authentication` where a person who has signed in here shows one factor alone, or showed two
 * too long ago. Tokens of other issuers are their issuer's to judge, and API keys have scopes instead.
 */
export function mustBeSure({ signIn }: Principal, permission: string): void {
  if (signIn && isSensitive(permission) && !isSure(signIn)) throw httpError('insufficient_user_authentication')
}

export const isSure = ({ acr, provedAt }: NonNullable<Principal['signIn']>): boolean =>
  acr === 'aal2' && Date.now() - provedAt <= PROVED_SECONDS_MAX * 1000
