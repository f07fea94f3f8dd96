/** What clients choose must not slow the tables of all: an insert costs the same however often a value was there. */
import { expect } from 'chai'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { freshPool } from './support.ts'

const ROWS = 30_000
const MORE = 100

describe('projections: inserts into the audit log', function inserts() {
  this.timeout(60_000)

  it('look at a few pages each, though all rows have one correlation id', async () => {
    const pool = await freshPool()
    const insert = (from: number, count: number, explain = '') =>
      pool.query(
        `${explain} insert into ${tableOf(auditLog)} (org, position, event_id, stream, revision, category, id, type,
           actor, roles, command_id, correlation_id, causation_id, at, data)
         select 'acme', n, gen_random_uuid(), 's', 0, 'c', 'i', 't', 'a', '[]', gen_random_uuid(), 'always the same',
           'x', '2026-01-01T00:00:00.000Z', '{}' from generate_series(${from}, ${from + count - 1}) n`,
      )
    await insert(1, ROWS)
    const { rows } = await insert(ROWS + 1, MORE, 'explain (analyze, buffers, format json)')
    const { Plan: plan } = rows[0]['QUERY PLAN'][0]
    expect((plan['Shared Hit Blocks'] + plan['Shared Read Blocks']) / MORE).to.be.within(1, 30)
  })
})
