/** Who sends a request, for counting alone: what they may do, the processes behind the gateway say. */
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import { API_KEY, apiKeyDigest } from '../../commands/identity/api-keys.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import type { Sender } from './limits.ts'

const KEYS_MAX = 10_000

export type Senders = (authorization: string | undefined, address: string) => Promise<Sender>

/** Finds the user of a token or the org of an API key; what proves nothing counts for its address. */
export function senders(authenticate: Authenticate, pool: Pick<Pool, 'query'>): Senders {
  const known = new LRUCache<string, string>({ max: KEYS_MAX })

  async function ofKey(secret: string, address: string): Promise<Sender> {
    const digest = apiKeyDigest(secret)
    const caller = digest.toString('base64url')
    const before = known.get(caller)
    if (before !== undefined) return { address, org: before, caller }
    const { rows } = await pool.query<{ org: string }>('select org from api_keys where digest = $1', [digest])
    const org = rows[0]?.org
    if (org === undefined) return { address }
    known.set(caller, org)
    return { address, org, caller }
  }

  return async (authorization, address) => {
    if (authorization === undefined) return { address }
    try {
      const secret = /^Bearer +(kogi_\S+) *$/i.exec(authorization)?.[1]
      if (secret !== undefined) return API_KEY.test(secret) ? await ofKey(secret, address) : { address }
      const { org, subject } = await authenticate(authorization)
      return { address, org, caller: apiKeyDigest(`${org}\0${subject}`).toString('base64url') }
    } catch {
      // The process behind answers what is wrong with it.
      return { address }
    }
  }
}
