/** Limits that several gateways count together. */
import { expect } from 'chai'
import pg from 'pg'
import { makeRates, rateLimits } from '../../infra/gateway/limits.ts'
import { freshDatabase } from '../support/postgres.ts'

describe('rate limits in PostgreSQL', () => {
  it('let exactly 100 of 300 requests at once through, counted by three gateways', async () => {
    const url = await freshDatabase()
    const pools = [1, 2, 3].map(() => new pg.Pool({ connectionString: url, max: 4 }))
    try {
      await makeRates(pools[0]!)
      const all = pools.map(pool => rateLimits([{ of: 'org', limit: 100, seconds: 600 }], pool))
      const sender = { address: '::1', org: 'acme', caller: 'mira' }
      const verdicts = await Promise.all(Array.from({ length: 300 }, (_, n) => all[n % 3]!.take(sender, '/x')))
      const refused = verdicts.flatMap(({ refused }) => refused ?? [])
      expect([verdicts.length - refused.length, refused.length]).to.deep.equal([100, 200])
      for (const seconds of refused) expect(seconds).to.be.within(500, 600)
    } finally {
      for (const pool of pools) await pool.end()
    }
  })
})
