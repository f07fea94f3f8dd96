import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'chai'
import { eventLog } from '../../infra/event-store/reader.ts'
import { type Client, inLanes } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, commandsOf, visible, whileKilling } from './checks.ts'
import { checksum, csv, dataSet } from './data-sets.ts'

/** The first so many transfers, or all of them, whose results the data set knows. */
const COUNT = process.env.KOGI_LONG ? Number.POSITIVE_INFINITY : 1_000
const LANES = 32
const AT_ONCE = 64
const ACCOUNT = { account: 'main', currency: 'ETH' }
const PLACES = 18
/** The wallet that is short of one wei in the second run: the busiest of those that need an opening balance. */
const SHORT = 1n

type Transfer = { readonly hash: string; readonly from: string; readonly to: string; readonly amount: bigint }
type Balances = Map<string, bigint>

describe('eth_transfers: ten thousand transfers between wallets', function () {
  const set = dataSet(this, 'eth_transfers', 'transfers.csv')
  const transfers = set.oracle ? csv(set.text('transfers.csv')).slice(0, COUNT).map(asTransfer) : []
  const isWhole = COUNT === Number.POSITIVE_INFINITY
  const openings = leastOpenings(transfers)
  const poorer = withOneShort(transfers, openings)
  let system: System
  let ended: Awaited<ReturnType<typeof followEnds>>
  const clients: Client[] = []
  const runs: Record<'exact' | 'short', Run> = {} as never

  before(async () => {
    system = await startSystem()
    ended = await followEnds(system)
    const clientOf = async (org: string) => {
      const client = await system.clientOf(org)
      clients.push(client)
      return client
    }
    const both = Promise.all([
      run({ client: await clientOf('exact'), org: 'exact', transfers, openings, ended }),
      run({ client: await clientOf('short'), org: 'short', transfers, openings: poorer, ended }),
    ])
    await whileKilling(system, { child: 'worker', times: isWhole ? 20 : 5, everyMs: 6_000 }, both)
    const [exact, short] = await both
    Object.assign(runs, { exact, short })
  })
  after(async () => {
    for (const client of clients) client.close()
    await ended?.close()
    await system?.stop()
  })

  it('needs the opening balances of the oracle', function () {
    if (!isWhole) this.skip() // The oracle knows them for all transfers: KOGI_LONG=1 runs those.
    const needed = [...openings.values()].filter(amount => amount > 0n)
    expect(needed).to.have.length(set.oracle.wallets_needing_opening)
    expect(String(needed.reduce((sum, amount) => sum + amount, 0n))).to.equal(set.oracle.total_min_opening_wei)
  })

  it('refuses none of them, and ends with the balances of the oracle', () => {
    expect(runs.exact.refused).to.deep.equal([])
    expect(runs.exact.completed).to.equal(transfers.length)
    expect(checksum(linesOf(runs.exact.balances))).to.equal(checksum(linesOf(simulate(transfers, openings).balances)))
    if (!isWhole) return
    expect(transfers).to.have.length(set.oracle.rows)
    expect(checksum(linesOf(runs.exact.balances))).to.equal(set.oracle.sha256_final_with_min_opening)
    const net = [...runs.exact.balances].map(([wallet, balance]) => [wallet, balance - (openings.get(wallet) ?? 0n)])
    expect(checksum(linesOf(new Map(net as [string, bigint][])))).to.equal(set.oracle.sha256_net_flows)
  })

  it('refuses those that one wei less leaves without, and no other, and loses no money', () => {
    const { balances, refused } = simulate(transfers, poorer)
    expect(refused).to.not.be.empty
    expect(runs.short.refused.toSorted()).to.deep.equal(refused.toSorted())
    expect(checksum(linesOf(runs.short.balances))).to.equal(checksum(linesOf(balances)))
    const sum = (amounts: Iterable<bigint>) => [...amounts].reduce((total, amount) => total + amount, 0n)
    expect(sum(runs.short.balances.values())).to.equal(sum(poorer.values()))
  })

  it('leaves nothing waiting, and nothing held', async () => {
    const { processes } = JSON.parse(await system.kogi('processes', '--json'))
    expect(processes.flatMap(({ left }: { left: unknown[] }) => left)).to.deep.equal([])
    for (const client of clients) {
      const held = (await allRows(client, '/api/v1/kwlt/accounts')).filter(account => account.held !== '0')
      expect(held).to.deep.equal([])
    }
  })

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})

function asTransfer(row: Record<string, string>): Transfer {
  return { hash: row.hash!, from: row.from!, to: row.to!, amount: BigInt(row.value_wei!) }
}

const linesOf = (amounts: Balances) => [...amounts].map(([wallet, amount]) => `${wallet},${amount}`)

/** What every wallet must have so that all transfers, one after another, are covered, those to itself included. */
function leastOpenings(transfers: readonly Transfer[]): Balances {
  const [balances, least]: [Balances, Balances] = [new Map(), new Map()]
  const add = (wallet: string, amount: bigint) => {
    const balance = (balances.get(wallet) ?? 0n) + amount
    balances.set(wallet, balance)
    const before = least.get(wallet) ?? 0n
    least.set(wallet, -balance > before ? -balance : before)
  }
  for (const { from, to, amount } of transfers) {
    add(from, -amount)
    add(to, amount)
  }
  return least
}

