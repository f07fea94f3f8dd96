/** What accepted commands take: against bare appends, and with `peers` against what others would build. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { startEmbeddedPostgres } from '../../infra/embedded/postgres.ts'
import { silentLog } from '../../infra/log.ts'
import { kogi, type Running, start } from '../running.ts'
import type { Figure } from './figure.ts'
import { call } from './load.ts'
import { type Measured, rateAndCpu, type Side, sendMany } from './requests.ts'

export const WALLETS = 500
export const COMMANDS = Number(process.env.KOGI_BENCH_COMMANDS ?? 6_000)
export const ROUNDS = Number(process.env.KOGI_BENCH_ROUNDS ?? 5)
/** Emmett's rate falls with every event of a stream. */
const EMMETT_COMMANDS = 2_000
const BULK_ENTRIES = 10_000
const BULK = 1_000
/** Entries in one transaction of the naive ledger. */
const TRANSACTION = 50
const CREDIT = { account: 'main', currency: 'EUR', amount: '1', counterparty: 'external:bench' }
const BODY = JSON.stringify(CREDIT)
const fileAt = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const PEERS = fileAt('peers/')

export type Bench = {
  readonly api: Running
  readonly store: Running
  readonly databasePid: number
  readonly token: string
  readonly env: Readonly<Record<string, string>>
}

/** The command API as users run it, on an event store of its own and without a projector. */
export async function withBench<T>(measure: (bench: Bench) => Promise<T>): Promise<T> {
  const data = await mkdtemp(path.join(tmpdir(), 'kogi-bench-commands-'))
  const database = await startEmbeddedPostgres({ dataDir: path.join(data, 'postgres'), log: silentLog })
  const running: Running[] = []
  const run = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
    const one = await start([fileAt('../run.mjs'), ...args], env)
    running.unshift(one)
    return one
  }
  try {
    const store = await run(['store', 'serve', '--data', path.join(data, 'events'), '--port', '0'], {})
    const env = {
      KOGI_DATA_DIR: data,
      KOGI_PORT: '0',
      KOGI_EVENTSTORE_URL: store.url,
      KOGI_DATABASE_URL: database.url('kogi'),
      KOGI_KEYS_DATABASE_URL: database.url('kogi_keys'),
      DATABASE_URL: database.url('kogi'),
    }
    const token = await kogi(['token', '--org', 'bench', '--subject', 'bench', '--role', 'organization-admin'], env)
    const api = await run(['command-api'], env)
    for (let n = 0; n < WALLETS; n++) {
      await call(api, token, '/kwlt/wallets', { id: `w${n}`, kind: 'business' })
      await call(api, token, `/kwlt/wallets/w${n}/accounts`, { account: 'main', currency: 'EUR', overdraft: 'allowed' })
    }
    return await measure({ api, store, databasePid: database.pid, token, env })
  } finally {
    for (const one of running) await one.stop()
    await database.stop()
    await rm(data, { recursive: true, force: true })
  }
}

export const spread = (n: number) => n % WALLETS
const first = () => 0

/** Single commands through Kogi. */
export const commands = ({ api, store, token }: Bench, walletOf: (n: number) => number): Side => ({
  url: api.url,
  pids: [api.pid, store.pid],
  pathOf: n => `/api/v1/kwlt/wallets/w${walletOf(n)}/credits`,
  token,
  body: BODY,
})

/** Bulks of one wallet through Kogi. */
const bulks = ({ api, store, token }: Bench): Side => ({
  url: api.url,
  pids: [api.pid, store.pid],
  pathOf: () => '/api/v1/bulk',
  token,
  body: JSON.stringify({ commands: Array(BULK).fill({ command: 'wallet.credit', id: 'w0', body: CREDIT }) }),
  connections: 4,
  each: BULK,
})

/** Ten lines of Express that append what they are sent. */
export const startBare = ({ env }: Bench): Promise<Running> => start([fileAt('bare.ts'), 'commands'], env)

