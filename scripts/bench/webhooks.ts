/** Events delivered to webhooks in a second, from the log to the note of the answer, against bare posts of the same. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { networksOf } from '../../infra/webhooks/addresses.ts'
import { poster } from '../../infra/webhooks/post.ts'
import { kogi, startKogi } from '../running.ts'
import { type Figure, paired } from './figure.ts'
import { call } from './load.ts'

const HOOKS = 8
const EVENTS = 250
/** As many posts at once as the sender makes to one webhook. */
const AT_ONCE = 4 * HOOKS
const NETWORK = '127.0.0.0/8'

export async function webhookBench(): Promise<Figure[]> {
  const data = await mkdtemp(path.join(tmpdir(), 'kogi-bench-webhooks-'))
  const env = { KOGI_DATA_DIR: data, KOGI_WEBHOOK_NETWORKS: NETWORK }
  const got: string[] = []
  const server = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      got.push(Buffer.concat(chunks).toString('utf8'))
      answer.writeHead(204).end()
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const dev = await startKogi(['dev', '--port', '0'], env)
  try {
    const token = await kogi(['token', '--org', 'bench', '--subject', 'bench', '--role', 'organization-admin'], env)
    for (let n = 0; n < HOOKS; n++)
      await call(dev, token, '/kapp/webhooks', { id: `hook-${n}`, url, types: ['ItemAdded'] })
    const began = performance.now()
    for (let n = 0; n < EVENTS; n++) await call(dev, token, '/kbfc/items', { id: `item-${n}`, name: 'x' })
    while (got.length < EVENTS * HOOKS) await sleep(5)
    const value = got.length / ((performance.now() - began) / 1_000)
    const bodies = got.splice(0)
    const post = poster({ networks: networksOf([NETWORK]) })
    const bareBegan = performance.now()
    const lane = async () => {
      for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
        await post(url, { 'content-type': 'application/json' }, body)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
    const bare = (EVENTS * HOOKS) / ((performance.now() - bareBegan) / 1_000)
    return [paired('webhooks_delivered_per_second', '1/s', [{ value, bare }])]
  } finally {
    await dev.stop()
    server.close()
    server.closeAllConnections()
    await rm(data, { recursive: true, force: true })
  }
}
