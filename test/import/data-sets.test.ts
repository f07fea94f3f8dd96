/** Journals from public sources, with independent answers; KOGI_DATA_SETS names their folder. */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { NO_WALLET } from '../../commands/imports/wallet-state.ts'
import type { Journal } from '../../scripts/journal/journal.ts'
import { type Plan, planImport } from '../../scripts/journal/plan.ts'
import { readJournal } from '../../scripts/journal/read.ts'
import { balancesOf } from '../../scripts/journal/report.ts'
import { decimal } from '../../scripts/terminal.ts'
import { checksum, dataSet } from '../acceptance/data-sets.ts'
import { afterPlan, asRefusal, hledgerIsThere, journal, refusalOf, TARGET, tx } from './support.ts'

type Case = {
  readonly id: string
  readonly class: 'plain' | 'priced' | 'virtual'
  readonly txns: readonly {
    readonly date: string
    readonly code: string
    readonly description: string
    readonly postings: readonly {
      readonly account: string
      readonly type: 'real' | 'virtual' | 'balanced-virtual'
      readonly amounts: readonly {
        readonly c: string
        readonly m: number
        readonly p: number
        readonly price?: unknown
      }[]
    }[]
  }[]
  readonly sha256: string
}

const lines = (text: string) => text.trimEnd().split('\n')

describe('import: the books of a non-profit', function () {
  const set = dataSet(this, 'hackclub')
  before(function () {
    if (!hledgerIsThere) this.skip()
  })
  const books = async () => {
    const folder = set.file('.')
    const { journal } = await readJournal(
      path.join(folder, readdirSync(folder).find(name => name.endsWith('.ledger'))!),
    )
    return journal
  }
  const nonzero = ({ state }: Plan) =>
    balancesOf(state).flatMap(({ account, balance }) => (balance === '0' ? [] : [`${account},${balance}`]))

  it('reach their balances; run again they add nothing, and a line at the top exactly one entry', async () => {
    const read = await books()
    expect(read).to.have.length(set.oracle.transactions)
    const plan = planImport(read, TARGET, NO_WALLET, new Map())
    expect(nonzero(plan)).to.have.length(set.oracle.nonzero_accounts)
    expect(checksum(nonzero(plan))).to.equal(set.oracle.sha256_nonzero_balances)

    const after = afterPlan(plan)
    expect(planImport(read, TARGET, after, new Map()).steps).to.deep.equal([])
    const [line] = journal(tx('A line at the top', ...read[0]!.postings))
    const grown = planImport([line!, ...read], TARGET, after, new Map())
    expect(grown.steps.map(({ command }) => command)).to.deep.equal(['post'])
  })
})

