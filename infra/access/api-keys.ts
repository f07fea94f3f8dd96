/** Callers by API keys: the database of the keys knows digests, the log says what a key allows and until when. */
import { LRUCache } from 'lru-cache'
import { API_KEY, apiKeyDigest, type StoredKey } from '../../commands/identity/api-keys.ts'
import type { Directory } from '../../domain/identity/access.ts'
import { keyCounts } from '../../domain/identity/keybook/keybook.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import type { Principal } from '../../domain/kernel/route.ts'
import { bothCover } from '../../domain/record/grants.ts'
import { memberOf } from '../../domain/record/keyed.ts'
import { isPerson } from '../../domain/record/subject.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import { httpError } from '../http/errors.ts'
import type { Pool } from '../postgres.ts'
import type { Directories } from './directories.ts'

/** Keys whose digests are remembered: they never change. */
const KNOWN_MAX = 10_000
/** How exactly the last use of a key is noted. */
const USE_MS = 60_000

/** What a key that was used as the credentials of a client has made: the key and the generation that a token names. */
export type KeyUse = { readonly org: string; readonly key: string; readonly generation: number }

/** A key that has come, and what was made of it for as long as the directory is the same object. */
type Known = Omit<StoredKey, 'digest'> & {
  usedAt: number
  made?: { readonly directory: Directory; readonly principal: Principal; readonly until: number } | undefined
}

type Deps = {
  /** The database of the keys. */
  readonly pool: Pool
  readonly directories: Directories
  /** Finds the callers of everything that is no API key. */
  readonly next: Authenticate
  readonly onFault: (error: unknown) => void
}

/**
 * Makes the check of `Authorization: Bearer kogi_…`. A key acts as its owner, who must be an active member, narrowed to
 * its scopes (`effective`). Throws `invalid_token`.
 */
export function apiKeyCallers(deps: Deps): Authenticate & { readonly use: (secret: string) => Promise<KeyUse> } {
  const { pool, directories, next, onFault } = deps
  const known = new LRUCache<string, Known>({ maxSize: KNOWN_MAX, sizeCalculation: () => 1 })

  async function find(secret: string): Promise<Known> {
    const digest = apiKeyDigest(secret)
    const text = 'select org, key, generation from api_keys where digest = $1'
    const { rows } = await pool.query<Omit<StoredKey, 'digest'>>(text, [digest])
    const [row] = rows
    if (!row) throw invalid()
    const found: Known = { ...row, usedAt: Number.NEGATIVE_INFINITY }
    known.set(digest.toString('base64'), found)
    return found
  }

  /** Answers from what is known by now. */
  function stillCounts(it: Known): boolean {
    const directory = directories.known(it.org)
    return directory === undefined || countsIn(directory, it, Date.now()) !== undefined
  }

  function bearer(it: Known, directory: Directory): Principal {
    const now = Date.now()
    if (it.made?.directory !== directory || it.made.until <= now) {
      const counts = countsIn(directory, it, now)
      if (!counts) throw invalid()
      const { key } = counts
      const until = counts.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(counts.until)
      const ends = counts.until !== undefined && { endsAt: until }
      const who = { subject: key.owner, org: it.org, roles: [], permissions: [], scoped: key.scopes }
      it.made = { directory, until, principal: Object.freeze({ ...who, ...ends, stands: () => stillCounts(it) }) }
    }
    if (now - it.usedAt >= USE_MS) {
      it.usedAt = now
      noteUse(pool, it).catch(onFault)
    }
    return it.made.principal
  }

  const caller = (it: Known): Principal | Promise<Principal> => {
    const directory = directories.fresh(it.org)
    return directory ? bearer(it, directory) : directories.of(it.org).then(found => bearer(it, found))
  }

  const byToken = tokensByKeys(caller)
  const keyOf = (secret: string): Known | Promise<Known> => {
    if (!API_KEY.test(secret)) throw invalid()
    return known.get(apiKeyDigest(secret).toString('base64')) ?? find(secret)
  }
  const authenticate: Authenticate = authorization => {
    const secret = /^Bearer +(kogi_\S+) *$/i.exec(authorization ?? '')?.[1]
    if (secret === undefined) {
      const principal = next(authorization)
      return principal instanceof Promise ? principal.then(byToken) : byToken(principal)
    }
    const it = keyOf(secret)
    return it instanceof Promise ? it.then(caller) : caller(it)
  }
  return Object.assign(authenticate, {
    async use(secret: string) {
      const it = await keyOf(secret)
      await caller(it)
      return { org: it.org, key: it.key, generation: it.generation }
    },
  })
}

/** The key of a secret with its end, where the generation counts. */
const countsIn = ({ keybook }: Directory, { key: id, generation }: Known, now: number) => {
  const key = memberOf(keybook.keys, id)
  const counts = key && keyCounts(key, generation, new Date(now).toISOString())
  return counts && isPerson(key.owner) ? { key, ...counts } : undefined
}

const noteUse = (pool: Pool, { org, key, generation }: Known) =>
  pool.query('update api_keys set used_at = now() where (org, key, generation) = ($1, $2, $3)', [org, key, generation])

/** Makes callers of tokens that were got with a key: the key and the scope of the token both narrow them. */
function tokensByKeys(caller: (it: Known) => Principal | Promise<Principal>) {
  const made = new WeakMap<Principal, { readonly by: Principal; readonly principal: Principal }>()
  const used = new LRUCache<string, Known>({ maxSize: KNOWN_MAX, sizeCalculation: () => 1 })

  function narrowed(token: Principal, by: Principal): Principal {
    const known = made.get(token)
    if (known?.by === by) return known.principal
    const scoped = token.scoped ? bothCover(by.scoped!, token.scoped) : by.scoped!
    const endsAt = Math.min(by.endsAt ?? Number.POSITIVE_INFINITY, token.endsAt!)
    const principal = Object.freeze({ ...by, scoped, endsAt })
    made.set(token, { by, principal })
    return principal
  }
  return (token: Principal): Principal | Promise<Principal> => {
    if (!token.client) return token
    const { key, generation } = token.client
    const name = canonicalJson([token.org, key, generation])
    const it = used.get(name) ?? { org: token.org, key, generation, usedAt: Number.NEGATIVE_INFINITY }
    used.set(name, it)
    const by = caller(it)
    return by instanceof Promise ? by.then(found => narrowed(token, found)) : narrowed(token, by)
  }
}

/** Stores digests. */
export const storedKeys =
  (pool: Pool) =>
  async ({ digest, org, key, generation }: StoredKey): Promise<boolean> => {
    const { rowCount } = await pool.query(
      'insert into api_keys (digest, org, key, generation) values ($1, $2, $3, $4) on conflict do nothing',
      [digest, org, key, generation],
    )
    return rowCount === 1
  }

const invalid = () =>
  httpError('invalid_token', [{ field: 'Authorization', message: 'no such API key, or one that is over' }])
