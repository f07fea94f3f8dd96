/** How much of the bare operations' speed the two APIs keep, and how soon a cold start accepts a command. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { kogi, type Running, start, startKogi } from '../running.ts'
import { bulkFigures } from './bulk.ts'
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
    for (let n = 0; n < STREAMS; n++) await prepare(dev, token, n)
    const { pid: _, ...urls } = JSON.parse(await readFile(path.join(data, 'running.json'), 'utf8'))
    const bench = { data, token, env: environment(data, urls) }
    const reads = await readBench(bench)
    return [cold, ...(await commandBench(bench)), reads]
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

async function prepare(dev: Running, token: string, n: number) {
  await call(dev, token, '/kbfc/items', { id: `item-${n}`, name: `Item ${n}`, metadata: { n } })
}

/** On a store of its own: no projector may take part, on either side. */
async function commandBench({ token, env }: Bench): Promise<Figure[]> {
  const data = await mkdtemp(path.join(tmpdir(), 'kogi-bench-store-'))
  const store = await startKogi(['store', 'serve', '--data', data, '--port', '0'], {})
  const own = { ...env, KOGI_EVENTSTORE_URL: store.url, KOGI_PORT: '0' }
  const [ours, bare] = [await startKogi(['command-api'], own), await start([BARE, 'commands'], own)]
  try {
    const account = { account: 'main', currency: 'EUR', overdraft: 'allowed' }
    for (let n = 0; n < STREAMS; n++) {
      await call(ours, token, '/kwlt/wallets', { id: `w${n}`, kind: 'business' })
      await call(ours, token, `/kwlt/wallets/w${n}/accounts`, account)
    }
    const credit = { account: 'main', currency: 'EUR', amount: '1', counterparty: 'external:bench' }
    const body = JSON.stringify(credit)
    const single = await pairedRounds('accepted_commands_per_second', {
      ours: () => load(ours.url, 'POST', n => `/api/v1/kwlt/wallets/w${n % STREAMS}/credits`, { token, body }),
      bare: () => load(bare.url, 'POST', n => `/streams/${n % STREAMS}`, { body }),
    })
    return [single, ...(await bulkFigures(ours.url, token, STREAMS))]
  } finally {
    await Promise.all([ours.stop(), bare.stop()])
    await store.stop()
    await rm(data, { recursive: true, force: true })
  }
}

async function readBench({ token, env }: Bench): Promise<Figure> {
  const [ours, bare] = [await startKogi(['read-api'], { ...env, KOGI_PORT: '0' }), await start([BARE, 'reads'], env)]
  try {
    return await pairedRounds('reads_by_key_per_second', {
      ours: () => load(ours.url, 'GET', n => `/api/v1/kbfc/items/item-${n % STREAMS}`, { token }),
      bare: () => load(bare.url, 'GET', n => `/items/item-${n % STREAMS}`, {}),
    })
  } finally {
    await Promise.all([ours.stop(), bare.stop()])
  }
}
