/** Counts tries to sign in, for each account and address, whether there is such an account or not. */
import { hash } from 'node:crypto'
import { KogiError } from '../../domain/kernel/errors.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import type { Pool } from '../postgres.ts'

/** Who tries what: the name that is signed in with, and where from. */
export type Try = { readonly name: string; readonly address?: string | undefined }

export type Throttle = {
  /** Counts a try. Throws `too_many_requests` once there were too many that failed; it is counted all the same. */
  readonly count: (tried: Try) => Promise<void>
  /** Takes a try back that did not fail. */
  readonly forgive: (tried: Try) => Promise<void>
}

/** `most`: failed tries for one account from one address, in a quarter of an hour. */
export function throttle(pool: Pool, most: number): Throttle {
  const limits = [
    { of: ({ name, address = '' }: Try) => ['account and address', name, address], most, seconds: 900 },
    { of: ({ name }: Try) => ['account', name], most: most * 10, seconds: 3_600 },
    { of: ({ address = '' }: Try) => ['address', address], most: most * 20, seconds: 900 },
  ]
  const keysOf = (tried: Try) =>
    limits
      .map(({ of, ...limit }) => ({ ...limit, digest: hash('sha256', canonicalJson(of(tried)), 'buffer') }))
      // In one order, so that no two statements wait for each other.
      .sort((a, b) => Buffer.compare(a.digest, b.digest))
  return {
    async count(tried) {
      const keys = keysOf(tried)
      const text = `insert into sign_in_failures as f (digest, count, ends_at)
        select digest, 1, now() + make_interval(secs => seconds)
          from unnest($1::bytea[], $2::int[]) with ordinality g(digest, seconds, n) order by n
        on conflict (digest) do update set
          count = case when f.ends_at < now() then 1 else f.count + 1 end,
          ends_at = case when f.ends_at < now() then excluded.ends_at else f.ends_at end
        returning digest, count, extract(epoch from ends_at - now())::float8 as wait`
      type Counted = { readonly digest: Buffer; readonly count: number; readonly wait: number }
      const values = [keys.map(({ digest }) => digest), keys.map(({ seconds }) => seconds)]
      const { rows } = await pool.query<Counted>(text, values)
      const over = rows.filter(({ digest, count }) => keys.some(key => key.digest.equals(digest) && count > key.most))
      if (over.length > 0) throw new TooMany(Math.max(1, Math.ceil(Math.max(...over.map(({ wait }) => wait)))))
    },
    async forgive(tried) {
      const keys = keysOf(tried)
      await pool.query(
        `update sign_in_failures f set count = greatest(0, count - 1)
         from (select digest from sign_in_failures where digest = any($1::bytea[]) order by digest for update) g
         where f.digest = g.digest`,
        [keys.map(({ digest }) => digest)],
      )
      await pool.query(`delete from sign_in_failures where ends_at < now() - interval '1 hour'`)
    },
  }
}

/** Says how long to wait, in the `Retry-After` header as well. */
class TooMany extends KogiError {
  readonly retryAfterSeconds: number

  constructor(seconds: number) {
    super('too_many_requests', `Too many tries: wait for ${seconds} seconds.`)
    this.retryAfterSeconds = seconds
  }
}