/** Many wallets, and one hot one, against ten lines of Express that append without an expected revision. */
export const commandBench = () =>
  withBench(async (bench): Promise<Figure[]> => {
    const bare = await startBare(bench)
    const appends = (streamOf: (n: number) => number): Side => ({
      url: bare.url,
      pids: [bare.pid, bench.store.pid],
      pathOf: n => `/streams/${streamOf(n)}`,
      body: BODY,
    })
    const against = (name: string, which: (n: number) => number) =>
      rateAndCpu(
        name,
        {
          ours: () => sendMany(commands(bench, which), COMMANDS),
          bare: () => sendMany(appends(which), COMMANDS),
        },
        ROUNDS,
      )
    try {
      return [...(await against('accepted_commands', spread)), ...(await against('hot_account', first))]
    } finally {
      await bare.stop()
    }
  })

/** Throws where the packages of the peers were not installed. */
export function mustHavePeers(): void {
  if (existsSync(path.join(PEERS, 'node_modules'))) return
  throw new Error('The packages of the peers are missing: npm install --legacy-peer-deps --prefix scripts/bench/peers')
}

/** The same against Emmett and a ledger on PostgreSQL alone, where their packages are there. */
export async function peerBench(): Promise<Figure[]> {
  mustHavePeers()
  return withBench(async bench => [
    ...(await peer(bench, 'emmett', side => [
      {
        name: 'commands_against_emmett',
        ours: () => sendMany(commands(bench, spread), COMMANDS),
        bare: () => sendMany(side(spread), EMMETT_COMMANDS),
      },
    ])),
    ...(await peer(bench, 'naive', side => [
      {
        name: 'hot_account_against_row_locks',
        ours: () => sendMany(commands(bench, first), COMMANDS),
        bare: () => sendMany(side(first), EMMETT_COMMANDS),
      },
      {
        name: 'bulk_entries_against_transactions_of_50',
        ours: () => sendMany(bulks(bench), BULK_ENTRIES / BULK),
        bare: () => sendMany(transactions(side(first)), BULK_ENTRIES / TRANSACTION),
      },
    ])),
  ])
}

export type Comparison = {
  readonly name: string
  readonly ours: () => Promise<Measured>
  readonly bare: () => Promise<Measured>
}
export type SideOf = (walletOf: (n: number) => number) => Side

/** Starts a peer, opens so many of its wallets and measures. Its CPU is its own and that of PostgreSQL. */
export async function peer(
  bench: Bench,
  name: string,
  compare: (side: SideOf) => readonly Comparison[],
  wallets = WALLETS,
): Promise<Figure[]> {
  const app = await start([path.join(PEERS, `${name}.mjs`)], bench.env)
  const side: SideOf = walletOf => ({
    url: app.url,
    pids: [app.pid, bench.databasePid],
    pathOf: n => `/wallets/${walletOf(n)}/credits`,
    body: BODY,
  })
  try {
    await sendMany({ ...side(spread), pathOf: n => `/wallets/${n}`, body: '{}' }, wallets)
    const figures: Figure[] = []
    for (const { name, ours, bare } of compare(side)) figures.push(...(await rateAndCpu(name, { ours, bare }, ROUNDS)))
    return figures
  } finally {
    await app.stop()
  }
}

/** The naive ledger's bulks. */
const transactions = (side: Side): Side => ({
  ...side,
  pathOf: () => '/wallets/0/bulk',
  body: n =>
    JSON.stringify({ entries: Array.from({ length: TRANSACTION }, (_, k) => ({ ...CREDIT, key: key(n, k) })) }),
  connections: 8,
  each: TRANSACTION,
})

const run = Date.now()
let bulksSent = 0
/** A key that no other entry of this run has. */
const key = (n: number, k: number) => `${run}-${k === 0 ? ++bulksSent : bulksSent}-${n}-${k}`
