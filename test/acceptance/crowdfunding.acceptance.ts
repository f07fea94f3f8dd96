import { expect } from 'chai'
import { type Client, inLanes } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, commandsOf, visible, whileKilling } from './checks.ts'
import { checksum, csv, dataSet } from './data-sets.ts'

/** The first so many campaigns, or all of them, whose results the data set knows. */
const COUNT = process.env.KOGI_LONG ? Number.POSITIVE_INFINITY : 200
const isWhole = COUNT === Number.POSITIVE_INFINITY
const LANES = 32
const BACKERS = 20
/** Time in which everything is opened and contributed, before all deadlines. */
const UNTIL_DEADLINE_MS = isWhole ? 180_000 : 30_000

type Row = {
  readonly id: string
  readonly goal: bigint
  readonly cents: bigint
  readonly state: string
  readonly backers: number
}

describe('crowdfunding: campaigns that reach their goal, or do not', function () {
  const set = dataSet(this, 'crowdfunding', 'campaigns.csv')
  const rows = set.oracle ? csv(set.text('campaigns.csv')).slice(0, COUNT).map(asRow) : []
  const pledged = rows.reduce((sum, { cents }) => sum + cents, 0n)
  let system: System
  let client: Client
  let ended: ReadonlyMap<string, Record<string, string>>

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('books')
    const send = commandsOf(client)
    const post = async (path: string, key: string, body: object) => {
      const answer = await send('POST', `/api/v1/kwlt${path}`, key, body)
      expect([200, 201], JSON.stringify(answer.body)).to.include(answer.status)
    }
    for (const id of ['raised', ...Array.from({ length: BACKERS }, (_, n) => `backers-${n}`)]) {
      await post('/wallets', `w ${id}`, { id, kind: 'business' })
      await post(`/wallets/${id}/accounts`, `a ${id}`, { account: 'main', currency: 'USD', overdraft: 'refused' })
    }
    for (let n = 0; n < BACKERS; n++) {
      const amount = String(rows.filter((_, at) => at % BACKERS === n).reduce((sum, { cents }) => sum + cents, 0n))
      if (amount !== '0') {
        await post(`/wallets/backers-${n}/credits`, `c ${n}`, { account: 'main', currency: 'USD', amount })
      }
    }
    const deadline = new Date(Date.now() + UNTIL_DEADLINE_MS).toISOString()
    const terms = { wallet: 'raised', account: 'main', currency: 'USD', purpose: 'fundraising', deadline }
    await inLanes(rows.entries(), LANES, async ([n, { id, goal, cents }]) => {
      const settlement = 'all_or_nothing'
      await post('/campaigns', `o ${id}`, { ...terms, id, title: `Campaign ${id}`, goal: String(goal), settlement })
      if (cents === 0n) return
      const from = { from: `backers-${n % BACKERS}`, from_account: 'main', amount: String(cents) }
      await post(`/campaigns/${id}/contributions`, `p ${id}`, from)
    })
    expect(Date.now(), 'all is contributed before the deadline').to.be.below(Date.parse(deadline))
    await whileKilling(system, { child: 'worker', times: isWhole ? 10 : 3, everyMs: 4_000 }, untilSettled())
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  async function untilSettled(): Promise<void> {
    for (;;) {
      const all = await allRows(client, '/api/v1/kwlt/campaigns')
      if (all.length === rows.length && all.every(({ settled_at }) => settled_at !== undefined)) {
        ended = new Map(all.map(row => [row.id!, row]))
        return
      }
      await new Promise(resolve => setTimeout(resolve, 1_000))
    }
  }
  const outcomes = (status: string) => rows.filter(({ id }) => ended.get(id)!.status === status)

  it('ends each as the rule says, compared in one currency', () => {
    for (const { id, goal, cents } of rows) {
      expect(ended.get(id)!.status, id).to.equal(cents >= goal ? 'succeeded' : 'failed')
      expect(ended.get(id)!.raised, id).to.equal(String(cents))
    }
    if (!isWhole) return
    expect(rows).to.have.length(set.oracle.campaigns)
    expect(outcomes('succeeded')).to.have.length(set.oracle.pledged_at_least_goal)
    const [short, over] = [outcomes('failed'), outcomes('succeeded')]
    expect(short.filter(({ state }) => state === 'successful')).to.have.length(set.oracle.successful_below_goal)
    expect(over.filter(({ state }) => state !== 'successful')).to.have.length(
      set.oracle.not_successful_at_or_above_goal,
    )
  })

  it('has raised what the oracle says, to the cent', function () {
    if (!isWhole) this.skip() // The oracle knows the sums of all campaigns: KOGI_LONG=1 runs those.
    expect(Number(pledged)).to.equal(set.oracle.pledged_cents_half_up_sum)
    const lines = rows.map(({ id }) => `${id},${ended.get(id)!.raised}`)
    expect(checksum(lines)).to.equal(set.oracle.sha256_pledged_cents)
  })

  it('pays what was collected, returns the rest, and holds nothing', async () => {
    const collected = outcomes('succeeded').reduce((sum, { cents }) => sum + cents, 0n)
    const position = (await client.call('GET', '/api/v1/kwlt/campaigns?limit=1')).headers['kogi-position']
    await visible(client, BigInt(String(position)))
    const accounts = await allRows(client, '/api/v1/kwlt/accounts')
    const sum = (found: readonly Record<string, string>[]) =>
      found.reduce((all, { balance }) => all + BigInt(balance!), 0n)
    expect(sum(accounts.filter(({ wallet }) => wallet === 'raised'))).to.equal(collected)
    expect(sum(accounts)).to.equal(pledged)
    expect(accounts.filter(({ held }) => held !== '0')).to.deep.equal([])
    await checkRows(system)
  })
})

/** Dollars as cents, half up; goals are whole or have decimals too. */
function asRow({ id, goal, usd_pledged, state, backers }: Record<string, string>): Row {
  return { id: id!, goal: centsOf(goal!), cents: centsOf(usd_pledged!), state: state!, backers: Number(backers) }
}

function centsOf(text: string): bigint {
  const [whole = '0', decimals = ''] = text.split('.')
  const [cents, rest] = [decimals.slice(0, 2).padEnd(2, '0'), decimals.slice(2, 3)]
  return BigInt(whole) * 100n + BigInt(cents) + (rest >= '5' ? 1n : 0n)
}
