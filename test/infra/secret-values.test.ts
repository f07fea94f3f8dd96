import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { silentLog } from '../../infra/log.ts'
import { localKey } from '../../infra/master-key.ts'
import { masterKeys } from '../../infra/master-keys.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { secretValues } from '../../infra/secrets/values.ts'
import { freshDatabase } from '../support/postgres.ts'
import { keyTables } from '../support/templates.ts'

describe('values of secrets', () => {
  let pool: Pool
  before(async () => {
    pool = createPool({ url: await freshDatabase(keyTables), name: 'keys', log: silentLog, max: 2 })
  })
  after(() => pool?.end())

  it('do not come back by what is late, and stay where another request has stored the same', async () => {
    const values = secretValues(pool, masterKeys([localKey(Buffer.alloc(32, 1))]))
    const place = { org: 'acme', secret: 'production.KEY', value: randomUUID() }
    const count = async () => (await pool.query('select 1 from secret_values')).rowCount
    const late = await values.store(place, 'a canary')
    await values.destroy({ org: 'acme', secret: 'production.KEY' })
    await late.settle()
    expect(await count()).to.equal(0)
    const [one, other] = [await values.store(place, 'a canary'), await values.store(place, 'a canary')]
    await other.withdraw()
    await one.settle()
    expect(await values.open(place)).to.equal('a canary')
    await values.destroy(place)
    await (await values.store(place, 'a canary')).withdraw()
    expect(await count()).to.equal(0)
  })
})
