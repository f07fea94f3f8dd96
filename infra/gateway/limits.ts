/** How many requests callers, organizations, addresses and paths may send, counted here or in PostgreSQL. */
import type pg from 'pg'
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import type { RateRule } from './settings.ts'

/** Who sends a request: the org and the caller are there where what proves them counts. */
export type Sender = { readonly address: string; readonly org?: string; readonly caller?: string }

/** What one rule says of a request. */
type Counted = RateRule & { readonly name: string; readonly remaining: number; readonly resetS: number }

/** `refused`: seconds after which the request is worth another try. */
export type Verdict = { readonly headers: Readonly<Record<string, string>>; readonly refused?: number }

export type Limits = {
  /** Counts a request. `path` is below the base of the API; `quotas` are those of the org. */
  readonly take: (sender: Sender, path: string, quotas?: readonly RateRule[]) => Promise<Verdict>
}

type Limiter = Pick<RateLimiterMemory, 'consume'>

const RATES_TABLE = 'rate_limits'

/**
 * Counts by rules: in the memory of the process, or in a table of a database that several gateways share. While that
 * database is away, each counts by itself.
 */
export function rateLimits(rules: readonly RateRule[], pool?: pg.Pool): Limits {
  const limiters = new Map<string, Limiter>()
  const limiterOf = ({ of, limit, seconds }: RateRule): Limiter => {
    const name = `${of}=${limit}/${seconds}`
    const known = limiters.get(name)
    if (known) return known
    const options = { points: limit, duration: seconds, keyPrefix: `${of}/${seconds}` }
    const local = new RateLimiterMemory(options)
    const made = pool ? new RateLimiterPostgres({ ...options, ...shared(pool), insuranceLimiter: local }) : local
    limiters.set(name, made)
    return made
  }
  return {
    async take(sender, path, quotas = []) {
      const asked = [...rules, ...quotas].flatMap(rule => {
        const key = keyOf(rule, sender, path)
        return key === undefined ? [] : [{ rule, key }]
      })
      const counted = await Promise.all(asked.map(({ rule, key }) => count(limiterOf(rule), rule, key)))
      return verdictOf(counted)
    },
  }
}

const shared = (storeClient: pg.Pool) => ({
  storeClient,
  tableName: RATES_TABLE,
  // It is made before the first request: `makeRates`.
  tableCreated: true,
  clearExpiredByTimeout: true,
})

/** Makes the table in which gateways count together. */
export async function makeRates(pool: Pick<pg.Pool, 'query'>): Promise<void> {
  await pool.query(
    `create table if not exists ${RATES_TABLE}
      (key varchar(255) primary key, points integer not null default 0, expire bigint)`,
  )
}

/** Under what a rule counts a request, `undefined` where it does not. */
function keyOf({ of }: RateRule, { address, org, caller }: Sender, path: string): string | undefined {
  if (of === 'address') return caller === undefined ? address : undefined
  if (of === 'caller') return caller
  if (of === 'org' || !of.startsWith('/')) return org
  return path === of || path.startsWith(`${of}/`) || path.startsWith(`${of}?`) ? (org ?? address) : undefined
}

async function count(limiter: Limiter, rule: RateRule, key: string): Promise<Counted> {
  const name = rule.of.replace(/^\//, '').replaceAll('/', '-')
  try {
    const { remainingPoints, msBeforeNext } = await limiter.consume(key)
    return { ...rule, name, remaining: remainingPoints, resetS: Math.ceil(msBeforeNext / 1_000) }
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused
    return { ...rule, name, remaining: -1, resetS: Math.max(1, Math.ceil(refused.msBeforeNext / 1_000)) }
  }
}

/** The answer's headers, as draft-ietf-httpapi-ratelimit-headers has them: each rule with its name. */
function verdictOf(counted: readonly Counted[]): Verdict {
  if (counted.length === 0) return { headers: {} }
  const headers = {
    'RateLimit-Policy': counted.map(({ name, limit, seconds }) => `"${name}";q=${limit};w=${seconds}`).join(', '),
    RateLimit: counted
      .map(({ name, remaining, resetS }) => `"${name}";r=${Math.max(0, remaining)};t=${resetS}`)
      .join(', '),
  }
  const over = counted.filter(({ remaining }) => remaining < 0)
  if (over.length === 0) return { headers }
  return { headers, refused: Math.max(...over.map(({ resetS }) => resetS)) }
}
