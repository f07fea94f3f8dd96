/**
 * What single entries take where everything is in place: accounts with types, kinds and limits, an open hold on each,
 * a chart that is looked at, entries with tags. 10,000 accounts side by side, and one hot account.
 */
import { type Bench, mustHavePeers, peer, ROUNDS, startBare, withBench } from './commands.ts'
import type { Figure } from './figure.ts'
import { rateAndCpu, type Side, sendMany } from './requests.ts'

const WALLETS = 500
const ACCOUNTS = 20
const ALL = WALLETS * ACCOUNTS
const BULK = 1_000
/** Each account is met at least once in a round. */
const COMMANDS = Number(process.env.KOGI_BENCH_COMMANDS ?? 12_000)
/** Requests to the naive ledger, which takes some hundreds a second. */
const NAIVE_COMMANDS = 2_000
const LIMIT = '1000000000000'
const ABOUT = {
  tags: ['project:kitchen', 'client:okonjo'],
  reference: 'INV-2026-117',
  description: 'Colours of the sea',
}
const entryTo = (account: number) => ({
  account: `a${account}`,
  currency: 'EUR',
  amount: '1',
  counterparty: 'external:client',
  ...ABOUT,
})
const spread = (n: number) => n % ALL
const first = () => 0

/** Gives every wallet its accounts with terms, a hold on each, and a chart that reports. */
async function fill({ api, token }: Bench): Promise<void> {
  const commands: object[] = []
  for (let wallet = 0; wallet < WALLETS; wallet += 1) {
    const id = `w${wallet}`
    const rules = [{ account: 'a*', with: ['external:*'] }, { account: 'external:*', type: 'income' }, { account: '*' }]
    commands.push({ command: 'wallet.setChart', id, body: { mode: 'reported', rules } })
    for (let n = 0; n < ACCOUNTS; n += 1) {
      const account = { account: `a${n}`, currency: 'EUR' }
      const terms = { type: 'asset', kind: 'checking', overdraft: 'allowed', limit: LIMIT }
      commands.push({ command: 'wallet.openAccount', id, body: { ...account, ...terms } })
      commands.push({ command: 'wallet.hold', id, body: { ...account, hold: `h${n}`, amount: '100' } })
    }
  }
  for (let from = 0; from < commands.length; from += BULK) {
    const answer = await fetch(`${api.url}/api/v1/bulk`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ commands: commands.slice(from, from + BULK) }),
    })
    const text = await answer.text()
    const wrong = /"error":.{0,200}/.exec(text)?.[0]
    if (!answer.ok || wrong) throw new Error(`the accounts were not opened: ${answer.status} ${wrong ?? text}`)
  }
}

/** Credits and debits in turns: a debit is held to the limit, and to what is held. */
const entries = ({ api, store, token }: Bench, accountOf: (n: number) => number): Side => ({
  url: api.url,
  pids: [api.pid, store.pid],
  pathOf: n => {
    const wallet = Math.floor(accountOf(n) / ACCOUNTS)
    return `/api/v1/kwlt/wallets/w${wallet}/${n % 2 === 0 ? 'credits' : 'debits'}`
  },
  token,
  body: n => BODIES[accountOf(n) % ACCOUNTS]!,
})
const BODIES = Array.from({ length: ACCOUNTS }, (_, n) => JSON.stringify(entryTo(n)))

/** Against ten lines of Express that append the same body without a look at it. */
export const termsBench = () =>
  withBench(async (bench): Promise<Figure[]> => {
    await fill(bench)
    const bare = await startBare(bench)
    const appends = (accountOf: (n: number) => number): Side => ({
      url: bare.url,
      pids: [bare.pid, bench.store.pid],
      pathOf: n => `/streams/${Math.floor(accountOf(n) / ACCOUNTS)}`,
      body: n => BODIES[accountOf(n) % ACCOUNTS]!,
    })
    const against = (name: string, accountOf: (n: number) => number) =>
      rateAndCpu(
        name,
        {
          ours: () => sendMany(entries(bench, accountOf), COMMANDS),
          bare: () => sendMany(appends(accountOf), COMMANDS),
        },
        ROUNDS,
      )
    try {
      return [
        ...(await against('entries_of_10000_accounts_with_terms', spread)),
        ...(await against('hot_account_with_terms', first)),
      ]
    } finally {
      await bare.stop()
    }
  })

/** The same against a ledger on PostgreSQL alone, which has balances under row locks and none of the terms. */
export const termsPeerBench = (): Promise<Figure[]> => {
  mustHavePeers()
  return withBench(async bench => {
    await fill(bench)
    const against = (name: string, accountOf: (n: number) => number) => ({
      name,
      ours: () => sendMany(entries(bench, accountOf), COMMANDS),
      accountOf,
    })
    return peer(
      bench,
      'naive',
      side =>
        [
          against('entries_with_terms_against_row_locks', spread),
          against('hot_account_with_terms_against_row_locks', first),
        ].map(({ name, ours, accountOf }) => ({
          name,
          ours,
          bare: () =>
            sendMany({ ...side(accountOf), body: JSON.stringify({ ...entryTo(0), account: 'main' }) }, NAIVE_COMMANDS),
        })),
      ALL,
    )
  })
}