/** The same, but for the wallet that sends most often, which has one wei less. */
function withOneShort(transfers: readonly Transfer[], openings: Balances): Balances {
  const sent = new Map<string, number>()
  for (const { from } of transfers) if (openings.get(from)! > 0n) sent.set(from, (sent.get(from) ?? 0) + 1)
  const [short] = [...sent].sort(([, a], [, b]) => b - a)[0] ?? []
  return new Map([...openings].map(([wallet, amount]) => [wallet, wallet === short ? amount - SHORT : amount]))
}

/** The naive oracle: one transfer after another, refused where the source has less. */
function simulate(transfers: readonly Transfer[], openings: Balances) {
  const balances: Balances = new Map(openings)
  const refused: string[] = []
  for (const { hash, from, to, amount } of transfers) {
    if (from === to || amount === 0n) continue
    if (balances.get(from)! < amount) {
      refused.push(hash)
      continue
    }
    balances.set(from, balances.get(from)! - amount)
    balances.set(to, balances.get(to)! + amount)
  }
  return { balances, refused }
}

type Ends = Awaited<ReturnType<typeof followEnds>>

/** Tells of the end of each transfer as the log has it. */
async function followEnds(system: System) {
  const { eventStoreUrl } = JSON.parse(await readFile(path.join(system.data, 'running.json'), 'utf8'))
  const log = eventLog({ url: eventStoreUrl, prefixes: ['transfer-'] })
  const waiting = new Map<string, (type: string) => void>()
  const abort = new AbortController()
  const following = (async () => {
    for await (const events of log.follow({ after: 0n, max: () => 1_000, signal: abort.signal })) {
      for (const { type, metadata } of events) {
        if (/Completed|Refused/.test(type)) waiting.get(`${metadata.org} ${metadata.id}`)?.(type)
      }
    }
  })()
  return {
    of: (org: string, id: string) => new Promise<string>(resolve => waiting.set(`${org} ${id}`, resolve)),
    async close() {
      abort.abort()
      await following
      await log.close()
    },
  }
}

/** Lets so many in at once; the others wait in order. */
function places(count: number) {
  const waiting: (() => void)[] = []
  let free = count
  return {
    enter: () => (free > 0 ? void free-- : new Promise<void>(resolve => waiting.push(resolve))),
    leave() {
      const next = waiting.shift()
      if (next) next()
      else free++
    },
  }
}

type Run = { readonly refused: readonly string[]; readonly completed: number; readonly balances: Balances }

/** Opens the wallets and requests every transfer once those before it that touch the same money have ended. */
async function run(options: {
  readonly client: Client
  readonly org: string
  readonly transfers: readonly Transfer[]
  readonly openings: Balances
  readonly ended: Ends
}): Promise<Run> {
  const { client, org, transfers, openings, ended } = options
  const command = commandsOf(client)
  let position = 0n
  const send = async (to: string, key: string, body: object) => {
    const answer = await command('POST', `/api/v1/kwlt${to}`, key, body)
    expect([200, 201], JSON.stringify(answer.body)).to.include(answer.status)
    position = BigInt(answer.body.data.position) > position ? BigInt(answer.body.data.position) : position
  }
  await inLanes(openings, LANES, async ([wallet, opening]) => {
    await send('/wallets', wallet, { id: wallet, kind: 'personal' })
    await send(`/wallets/${wallet}/accounts`, 'main', { ...ACCOUNT, places: PLACES, overdraft: 'refused' })
    if (opening > 0n) await send(`/wallets/${wallet}/credits`, 'opening', { ...ACCOUNT, amount: String(opening) })
  })
  const refused: string[] = []
  let completed = 0
  const spent = new Map<string, Promise<unknown>>()
  const received = new Map<string, Set<Promise<unknown>>>()
  const all: Promise<unknown>[] = []
  const { enter, leave } = places(AT_ONCE)
  for (const { hash, from, to, amount } of transfers) {
    // The sender's earlier transfers (its nonce), what it has received, and what the receiver has sent before.
    const before = [spent.get(from), spent.get(to), ...(received.get(from) ?? [])]
    const one: Promise<unknown> = (async () => {
      await Promise.all(before)
      await enter()
      const end = ended.of(org, hash)
      const accounts = { from, from_account: 'main', to, to_account: 'main' }
      await send('/transfers', hash, { id: hash, ...accounts, currency: 'ETH', places: PLACES, amount: String(amount) })
      if ((await end) === 'TransferRefused') refused.push(hash)
      else completed += 1
    })().finally(() => {
      leave()
      received.get(to)!.delete(one)
    })
    all.push(one)
    spent.set(from, one)
    received.set(to, (received.get(to) ?? new Set()).add(one))
  }
  await Promise.all(all)
  await visible(client, position)
  const rows = await allRows(client, '/api/v1/kwlt/accounts')
  return { refused, completed, balances: new Map(rows.map(({ wallet, balance }) => [wallet!, BigInt(balance!)])) }
}
