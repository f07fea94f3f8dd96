/** What the gateway costs: reads through it against the same reads without it, and what it adds to one request. */
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { kogi, startKogi } from '../running.ts'
import { alone, type Figure, median } from './figure.ts'
import { call, load, pairedRounds } from './load.ts'

const ITEMS = 200
const ALONE = 1_500

/** Reads by key/s through the gateway, and the milliseconds that it adds to a request that comes alone. */
export async function gatewayBench(): Promise<Figure[]> {
  const data = await mkdtemp(path.join(tmpdir(), 'kogi-bench-'))
  const env = { KOGI_DATA_DIR: data, KOGI_RATE_LIMITS: 'caller=100000000/60,org=100000000/60' }
  const dev = await startKogi(['dev', '--port', '0'], env)
  const behind = { KOGI_GATEWAY_COMMANDS: dev.url, KOGI_GATEWAY_READS: dev.url }
  const gateway = await startKogi(['gateway', '--port', '0'], { ...env, ...behind })
  try {
    const token = await kogi(['token', '--org', 'bench', '--subject', 'bench', '--role', 'organization-admin'], env)
    for (let n = 0; n < ITEMS; n += 1) await call(dev, token, '/kbfc/items', { id: `item-${n}`, name: `Item ${n}` })
    const pathOf = (n: number) => `/api/v1/kbfc/items/item-${n % ITEMS}`
    await fetch(`${dev.url}${pathOf(ITEMS - 1)}`, { headers: { authorization: `Bearer ${token}` } })
    const sides = {
      direct: () => load(dev.url, 'GET', pathOf, { token }),
      gateway: () => load(gateway.url, 'GET', pathOf, { token }),
    }
    const pair = { name: 'reads_through_gateway_per_second', of: 'gateway', against: 'direct' } as const
    const [rate] = await pairedRounds(sides, [pair])
    return [{ ...rate!, goal: { least: 0.7 } }, await added({ direct: dev.url, gateway: gateway.url, token })]
  } finally {
    await gateway.stop()
    await dev.stop()
    await rm(data, { recursive: true, force: true })
  }
}

type Sides = { readonly direct: string; readonly gateway: string; readonly token: string }

/** The median of requests one after the other through the gateway, less that without it, in turns. */
async function added({ direct, gateway, token }: Sides): Promise<Figure> {
  const agent = new Agent({ keepAlive: true })
  const took = { direct: [] as number[], gateway: [] as number[] }
  const ask = (url: string) =>
    new Promise<number>((resolve, reject) => {
      const start = performance.now()
      const options = { agent, headers: { authorization: `Bearer ${token}` } }
      get(`${url}/api/v1/kbfc/items/item-1`, options, answer => {
        answer.resume()
        answer.once('end', () => resolve(performance.now() - start))
      }).once('error', reject)
    })
  for (let n = 0; n < ALONE; n += 1) {
    took.direct.push(await ask(direct))
    took.gateway.push(await ask(gateway))
  }
  agent.destroy()
  return alone('gateway_added_p50_ms', median(took.gateway) - median(took.direct), 'ms', { most: 1 })
}