describe('import: the journals of the test suites of ledger and hledger', function () {
  this.timeout(120_000)
  const set = dataSet(this, 'pta', 'positive.jsonl', 'negative.jsonl')
  let cases: readonly Case[]
  before(() => {
    cases = lines(set.text('positive.jsonl')).map(line => JSON.parse(line) as Case)
  })

  /** Every commodity under a name that has no fixed places, so that the journal alone decides. */
  const planOf = (one: Case, names = neutral(one)) => planImport(asJournal(one), TARGET, NO_WALLET, names)
  const digestOf = (one: Case) => {
    const commodity = new Map([...neutral(one)].map(([from, to]) => [to, from]))
    const rows = balancesOf(planOf(one).state).flatMap(({ account, currency, places, balance }) => {
      const named = account === '(unnamed)' ? '' : account
      return balance === '0' ? [] : [`${named}\t${commodity.get(currency)}\t${plain(decimal(balance, places))}`]
    })
    const sorted = rows
      .map(row => Buffer.from(row))
      .sort(Buffer.compare)
      .map(String)
    return createHash('sha256').update(sorted.join('\n')).digest('hex')
  }

  it('plain ones reach their balances', () => {
    const plainOnes = cases.filter(one => one.class === 'plain')
    expect(plainOnes).to.have.length(set.oracle.classes.plain)
    expect(plainOnes.filter(one => digestOf(one) !== one.sha256).map(({ id }) => id)).to.deep.equal([])
    expect(checksum(plainOnes.map(one => `${one.id} ${digestOf(one)}`))).to.equal(set.oracle.sha256_plain_only)
  })

  it('plain ones are refused for their decimals alone where commodities are currencies', () => {
    const refused = cases.filter(one => one.class === 'plain').map(one => refusalOf(() => planOf(one, new Map()))?.code)
    const codes = new Set(refused.filter(code => code !== undefined))
    expect([...codes]).to.have.members(['amount_too_precise', 'commodities_collide'])
  })

  it('priced ones reach the balances that hledger reports, through conversion accounts', () => {
    const priced = cases.filter(one => one.class === 'priced')
    const booked = priced.filter(one => refusalOf(() => planOf(one)) === undefined)
    expect(booked.filter(one => digestOf(one) !== one.sha256).map(({ id }) => id)).to.deep.equal([])
    const codes = new Set(priced.map(one => refusalOf(() => planOf(one))?.code))
    expect([...codes]).to.have.members([undefined, 'virtual_posting'])
  })

  it('virtual ones are refused, but for those whose brackets balance: these reach their balances', () => {
    for (const one of cases.filter(({ class: kind }) => kind === 'virtual')) {
      const unbalanced = one.txns.some(({ postings }) =>
        postings.some(({ type, amounts }) => type === 'virtual' && amounts.some(({ m }) => m !== 0)),
      )
      const code = refusalOf(() => planOf(one))?.code
      expect(code, one.id).to.equal(unbalanced ? 'virtual_posting' : undefined)
      if (!unbalanced) expect(digestOf(one), one.id).to.equal(one.sha256)
    }
  })

  it('negative ones are refused, and where the fault is named', async function () {
    if (!hledgerIsThere) this.skip()
    const folder = await mkdtemp(path.join(tmpdir(), 'kogi-negative-'))
    const negative = lines(set.text('negative.jsonl')).map(line => JSON.parse(line) as { id: string; journal: string })
    const accepted: string[] = []
    const refuse = async ({ id, journal }: { id: string; journal: string }, n: number) => {
      const file = path.join(folder, `${n}.journal`)
      await writeFile(file, journal)
      try {
        planImport((await readJournal(file)).journal, TARGET, NO_WALLET, new Map())
        accepted.push(id)
      } catch (error) {
        expect(asRefusal(error).file, id).to.equal(file)
      }
    }
    for (let n = 0; n < negative.length; n += 4) {
      await Promise.all(negative.slice(n, n + 4).map((one, k) => refuse(one, n + k)))
    }
    await rm(folder, { recursive: true })
    expect(accepted).to.deep.equal([])
    expect(negative).to.have.length(sum(Object.values(set.oracle.negative)))
  })
})

const sum = (numbers: readonly unknown[]) => numbers.reduce<number>((total, one) => total + Number(one), 0)

const plain = (number: string) => (number.includes('.') ? number.replace(/\.?0+$/, '') : number)

function neutral({ txns }: Case): ReadonlyMap<string, string> {
  const names = txns.flatMap(({ postings }) => postings.flatMap(({ amounts }) => amounts.map(({ c }) => c)))
  return new Map([...new Set(names)].map((name, n) => [name, `commodity-${n}`]))
}

const asJournal = ({ id, txns }: Case): Journal =>
  txns.map(({ postings, ...rest }, n) => ({
    ...rest,
    place: { file: id, line: n + 1 },
    postings: postings.map(({ account, type, amounts }) => ({
      account,
      kind: type === 'balanced-virtual' ? 'balanced_virtual' : type,
      amounts: amounts.map(({ c, m, p, price }) => ({
        commodity: c,
        digits: BigInt(m),
        places: p,
        shown: p,
        priced: price !== undefined,
      })),
    })),
  }))
