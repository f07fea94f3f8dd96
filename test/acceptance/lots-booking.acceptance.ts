import { expect } from 'chai'
import type { Client } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, commandsOf, visible } from './checks.ts'
import { checksum, dataSet } from './data-sets.ts'

type Posting = { units: string; currency: string; cost: string | null; price: unknown }
type Case = {
  id: string
  method: string
  ante: readonly Posting[]
  apply: readonly Posting[]
  apply_date: string
  error: string | null
  after: readonly Posting[] | null
}
/** `{115.00 USD, 2016-04-15, "lot1"}`, each part of it optional. */
type Spec = { price?: string; currency?: string; date?: string; label?: string }
type Held = { units: string; asset: string } & Spec

const PLACES = 2
/** Positions have a method of their own; here each case names one. An average of one lot is that lot. */
const METHODS: Readonly<Record<string, string>> = {
  STRICT: 'named',
  AVERAGE: 'named',
  FIFO: 'fifo',
  LIFO: 'lifo',
  HIFO: 'hifo',
}

function specOf(cost: string): Spec {
  const spec: Spec = {}
  for (const part of cost.slice(1, -1).split(/[ ,]+/).filter(Boolean)) {
    if (/^\d{4}-\d{2}-\d{2}$/.test(part)) spec.date = part
    else if (/^-?[\d.]+$/.test(part)) spec.price = part
    else if (part.startsWith('"')) spec.label = part.slice(1, -1)
    else spec.currency = part
  }
  return spec
}

/** What is held, as lines to compare: a lot is named by its price, its day and its label. */
const lineOf = ({ units, asset, price, currency, date, label }: Held) =>
  [units, asset, price && Number(price).toFixed(2), currency, date, label].filter(Boolean).join(' ')

describe('lots_booking: which lots a reduction takes', function () {
  const set = dataSet(this, 'lots_booking', 'cases.jsonl')
  const lines = set.oracle ? set.text('cases.jsonl').trimEnd().split('\n') : []
  const cases: Case[] = lines.map(line => JSON.parse(line))
  const verdicts: string[] = []
  let system: System
  let client: Client

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('lots')
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  it('has the cases of the source', () => {
    expect(cases).to.have.length(set.oracle.cases)
    expect(cases.filter(({ error }) => error !== null)).to.have.length(set.oracle.must_fail)
  })

  it('accepts and refuses what the source does, and leaves the same lots', async () => {
    for (const [n, { id, method, ante, apply, apply_date, error, after }] of cases.entries()) {
      const book = new Book(client, n, method)
      await book.start()
      let sequence = 0
      const held = ({ units, currency: asset, cost }: Posting): Held => {
        const spec = specOf(cost!)
        return { units, asset, ...spec, date: spec.date ?? '2015-10-01' }
      }
      const add = async ({ units, ...one }: Held) => {
        const side = units.startsWith('-') ? 'short' : 'long'
        const name = book.nameOf(one.asset, one.currency!, side)
        await book.acquire(name, { ...one, units: units.replace('-', '') }, sequence++)
      }
      for (const posting of ante) {
        if (posting.cost === null) await book.cash(posting.units, posting.currency)
        else await add(held(posting))
      }
      const before = await book.lines()
      let isAccepted = true
      for (const posting of apply) {
        isAccepted &&= await applied(book, { method, ante, apply_date, add }, posting)
      }
      verdicts.push(`${id},${isAccepted ? 1 : 0}`)
      expect(isAccepted, `${id} ${error}`).to.equal(error === null)
      if (after !== null) {
        const wanted = after.map(posting => lineOf(posting.cost === null ? plain(posting) : held(posting)))
        expect(await book.lines(), id).to.deep.equal(wanted.sort())
      } else if (!isAccepted && apply.length === 1) expect(await book.lines(), id).to.deep.equal(before)
    }
  })

  it('has the verdicts of the source', () => expect(checksum(verdicts)).to.equal(set.oracle.sha256_verdicts))

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})

/**
 * A case in a wallet of its own. What has a cost is a position, one for each asset and currency of the cost; what has
 * none is an account of the wallet. Short lots, which Kogi does not sell, are bought the other way round.
 */
class Book {
  readonly #client: Client
  readonly #wallet: string
  readonly #method: string
  readonly #open = new Set<string>()
  #position = 0n

  constructor(client: Client, n: number, method: string) {
    this.#client = client
    this.#wallet = `case-${n}`
    this.#method = method
  }

