import { expect } from 'chai'
import { projections } from '../../infra/catalogue.ts'
import type { Pool } from '../../infra/postgres.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { ensureTables } from '../../projections/runner/build.ts'
import { keepMoments } from '../../read-api/moments.ts'
import { randomOf } from '../projections/history.ts'
import { freshPool } from '../projections/support.ts'

const time = (at: number) => new Date(1_700_000_000_000 + at).toISOString()

describe('read API: where times lie in the log', () => {
  let pool: Pool
  let queries = 0
  before(async () => {
    pool = await freshPool()
    await ensureTables(pool, projections)
  })
  const counted = {
    query: (config: never) => {
      queries += 1
      return pool.query(config)
    },
  } as never
  const insert = (org: string, from: number, times: readonly number[]) =>
    pool.query(
      `insert into ${tableOf(auditLog)} (org, position, event_id, stream, revision, category, id, type, actor, roles,
         command_id, correlation_id, causation_id, at, data)
       select $1, p, gen_random_uuid(), 's', 0, 'c', 'i', 't', 'a', '[]', gen_random_uuid(), 'x', 'x', at, '{}'
       from unnest($2::bigint[], $3::text[]) e(p, at)`,
      [org, times.map((_, n) => from + n), times.map(time)],
    )

  it('never says too much, and little too little, while the log grows and clocks disagree', async () => {
    const random = randomOf(5)
    const moments = keepMoments(counted, { step: 4, walk: 10 })
    const times: number[] = []
    for (let round = 0; round < 8; round += 1) {
      const more = Array.from({ length: 37 }, (_, n) => (times.length + n) * 10 + random(60))
      await insert('acme', times.length, more)
      times.push(...more)
      for (let n = 0; n < 12; n += 1) {
        const at = random(times.length * 10 + 100)
        const found = Number(await moments.before('acme', time(at)))
        const later = times.findIndex(each => each > at)
        const first = later === -1 ? times.length : later
        expect(found, `at ${at}`).to.be.below(Math.max(first, 1))
        expect(first - found, `at ${at}`).to.be.at.most(5)
      }
    }
    expect(await moments.before('nobody', time(0))).to.equal(0n)
  })

  it('walks once for all that ask at the same time, and later only what is new', async () => {
    const moments = keepMoments(counted, { step: 10, walk: 100 })
    await insert(
      'busy',
      1,
      Array.from({ length: 1_000 }, (_, n) => n),
    )
    queries = 0
    const found = await Promise.all(Array.from({ length: 50 }, () => moments.before('busy', time(2_000))))
    expect(new Set(found)).to.deep.equal(new Set([1_000n]))
    // the walk in ten steps, its end, and of each of the others a look behind the last mark
    expect(queries).to.be.below(70)
    queries = 0
    await moments.before('busy', time(500))
    expect(queries).to.equal(0)
  })
})
