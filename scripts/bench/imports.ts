/**
 * What a bank statement of 31,498 rows takes, as many as the bank of the acceptance tests has: sent to the API as CSV,
 * read, checked, decided as a whole, and booked; against appends of as many entries in batches.
 */
import { written } from '../../domain/wallet/statement/exact.ts'
import { type Bench, ROUNDS, startBare, withBench } from './commands.ts'
import { cpuSeconds } from './cpu.ts'
import type { Figure } from './figure.ts'
import { type Measured, rateAndCpu } from './requests.ts'

const ROWS = 31_498
const ACCOUNTS = 800
/** What one append of an import holds. */
const BATCH = 1_000

const KINDS = ['salary', 'rent', 'insurance', 'groceries', 'interest', 'loan', 'cash', '']
const RULES = {
  csv: {
    decimal_mark: '.',
    date_format: 'YYYY-MM-DD',
    currency: 'CZK',
    columns: { account: 'account', date: 'date', amount: 'amount', payee: 'payee', reference: 'id' },
  },
  rules: KINDS.filter(kind => kind !== '').map(kind => ({
    when: { payee: kind },
    account: `external:${kind}`,
    tags: [kind],
  })),
}

/** Six years of payments of all accounts, none of them like another. */
function statement(): string {
  const begins = Date.parse('1993-01-01')
  const lines = Array.from({ length: ROWS }, (_, n) => {
    const date = new Date(begins + Math.floor((n * 2190) / ROWS) * 86_400_000).toISOString().slice(0, 10)
    const amount = ((n * 7919) % 5_000_000) - 2_000_000
    const text = written({ digits: BigInt(amount), places: 2 })
    return [`${1 + ((n * 31) % ACCOUNTS)}`, date, text, KINDS[n % KINDS.length], `T${n}`].join(',')
  })
  return ['account,date,amount,payee,id', ...lines].join('\n')
}

/** Entries a second, and CPU of each, that an import and bare appends take. */
export const importBench = () =>
  withBench(async (bench): Promise<Figure[]> => {
    const bare = await startBare(bench)
    const content = Buffer.from(statement()).toString('base64')
    const body = JSON.stringify({ format: 'csv', name: 'bank.csv', content, rules: RULES })
    let runs = 0
    const ours = async () => {
      runs += 1
      const id = `import-${runs}`
      await post(bench, '/kwlt/wallets', { id, kind: 'business' })
      return timed([bench.api.pid, bench.store.pid], async () => {
        const { data } = await post(bench, `/kwlt/wallets/${id}/imports`, body)
        if (data.booked !== ROWS) throw new Error(`${data.booked} of ${ROWS} rows were booked`)
      })
    }
    const batch = JSON.stringify(Array.from({ length: BATCH }, (_, n) => entry(n)))
    const appends = () =>
      timed([bare.pid, bench.store.pid], async () => {
        runs += 1
        for (let sent = 0; sent < ROWS; sent += BATCH) {
          const headers = { 'content-type': 'application/json' }
          const answer = await fetch(`${bare.url}/batches/${runs}`, { method: 'POST', headers, body: batch })
          if (!answer.ok) throw new Error(`a batch answered ${answer.status}`)
        }
      })
    try {
      return await rateAndCpu('imported_bank_rows', { ours, bare: appends }, ROUNDS)
    } finally {
      await bare.stop()
    }
  })

/** An entry as the log has it. */
const entry = (n: number) => ({
  entry: '0b0f1a52-6f0c-5a53-9f0e-3a6e8c1b7d11',
  kind: 'journal',
  postings: [
    { account: `assets:bank:${n % ACCOUNTS}`, currency: 'CZK', amount: '123456' },
    { account: 'external:groceries', currency: 'CZK', amount: '-123456' },
  ],
  effectiveOn: '1995-06-07',
  description: 'groceries',
  counterparty: 'groceries',
  reference: `T${n}`,
  tags: ['groceries'],
  source: '5d0f1a52-6f0c-5a53-9f0e-3a6e8c1b7d11',
})

async function timed(pids: readonly number[], work: () => Promise<void>): Promise<Measured> {
  const before = cpuSeconds(pids)
  const begun = performance.now()
  await work()
  const seconds = (performance.now() - begun) / 1000
  return { perSecond: ROWS / seconds, cpuMs: ((cpuSeconds(pids) - before) * 1000) / ROWS }
}

async function post(
  { api, token }: Bench,
  path: string,
  body: string | object,
): Promise<{ data: { booked?: number } }> {
  const answer = await fetch(`${api.url}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as { data: { booked?: number } }
}
