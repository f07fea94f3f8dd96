import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import pg from 'pg'
import { Leases, leaseOwners } from '../../infra/leases.ts'
import { silentLog } from '../../infra/log.ts'
import { migrate } from '../../infra/migrate.ts'
import { patient } from '../support/pace.ts'
import { freshDatabase } from '../support/postgres.ts'

const TTL_MS = patient(600)

describe('leases of workers', () => {
  let url: string
  let admin: pg.Client
  const open: Leases[] = []

  before(async () => {
    url = await freshDatabase()
    await migrate({ url, set: 'read', log: silentLog })
    admin = await connect()
  })
  after(() => admin?.end())
  afterEach(async () => {
    for (const leases of open.splice(0)) await leases.close()
  })

  const connect = async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    return client
  }
  /** A worker that does one work, and what happened to it. */
  function worker(owner: string, through: (client: pg.Client) => pg.Client = client => client) {
    const said: string[] = []
    const run = async (signal: AbortSignal) => {
      said.push('begins')
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      said.push('ends')
    }
    const leases = new Leases({ connect: async () => through(await connect()), owner, log: silentLog, ttlMs: TTL_MS }, [
      { name: 'work', run },
    ])
    open.push(leases)
    return { leases, said }
  }
  const ownerOf = async () => (await leaseOwners(admin)).get('work')
  const until = async (condition: () => boolean | Promise<boolean>) => {
    for (const end = Date.now() + patient(10_000); !(await condition()); await sleep(10)) {
      if (Date.now() > end) throw new Error(`this does not come true: ${condition}`)
    }
  }

  it('give a work to one worker, and to another when that one ends', async () => {
    const first = worker('first')
    await until(() => first.said.length === 1)
    const second = worker('second')
    await sleep(TTL_MS)
    expect(await ownerOf()).to.equal('first')
    expect(second.said).to.deep.equal([])
    await first.leases.close()
    await until(() => second.said.length === 1)
    expect(first.said).to.deep.equal(['begins', 'ends'])
    expect(await ownerOf()).to.equal('second')
  })

  it('are one worker’s again when the session of their owner is gone', async () => {
    const workers = [worker('first'), worker('second')]
    const working = () => workers.filter(({ said }) => said.at(-1) === 'begins')
    await until(() => working().length === 1)
    const { rowCount } = await admin.query('select pg_terminate_backend(backend) from worker_leases')
    expect(rowCount).to.equal(1)
    await sleep(TTL_MS)
    await until(() => working().length === 1)
  })

  it('go to another worker when their owner is frozen, and end its work when it wakes up', async () => {
    let thaw = () => {}
    let frozen: Promise<void> | undefined
    const first = worker('first', client => {
      const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>
      const slow = async (...args: unknown[]) => {
        await frozen
        return query(...args)
      }
      client.query = slow as typeof client.query
      return client
    })
    await until(() => first.said.length === 1)
    frozen = new Promise(resolve => {
      thaw = resolve
    })
    const second = worker('second')
    await until(() => second.said.length === 1)
    expect(first.said, 'a frozen one knows of nothing').to.deep.equal(['begins'])
    frozen = undefined
    thaw()
    await until(() => first.said.length === 2)
    expect(await ownerOf()).to.equal('second')
  })
})
