import { expect } from 'chai'
import { type Client, inLanes } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, commandsOf, visible, whileKillingProjector } from './checks.ts'
import { checksum, dataSet } from './data-sets.ts'

const METHODS = ['fifo', 'lifo', 'hifo', 'lofo'] as const
type Method = (typeof METHODS)[number]
type Row = { year: number; term: string; type: string; gain: string }
type Event = { k: 'in' | 'out' | 'move'; at: string; type: string; [field: string]: string | null }
type Case = { id: string; events: readonly Event[]; expected: Readonly<Record<Method, readonly Row[]>> }

const QUANTITY_PLACES = 8
/** Shares of costs do not end: they are kept this exact, and compared to six places. */
const PLACES = 18
const COMPARED = 6

/** A decimal as minor units; it must have no more places than that. */
function units(text: string, places: number): bigint {
  const [whole = '', rest = ''] = text.split('.')
  expect(rest.length, text).to.be.at.most(places)
  return BigInt(whole + rest.padEnd(places, '0'))
}
const quantity = (text: string) => String(units(text, QUANTITY_PLACES))
const product = (...factors: string[]) =>
  factors.reduce((value, factor) => (value * units(factor, PLACES)) / 10n ** BigInt(PLACES), 10n ** BigInt(PLACES))
/** A difference of two decimals, as text. */
function less(a: string, b: string): string {
  const difference = String(units(a, QUANTITY_PLACES) - units(b, QUANTITY_PLACES)).padStart(QUANTITY_PLACES + 1, '0')
  return `${difference.slice(0, -QUANTITY_PLACES)}.${difference.slice(-QUANTITY_PLACES)}`
}
const instant = (at: string) => new Date(at.replace(' ', 'T').replace(/([+-]\d{2})(\d{2})$/, '$1:$2')).toISOString()

/**
 * The source has one pool of lots, and sells and moves in places that hold less: all is in one account here, and of a
 * move only what is lost on the way.
 */
const ACCOUNT = 'main'

/** The command of an event of the source: its path below the position, and its body; none where nothing changes. */
function commandOf({ k, ...event }: Event): readonly [path: string, body: object] | undefined {
  const { at, type, spot } = event as Record<string, string>
  const common = { at: instant(at!) }
  if (k === 'in') {
    const { qty, cost, crypto_fee } = event as Record<string, string>
    const isPaid = units(crypto_fee ?? '0', QUANTITY_PLACES) > 0n
    const fee = isPaid ? { fee_quantity: quantity(crypto_fee!), fee_value: String(product(crypto_fee!, spot!)) } : {}
    const lot = { quantity: quantity(qty!), cost: String(units(cost!, PLACES)), price: spot!, ...fee }
    return ['lots', { ...common, type, account: ACCOUNT, ...lot }]
  }
  if (k === 'out') {
    const { qty, fee_qty } = event as Record<string, string>
    const [sold, fee] = units(qty!, QUANTITY_PLACES) > 0n ? [qty!, fee_qty!] : [fee_qty!, '0']
    const fees = units(fee, QUANTITY_PLACES) > 0n ? { fee_quantity: quantity(fee) } : {}
    const body = { type, quantity: quantity(sold), proceeds: String(product(sold, spot!)), ...fees }
    return ['dispose', { ...common, account: ACCOUNT, ...body }]
  }
  const { sent, received } = event as Record<string, string>
  const lost = less(sent!, received!)
  if (units(lost, QUANTITY_PLACES) === 0n) return undefined
  const fee = { quantity: quantity(lost), received: '0', fee_value: String(product(lost, spot!)) }
  return ['move', { ...common, from: ACCOUNT, to: ACCOUNT, ...fee }]
}

