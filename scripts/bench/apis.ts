/** How much of the bare operations' speed the two APIs keep, and how soon a cold start accepts a command. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { items } from '../../projections/briefcase/items.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { kogi, start, startKogi } from '../running.ts'
import { commandSides } from './bulk.ts'
import { alone, type Figure } from './figure.ts'
import { call, load, pairedRounds } from './load.ts'

const STREAMS = 500
const ORG = 'bench'
const BARE = fileURLToPath(new URL('bare.ts', import.meta.url))

type Bench = { readonly data: string; readonly token: string; readonly env: Record<string, string> }

/** Accepted commands/s over HTTP, alone and in bulks, and reads by key/s. */
export async function apiBench(): Promise<Figure[]> {
  const data = await mkdtemp(path.join(tmpdir(), 'kogi-bench-'))
  const started = performance.now()
  const dev = await startKogi(['dev', '--port', '0'], { KOGI_DATA_DIR: data })
  try {
    const token = await kogi(['token', '--org', ORG, '--subject', 'bench', '--role', 'organization-admin'], {
      KOGI_DATA_DIR: data,
    })
    await call(dev, token, '/kbfc/items', { id: 'first', name: 'First' })
    const cold = alone('cold_start_to_first_command', (performance.now() - started) / 1000, 's')
    await inTurns(n => call(dev, token, '/kbfc/items', { id: `item-${n}`, name: `Item ${n}`, metadata: { n } }))
    const { pid: _, ...urls } = JSON.parse(await readFile(path.join(data, 'running.json'), 'utf8'))
    const bench = { data, token, env: environment(data, urls) }
    const reads = await readBench(bench)
    return [cold, ...(await commandBench(bench)), ...reads]
  } finally {
    await dev.stop()
    await rm(data, { recursive: true, force: true })
  }
}

const environment = (data: string, urls: Record<string, string>) => ({
  KOGI_DATA_DIR: data,
  KOGI_EVENTSTORE_URL: urls.eventStoreUrl!,
  KOGI_DATABASE_URL: urls.databaseUrl!,
  KOGI_KEYS_DATABASE_URL: urls.keysDatabaseUrl!,
})

/** Prepares each stream, some at a time. */
async function inTurns(prepare: (n: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < STREAMS; from += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, n) => prepare(from + n)))
  }
}

/** One by one and in bulks, on a store of its own: no projector takes part. `commands.ts` has the bare operation. */
async function commandBench({ token, env }: Bench): Promise<Figure[]> {
  const data = await mkdtemp(path.join(tmpdir(), 'kogi-bench-store-'))
  const store = await startKogi(['store', 'serve', '--data', data, '--port', '0'], {})
  const own = { ...env, KOGI_EVENTSTORE_URL: store.url, KOGI_PORT: '0' }
  const ours = await startKogi(['command-api'], own)
  try {
    const account = { account: 'main', currency: 'EUR', overdraft: 'allowed' }
    await inTurns(async n => {
      await call(ours, token, '/kwlt/wallets', { id: `w${n}`, kind: 'business' })
      await call(ours, token, `/kwlt/wallets/w${n}/accounts`, account)
    })
    return await pairedRounds(commandSides(ours.url, token, STREAMS), [
      { name: 'commands_of_one_wallet_per_second', of: 'hot', against: 'single' },
      { name: 'bulk_commands_per_second', of: 'bulk', against: 'single' },
      { name: 'bulk_commands_of_one_wallet_per_second', of: 'hotBulk', against: 'single' },
    ])
  } finally {
    await ours.stop()
    await store.stop()
    await rm(data, { recursive: true, force: true })
  }
}

async function readBench({ token, env }: Bench): Promise<Figure[]> {
  const [ours, bare] = [
    await startKogi(['read-api'], { ...env, KOGI_PORT: '0' }),
    await start([BARE, 'reads', tableOf(items)], env),
  ]
  try {
    const sides = {
      bare: () => load(bare.url, 'GET', n => `/items/item-${n % STREAMS}`, {}),
      ours: () => load(ours.url, 'GET', n => `/api/v1/kbfc/items/item-${n % STREAMS}`, { token }),
    }
    return await pairedRounds(sides, [{ name: 'reads_by_key_per_second', of: 'ours', against: 'bare' }])
  } finally {
    await Promise.all([ours.stop(), bare.stop()])
  }
}
