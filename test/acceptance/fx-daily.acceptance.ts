import { expect } from 'chai'
import { type Client, inLanes } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { checkRows, commandsOf, whileKillingProjector } from './checks.ts'
import { checksum, csv, dataSet } from './data-sets.ts'

/** Rates of one command. */
const BLOCK = 1_000
/** Decimal places of results: those of the source of the figures, which gives rupiahs without. */
const WHOLE = ['JPY', 'KRW', 'IDR', 'ISK']
const LANES = 16

const minor = (decimal: string) => String(BigInt(decimal.replace('.', '')))

describe('fx_daily: conversions by the reference rates of many years', function () {
  const set = dataSet(this, 'fx_daily', 'rates.csv', 'conversions.csv')
  const days = set.oracle ? csv(set.text('rates.csv')) : []
  const wanted = set.oracle ? csv(set.text('conversions.csv')) : []
  const rates = days.flatMap(({ date: day, ...quotes }) =>
    Object.entries(quotes)
      .filter(([, rate]) => rate !== '')
      .map(([quote, rate]) => ({ day, base: 'EUR', quote, rate })),
  )
  let system: System
  let client: Client
  let position = 0n

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('fx')
    await whileKillingProjector(system, 2, record())
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  /** Records all rates, some of them at a time. Returns how many commands had an effect. */
  async function record(): Promise<number> {
    const command = commandsOf(client)
    const opened = await command('POST', '/api/v1/kwlt/rate-tables', 'open', { id: 'ecb', valid_days: 7 })
    expect(opened.status, JSON.stringify(opened.body)).to.equal(201)
    let effects = 0
    for (let at = 0; at < rates.length; at += BLOCK) {
      const body = { rates: rates.slice(at, at + BLOCK) }
      const answer = await command('PUT', '/api/v1/kwlt/rate-tables/ecb/rates', `block-${at}`, body)
      expect(answer.status, JSON.stringify(answer.body)).to.equal(200)
      if (!answer.body.data.replayed) effects += 1
      position = BigInt(answer.body.data.position)
    }
    return effects
  }

  async function results(more: string, skip: (row: Record<string, string>) => boolean = () => false) {
    const found = new Map<Record<string, string>, string>()
    await inLanes(
      wanted.filter(row => !skip(row)),
      LANES,
      async row => {
        const { date: day, from, to, amount } = row
        const places = WHOLE.includes(to!) ? 0 : 2
        const query = new URLSearchParams({ from: from!, to: to!, day: day!, amount: amount!.replace('.', '') })
        const path = `/api/v1/kwlt/exchange?${query}&places=2&to_places=${places}&wait=30000${more}`
        const { status, body } = await client.call('GET', path, { headers: { 'Kogi-Min-Position': String(position) } })
        expect(status, `${path} ${JSON.stringify(body)}`).to.equal(200)
        found.set(row, body.data.result)
      },
    )
    return found
  }

  it('has as many days and rates as the source', () => {
    expect(days).to.have.length(set.oracle.days)
    expect(wanted).to.have.length(set.oracle.conversions)
    expect(days.length * set.oracle.currencies - rates.length).to.equal(set.oracle.missing)
  })

  it('gives every result of the source', async () => {
    const found = await results('')
    expect(found.size).to.equal(set.oracle.conversions)
    for (const [{ date, from, to, result }, value] of found) {
      expect(value, `${date} ${from} ${to}`).to.equal(minor(result!))
    }
    // The source writes its results without the point, with the zeros before them.
    const lines = [...found].map(([{ date, from, to, result }, value]) => {
      return `${date}:${from}:${to},${value.padStart(result!.replace('.', '').length, '0')}`
    })
    expect(checksum(lines)).to.equal(set.oracle.sha256_conversions)
  })

  it('has no rate of a currency that was not quoted on a day, nor for a week before', async () => {
    const missing = days.filter(({ date, ISK }) => ISK === '' && date! > '2009-01-01').slice(0, 5)
    expect(missing).to.have.length(5)
    for (const { date } of missing) {
      const { status, body } = await client.call('GET', `/api/v1/kwlt/exchange?from=ISK&to=EUR&day=${date}`)
      expect([status, body.error.code]).to.deep.equal([404, 'rate_unknown'])
    }
  })

  it('gives the same again after other rates of the same days, as of the position before', async () => {
    const before = position
    const command = commandsOf(client)
    const last = days.slice(-400).map(({ date: day, USD }) => ({ day, base: 'EUR', quote: 'USD', rate: `1${USD}` }))
    const answer = await command('PUT', '/api/v1/kwlt/rate-tables/ecb/rates', 'others', { rates: last })
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200)
    position = BigInt(answer.body.data.position)
    const isEarlier = ({ date }: Record<string, string>) => date! < last[0]!.day!
    for (const [{ result }, value] of await results(`&as_of=${before}`, isEarlier)) {
      expect(value).to.equal(minor(result!))
    }
    const dollars = [...(await results('', isEarlier))].filter(([{ from, to }]) => [from, to].includes('USD'))
    expect(dollars).to.not.be.empty
    for (const [{ result }, value] of dollars) expect(value).to.not.equal(minor(result!))
  })

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})