describe('lots: gains by four methods', function () {
  const set = dataSet(this, 'lots', 'cases.jsonl')
  const lines = set.oracle ? set.text('cases.jsonl').trimEnd().split('\n') : []
  const cases: Case[] = lines.map(line => JSON.parse(line))
  const clients = new Map<Method, Client>()
  let system: System

  before(async () => {
    system = await startSystem()
    for (const method of METHODS) clients.set(method, await system.clientOf(method))
    await whileKillingProjector(system, 2, inLanes(METHODS, METHODS.length, sendAll))
  })
  after(async () => {
    for (const client of clients.values()) client.close()
    await system?.stop()
  })

  async function sendAll(method: Method): Promise<void> {
    const client = clients.get(method)!
    const command = commandsOf(client)
    let position = 0n
    const send = async (path: string, key: string, body: object) => {
      const answer = await command('POST', `/api/v1/kwlt${path}`, key, body)
      expect([200, 201], `${method} ${path} ${key} ${JSON.stringify(answer.body)}`).to.include(answer.status)
      position = BigInt(answer.body.data.position)
    }
    await send('/wallets', 'wallet', { id: 'portfolio', kind: 'portfolio' })
    for (const { id, events } of cases) {
      const unit = { asset: 'COIN', currency: 'USD', places: PLACES, quantity_places: QUANTITY_PLACES }
      const base = { id, wallet: 'portfolio', kind: 'crypto', method, pool: 'position', ...unit }
      await send('/investments', 'open', base)
      for (const [n, event] of events.entries()) {
        const found = commandOf(event)
        if (!found) continue
        const [path, body] = found
        await send(`/investments/${encodeURIComponent(id)}/${path}`, `event-${n}`, body)
      }
    }
    await visible(client, position)
  }

  it('has the cases and rows of the source', () => {
    expect(cases).to.have.length(set.oracle.cases)
    expect(cases.reduce((sum, { events }) => sum + events.length, 0)).to.equal(set.oracle.events)
    const rows = cases.flatMap(({ expected }) => METHODS.flatMap(method => expected[method]))
    expect(rows).to.have.length(set.oracle.expected_rows)
  })

  it('gives every gain of the source, by year, term and type', async () => {
    const found: string[] = []
    for (const method of METHODS) {
      for (const { id, expected } of cases) {
        const query = new URLSearchParams({ by: 'year,term,type', sum: 'gain', investment: id, currency: 'USD' })
        const { body } = await clients.get(method)!.call('GET', `/api/v1/kwlt/gains/summary?${query}`)
        const rows = (body.data as { group: Record<string, string>; sums: { gain: string } }[]).map(
          ({ group: { year, term, type }, sums: { gain } }) =>
            `${id}|${method}|${year}|${term!.toUpperCase()}|${type!.toUpperCase()},${halfEven(BigInt(gain))}`,
        )
        const wanted = expected[method].map(({ year, term, type }) => `${id}|${method}|${year}|${term}|${type},`)
        expect(rows.map(row => row.slice(0, row.indexOf(',') + 1))).to.have.members(wanted)
        found.push(...rows)
      }
    }
    expect(found).to.have.length(set.oracle.expected_rows)
    expect(checksum(found)).to.equal(set.oracle.sha256_gains_e6)
  })

  it('has lots that add up to the positions', async () => {
    for (const client of clients.values()) {
      for (const { id, quantity, cost } of await allRows(client, '/api/v1/kwlt/investments')) {
        const lots = await allRows(client, `/api/v1/kwlt/investments/${encodeURIComponent(id!)}/lots`)
        const sum = (of: 'quantity' | 'cost') => lots.reduce((total, lot) => total + BigInt(lot[of]!), 0n)
        expect([sum('quantity'), sum('cost')], id).to.deep.equal([BigInt(quantity!), BigInt(cost!)])
      }
    }
  })

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})

/** An amount to six places; a half goes to the even neighbour. */
function halfEven(amount: bigint): bigint {
  const step = 10n ** BigInt(PLACES - COMPARED)
  const down = amount / step - (amount < 0n && amount % step !== 0n ? 1n : 0n)
  const twice = 2n * (amount - down * step)
  return twice > step || (twice === step && down % 2n !== 0n) ? down + 1n : down
}
