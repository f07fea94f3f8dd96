import { expect } from 'chai'
import { balances } from '../../projections/wallet/balances.ts'
import { type Client, untilAnswered } from '../support/client.ts'
import { pace } from '../support/pace.ts'
import { rebuildUnderLoad } from '../support/rebuild-under-load.ts'
import { type System, startSystem } from '../support/system.ts'

describe('kogi dev', function () {
  this.timeout(120_000)
  let system: System
  let client: Client

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('family')
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  const add = (id: string) =>
    client.call('POST', '/api/v1/kbfc/items', { body: { id, name: id }, headers: { 'Idempotency-Key': id } })
  const list = (position: string) =>
    client.call('GET', '/api/v1/kbfc/items?wait=1000', { headers: { 'Kogi-Min-Position': position } })

  it('rebuilds a projection under load: no failed read, no differing row, no repeated effect', () =>
    rebuildUnderLoad(system, {
      seconds: 1,
      warmUpSeconds: 0,
      orgs: 3,
      commands: 40 / pace(),
      reads: 20 / pace(),
      lookedAt: 3,
      rebuilt: [balances],
    }))

  it('searches, as it runs', async () => {
    const { headers } = await client.call('POST', '/api/v1/kbfc/items', { body: { id: 'oven', name: 'Oven' } })
    const path = `/api/v1/kbfc/catalog?q=oven&at_least=${headers['kogi-position']}&wait=20000`
    const { status, body } = await client.call('GET', path)
    expect([status, body.data?.total], JSON.stringify(body)).to.deep.equal([200, 1])
  })

  // The word of PostgreSQL in its command line is the option for its data folder.
  const words = { store: 'store', projector: 'projector', worker: 'worker', PostgreSQL: '-D' }
  for (const [name, argument] of Object.entries(words)) {
    it(`starts the ${name} again when it dies, and loses nothing`, async () => {
      const pids = await system.childrenNamed(argument)
      expect(pids).to.not.be.empty
      for (const pid of pids) process.kill(pid, 'SIGKILL')
      const { headers } = await untilAnswered(201, () => add(`after-${name}`))
      const { body } = await untilAnswered(200, () => list(String(headers['kogi-position'])))
      expect(body.data.map(({ id }: { id: string }) => id)).to.include(`after-${name}`)
    })
  }

  it('is refused on a folder that is in use', async () => {
    const error = await system.kogi('dev', '--port', '0').catch(failure => failure as { code: number; stderr: string })
    expect(error as object).to.deep.include({ code: 1 })
    expect((error as { stderr: string }).stderr).to.match(/^kogi: Process \d+ runs on /)
  })

  it('has rows that equal the log after all of that', async () => {
    expect(JSON.parse(await system.kogi('check', '--json'))).to.include({ equal: true })
  })
})