  async send(path: string, body: object): Promise<{ status: number; code: string; body: Record<string, unknown> }> {
    const key = `${path} ${JSON.stringify(body)} ${this.#open.size}`
    const { status, body: answer } = await commandsOf(this.#client)(
      'POST',
      `/api/v1/kwlt${path}`,
      key.slice(0, 255),
      body,
    )
    if (status < 300) this.#position = BigInt(answer.data.position)
    return { status, code: answer.error?.code, body: answer }
  }
  async must(path: string, body: object): Promise<void> {
    const { status, body: answer } = await this.send(path, body)
    expect([200, 201], `${path} ${JSON.stringify(answer)}`).to.include(status)
  }
  start = () => this.must('/wallets', { id: this.#wallet, kind: 'portfolio' })

  nameOf = (asset: string, currency: string, side: 'long' | 'short') => `${this.#wallet} ${asset} ${currency} ${side}`

  async acquire(name: string, { units, asset, price, currency, date, label }: Held, sequence: number): Promise<void> {
    if (!this.#open.has(name)) {
      const base = { id: name, wallet: this.#wallet, kind: 'equity', asset, currency, quantity_places: 0 }
      await this.must('/investments', { ...base, method: METHODS[this.#method] ?? 'named' })
      this.#open.add(name)
    }
    const cost = BigInt(units) * BigInt(Number(price).toFixed(PLACES).replace('.', ''))
    const lot = label ?? `lot ${sequence}`
    const at = `${date}T00:00:00.000Z`
    await this.must(`/investments/${encodeURIComponent(name)}/lots`, {
      lot,
      quantity: units,
      cost: String(cost),
      price,
      at,
    })
  }
  /** Whether a reduction was accepted. */
  async reduce(name: string, units: string, { price, date, label }: Spec): Promise<boolean> {
    const which = { ...(price && { price }), ...(date && { acquired_on: date }), ...(label && { lot: label }) }
    const method = METHODS[this.#method] ?? 'named'
    const body = { quantity: units, proceeds: '0', method, ...which }
    const { status, code } = await this.send(`/investments/${encodeURIComponent(name)}/dispose`, body)
    if (status >= 300) {
      expect(['lot_unknown', 'lots_ambiguous', 'lots_insufficient', 'holding_insufficient', 'not_found']).to.include(
        code,
      )
    }
    return status < 300
  }
  async cash(units: string, currency: string): Promise<void> {
    await this.must(`/wallets/${this.#wallet}/accounts`, {
      account: 'cash',
      currency,
      ...(currency !== 'USD' && { places: PLACES }),
      overdraft: 'allowed',
    })
    const amount = units.replace('-', '')
    await this.must(`/wallets/${this.#wallet}/${units.startsWith('-') ? 'debits' : 'credits'}`, {
      account: 'cash',
      currency,
      amount: `${amount}${'0'.repeat(PLACES)}`,
    })
  }
  /** What is held now. */
  async lines(): Promise<string[]> {
    await visible(this.#client, this.#position)
    const cash = (await allRows(this.#client, `/api/v1/kwlt/accounts?wallet=${this.#wallet}`)).filter(
      row => row.balance !== '0',
    )
    const found = cash.map(({ balance, currency, places }) =>
      lineOf({ units: String(BigInt(balance!) / 10n ** BigInt(places!)), asset: currency! }),
    )
    for (const name of this.#open) {
      for (const row of await allRows(
        this.#client,
        `/api/v1/kwlt/investments/${encodeURIComponent(name)}/lots?status=open`,
      )) {
        const { quantity, asset, price, currency, acquired_at, lot } = row as Record<string, string>
        const units = name.endsWith('short') ? `-${quantity}` : quantity!
        const label = lot!.startsWith('lot ') ? undefined : lot
        const held = { units, asset: asset!, price: price!, currency: currency!, date: acquired_at!.slice(0, 10) }
        found.push(lineOf({ ...held, ...(label && { label }) }))
      }
    }
    return found.sort()
  }
}

const plain = ({ units, currency }: Posting): Held => ({ units, asset: currency })

type Applying = Pick<Case, 'method' | 'ante' | 'apply_date'> & { readonly add: (held: Held) => Promise<void> }

/** Whether a posting was accepted: it adds lots, or reduces those of the other sign. */
async function applied(
  book: Book,
  { method, ante, apply_date, add }: Applying,
  { units, currency: asset, cost }: Posting,
): Promise<boolean> {
  if (cost === null) {
    await book.cash(units, asset)
    return true
  }
  const spec = specOf(cost)
  const isNegative = units.startsWith('-')
  const others = ante.filter(one => one.currency === asset && one.units.startsWith('-') !== isNegative)
  if (method === 'NONE' || others.length === 0) {
    // A lot without a cost is no lot: the command would not have the form of an acquisition.
    if (spec.price === undefined || spec.currency === undefined) return false
    await add({ units, asset, ...spec, date: spec.date ?? apply_date })
    return true
  }
  const side = isNegative ? 'long' : 'short'
  const currencies = new Set(others.map(one => (one.cost === null ? undefined : specOf(one.cost).currency)))
  // A position has one currency: a reduction that fits several says which.
  const fitting = [...currencies].filter(
    one => one !== undefined && (spec.currency === undefined || one === spec.currency),
  )
  if (fitting.length !== 1) return false
  const name = book.nameOf(asset, fitting[0]!, side)
  const size = BigInt(units.replace('-', ''))
  if (isNegative) return book.reduce(name, String(size), spec)
  // What covers a short position names its own price; what goes beyond it is a lot of that price.
  const short = others.reduce((sum, one) => sum - BigInt(one.units), 0n)
  const covered = short < size ? short : size
  if (!(await book.reduce(name, String(covered), {}))) return false
  if (size > covered) await add({ units: String(size - covered), asset, ...spec, date: spec.date ?? apply_date })
  return true
}
