import { expect } from 'chai'
import { startApp } from '../support/app.ts'
import { type Answer, type Client, inLanes } from '../support/client.ts'
import { startSystem } from '../support/system.ts'

const LONG = process.env.KOGI_LONG === '1'
const WRITES = LONG ? 10_000 : 200
/** Clients that write and read at once: enough to race, few enough for the projection to keep up. */
const LANES = 4
/** What waiting for a token may add at the 99th percentile; on a busy machine, twice a plain read. */
const WAIT_MS_MAX = 20
const WAIT_RATIO_MAX = 2
const p = (share: number, times: number[]) => times.sort((a, b) => a - b)[Math.floor(times.length * share)]!

describe('a read with the token of a write', function tokens() {
  this.timeout(LONG ? 1_200_000 : 60_000)
  let system: { readonly clientOf: (org: string) => Promise<Client>; readonly close: () => Promise<void> }
  let client: Client

  before(async () => {
    if (LONG) {
      const { clientOf, stop } = await startSystem()
      system = { clientOf, close: stop }
    } else system = await startApp()
    client = await system.clientOf('okonjo')
  })
  after(async () => {
    client?.close()
    await system?.close()
  })

  async function send(method: string, path: string, body: unknown): Promise<string> {
    const answer = await client.call(method, `/api/v1${path}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.be.below(300)
    return String(answer.headers['kogi-position'])
  }
  async function read(path: string, headers: Record<string, string>): Promise<Answer & { readonly ms: number }> {
    const start = performance.now()
    const answer = await client.call('GET', `/api/v1${path}`, { headers })
    expect(answer.status, `${path} ${JSON.stringify(answer.body)}`).to.equal(200)
    return { ...answer, ms: performance.now() - start }
  }

  type Lane = { readonly id: string; balance: number; n: number }
  type Visit = {
    readonly write: (lane: Lane) => Promise<string>
    readonly path: (lane: Lane, position: string) => string
    readonly sees: (lane: Lane, data: Answer['body']) => boolean
  }
  const credit = (lane: Lane) => {
    lane.balance += 1
    const body = { account: 'main', currency: 'EUR', amount: '1' }
    return send('POST', `/kwlt/wallets/${lane.id}/credits`, body)
  }
  const account = ({ id }: Lane) => `/kwlt/wallets/${id}/accounts/main/EUR`
  /** A write, the path of its read, and whether the answer shows the write. */
  const VISITS: readonly Visit[] = [
    {
      write: ({ id, n }) => send('PUT', `/kctr/tasks/${id}/status`, { status: `status ${n}` }),
      path: ({ id }) => `/kctr/tasks/${id}`,
      sees: ({ n }, data) => data.status === `status ${n}`,
    },
    { write: credit, path: account, sees: ({ balance }, data) => data.balance === String(balance) },
    {
      write: credit,
      path: (lane, position) => `${account(lane)}?as_of=${position}`,
      sees: ({ balance }, data) => data.balance === String(balance),
    },
    {
      write: ({ id, n }) => send('PATCH', `/kbfc/items/${id}`, { name: `item ${id} word${n}` }),
      path: ({ n }) => `/kse/memories/search?q=word${n}`,
      sees: ({ id, n }, data) => data[0]?.subject === id && data[0].title.endsWith(`word${n}`),
    },
  ]

  it(`is never stale, ${WRITES} times over, and waits little`, async () => {
    const lanes = Array.from({ length: LANES }, (_, at): Lane => ({ id: `lane-${at}`, balance: 0, n: at }))
    for (const { id } of lanes) {
      await send('POST', '/kctr/tasks', { id, name: 'Task', status: 'open' })
      await send('POST', '/kbfc/items', { id, name: 'Item' })
      await send('POST', '/kwlt/wallets', { id, kind: 'business' })
      await send('POST', `/kwlt/wallets/${id}/accounts`, { account: 'main', currency: 'EUR', overdraft: 'refused' })
    }
    const waits: number[] = []
    const plain: number[] = []
    let stale = 0
    await inLanes(lanes, LANES, async lane => {
      for (; lane.n < WRITES; lane.n += LANES) {
        const { write, path, sees } = VISITS[Math.floor(lane.n / LANES) % VISITS.length]!
        const position = await write(lane)
        const { body, ms } = await read(path(lane, position), { 'Kogi-Min-Position': position })
        if (!sees(lane, body.data)) stale += 1
        expect(BigInt(body.meta.position) >= BigInt(position), `${body.meta.position} after ${position}`).to.equal(true)
        const again = await read(path(lane, position), {})
        waits.push(Math.max(0, ms - again.ms))
        plain.push(again.ms)
      }
    })
    expect(stale).to.equal(0)
    if (!LONG) return
    const figures = [p(0.5, waits), p(0.99, waits), p(0.99, plain)].map(ms => ms.toFixed(1))
    console.log(
      `      ${WRITES} reads with a token: wait p50 ${figures[0]}, p99 ${figures[1]}; plain p99 ${figures[2]} ms`,
    )
    expect(p(0.99, waits)).to.be.below(Math.max(WAIT_MS_MAX, WAIT_RATIO_MAX * p(0.99, plain)))
  })
})
