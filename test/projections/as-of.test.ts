import { expect } from 'chai'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { projections } from '../../infra/catalogue.ts'
import type { Pool } from '../../infra/postgres.ts'
import { fold, sortedRows } from '../../projections/fold.ts'
import { hasHistory, NoHistoryError, positionAt, rowAsOf, rowsAsOf } from '../../projections/history.ts'
import { memories } from '../../projections/memory/memories.ts'
import type { Key } from '../../projections/projection.ts'
import { randomHistory, randomOf } from './history.ts'
import { decoded, freshPool, MemoryLog, reached, startRunner } from './support.ts'

describe('projections: as of a position', () => {
  const events = randomHistory({ seed: 61, count: 250 })
  let pool: Pool
  before(async () => {
    pool = await freshPool()
    const runner = startRunner(pool, new MemoryLog(events))
    await reached(pool, events.at(-1)!.position)
    await runner.close()
  })

  it('gives the rows that the fold of the log up to there gives', async () => {
    const random = randomOf(62)
    for (let n = 0; n < 12; n += 1) {
      const { position } = events[random(events.length)]!
      const folded = await fold(projections, decoded(events.filter(event => event.position <= position)))
      for (const projection of projections.filter(hasHistory)) {
        const expected = sortedRows(folded, projection).filter(({ org }) => org === 'org-1')
        const found = await rowsAsOf(pool, projection, 'org-1', position)
        expect(found.map(canonicalJson), projection.name).to.deep.equal(expected.map(canonicalJson))
        const [row] = expected
        if (row) {
          const one = await rowAsOf(pool, projection, row as Key, position)
          expect(canonicalJson(one)).to.equal(canonicalJson(row))
        }
      }
    }
  })

  it('says so where no history is kept', async () => {
    const refused = await rowsAsOf(pool, memories, 'org-1', 1n).catch(error => error)
    expect(refused).to.be.instanceOf(NoHistoryError)
  })

  it('takes a timestamp for the last position before which nothing is later', async () => {
    const own = events.filter(({ metadata }) => metadata.org === 'org-1')
    const { position, metadata } = own[20]!
    expect(await positionAt(pool, 'org-1', metadata.at)).to.equal(position)
    expect(await positionAt(pool, 'org-1', '2000-01-01T00:00:00.000Z')).to.equal(0n)
    expect(await positionAt(pool, 'org-1', '2100-01-01T00:00:00.000Z')).to.equal(own.at(-1)!.position)
  })
})
