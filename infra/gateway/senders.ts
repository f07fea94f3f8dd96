/** Who sends a request, for counting alone: what they may do, the processes behind the gateway say. */
import { apiKeyDigest } from '../../commands/identity/api-keys.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import type { Sender } from './limits.ts'

const KEY = /^Bearer +(kogi_\S+) *$/i

export type Senders = (authorization: string | undefined, address: string) => Promise<Sender>

/**
 * Finds the user of a token, or the API key, by the check that the processes behind have. What does not count, such as
 * a key that was revoked or a session that is over, uses up nothing of an org: it counts for its address.
 */
export function senders(authenticate: Authenticate): Senders {
  return async (authorization, address) => {
    if (authorization === undefined) return { address }
    try {
      const { org, subject } = await authenticate(authorization)
      const who = KEY.exec(authorization)?.[1] ?? `${org}\0${subject}`
      return { address, org, caller: apiKeyDigest(who).toString('base64url') }
    } catch {
      // The process behind answers what is wrong with it.
      return { address }
    }
  }
}
