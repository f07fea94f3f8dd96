/** How fast transfers end, beside the four appends that a transfer is made of, done bare. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ANY, EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { execute } from '../../commands/execute.ts'
import { ProcessRunner } from '../../commands/processes/runner.ts'
import { transferProcess } from '../../commands/processes/wallet/transfer.ts'
import { transfer } from '../../domain/wallet/transfer/transfer.ts'
import { wallet } from '../../domain/wallet/wallet/wallet.ts'
import { aggregates, domainStreamPrefixes } from '../../infra/catalogue.ts'
import { loadConfig } from '../../infra/config.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { silentLog } from '../../infra/log.ts'
import { openWriteSide } from '../../infra/write-side.ts'
import { startKogi } from '../running.ts'
import { type Figure, paired } from './figure.ts'

const WALLETS = 100
const TRANSFERS = 1_000
const ROUNDS = 3
const AT_ONCE = 64
/** No personal data is sealed here, so that nothing connects to it. */
const NO_DATABASE = 'postgres://nobody@127.0.0.1:1/none'
const PRINCIPAL = { subject: 'bench', org: 'bench', roles: [], permissions: [] }
const ACCOUNT = { account: 'main', currency: 'EUR' }

type Side = ReturnType<typeof openWriteSide>

/** Transfers/s from the request in the log to the end, by one worker, and four bare appends for each. */
export async function transferBench(): Promise<Figure[]> {
  const data = await mkdtemp(path.join(tmpdir(), 'kogi-bench-transfers-'))
  const store = await startKogi(['store', 'serve', '--data', data, '--port', '0'], {})
  const urls = { eventStoreUrl: store.url, databaseUrl: NO_DATABASE, keysDatabaseUrl: NO_DATABASE }
  const side = openWriteSide(urls, loadConfig({}), silentLog)
  // One worker for all rounds, as one that has run for a while: it knows what it did itself, and none of the requests.
  const own = openWriteSide(urls, loadConfig({}), silentLog)
  try {
    await inLanes(WALLETS, n => openWallet(side, n))
    const rounds: { value: number; bare: number }[] = []
    for (let round = -1; round < ROUNDS; round++) {
      const bare = await bareAppends(store.url, round)
      const value = await transfersEnd(side, own, store.url, round)
      if (round >= 0) rounds.push({ value, bare })
    }
    return [paired('transfers_per_second', '1/s', rounds)]
  } finally {
    await Promise.all([side.close(), own.close()])
    await store.stop()
    await rm(data, { recursive: true, force: true })
  }
}

/** Does a numbered work as often, some of it at the same time. */
async function inLanes(count: number, work: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

const send = ({ deps }: Side, aggregate: typeof wallet | typeof transfer, name: string, id: string, body: object) =>
  execute(deps, {
    aggregate,
    name,
    id,
    opens: name === 'open' || name === 'request',
    body,
    idempotencyKey: `${name}-${id}`,
    principal: PRINCIPAL,
    correlationId: 'bench',
  })

async function openWallet(side: Side, n: number): Promise<void> {
  await send(side, wallet, 'open', `w${n}`, { kind: 'business' })
  await send(side, wallet, 'openAccount', `w${n}`, { ...ACCOUNT, overdraft: 'refused' })
  await send(side, wallet, 'credit', `w${n}`, { ...ACCOUNT, amount: 1_000_000n, counterparty: 'external:bench' })
}

async function transfersEnd(side: Side, own: Side, url: string, round: number): Promise<number> {
  const movement = { from_account: 'main', to_account: 'main', currency: 'EUR', amount: 1n }
  await inLanes(TRANSFERS, n =>
    send(side, transfer, 'request', `t${round}-${n}`, {
      from: `w${n % WALLETS}`,
      to: `w${(n + 1) % WALLETS}`,
      ...movement,
    }),
  )
  const log = eventLog({ url, prefixes: domainStreamPrefixes })
  const stop = new AbortController()
  let ended = 0
  let end = () => {}
  const all = new Promise<void>(resolve => {
    end = resolve
  })
  const runner = new ProcessRunner({
    ...own.deps,
    aggregates: new Map(aggregates.map(aggregate => [aggregate.name, aggregate])),
    processes: [transferProcess],
    worker: 'bench',
    follow: log.follow,
    log: silentLog,
    onStep(_, outcome, { type }) {
      if (type === 'TransferRequested' && outcome === 'done' && ++ended === TRANSFERS) end()
    },
  })
  const start = performance.now()
  const running = runner.run(stop.signal)
  await Promise.race([all, running])
  const seconds = (performance.now() - start) / 1_000
  stop.abort()
  await running
  await log.close()
  return TRANSFERS / seconds
}

/** What a transfer leaves in the log, without a decision: hold, credit, capture and completion in their streams. */
async function bareAppends(url: string, round: number): Promise<number> {
  const client = EventStoreDBClient.connectionString(url)
  const amount = { ...ACCOUNT, amount: '1' }
  const metadata = {
    org: 'bench',
    at: new Date().toISOString(),
    commandId: 'c'.repeat(36),
    fingerprint: 'f'.repeat(64),
  }
  const append = (stream: string, type: string, data: object) =>
    client.appendToStream(stream, jsonEvent({ type, data: data as never, metadata }), { expectedRevision: ANY })
  const start = performance.now()
  await inLanes(TRANSFERS, async n => {
    const [from, to] = [`bare-w${n % WALLETS}`, `bare-w${(n + 1) % WALLETS}`]
    await append(from, 'FundsHeld', { hold: `h${n}`, ...amount })
    await append(to, 'EntryPosted', { entry: `e${n}`, kind: 'credit', postings: [amount, amount] })
    await append(from, 'HoldCaptured', { hold: `h${n}`, ...amount, released: '0', entry: `e${n}` })
    await append(`bare-t${round}-${n}`, 'TransferCompleted', {})
  })
  const seconds = (performance.now() - start) / 1_000
  await client.dispose()
  return TRANSFERS / seconds
}
