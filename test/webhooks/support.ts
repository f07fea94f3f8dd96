/** A sender with a clock of its own, on a system without a worker. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { Command } from '../../commands/command.ts'
import { execute } from '../../commands/execute.ts'
import { delivery } from '../../domain/apps/delivery/delivery.ts'
import { webhook } from '../../domain/apps/webhook/webhook.ts'
import { guards, projections } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool } from '../../infra/postgres.ts'
import { readableWith } from '../../infra/processes/worker.ts'
import { networksOf } from '../../infra/webhooks/addresses.ts'
import { type Post, poster } from '../../infra/webhooks/post.ts'
import { senderRows } from '../../infra/webhooks/rows.ts'
import { Sender } from '../../infra/webhooks/sender.ts'
import { openWriteSide } from '../../infra/write-side.ts'
import type { App } from '../support/app.ts'
import type { Client } from '../support/client.ts'

export type Sending = {
  /** Moves the clock on. */
  readonly pass: (seconds: number) => void
  readonly stop: () => Promise<void>
  /** Registers a webhook by who holds these permissions alone. */
  readonly register: (org: string, id: string, url: string, permissions: readonly string[]) => Promise<void>
}

/** Starts a sender; `post` may take the place of real posts to the loopback interface. */
export function startSender({ urls, config }: App, options: { readonly post?: Post; readonly passed?: number } = {}) {
  let passed = (options.passed ?? 0) * 1_000
  const now = () => new Date(Date.now() + passed).toISOString()
  const side = openWriteSide(urls, config, silentLog)
  const deps = { ...side.deps, now }
  const pool = createPool({ url: urls.databaseUrl, name: 'read', log: silentLog, max: 2 })
  const sender = new Sender({
    ...deps,
    rows: senderRows(pool, projections, guards),
    post: options.post ?? poster({ networks: networksOf(['127.0.0.0/8']), timeoutMs: 500 }),
    readable: readableWith,
    log: silentLog,
  })
  const stopping = new AbortController()
  const running = sender.run(stopping.signal)
  const sending: Sending = {
    pass(seconds) {
      passed += seconds * 1_000
    },
    async stop() {
      stopping.abort()
      await running
      await Promise.all([side.close(), pool.end()])
    },
    async register(org, id, url, permissions) {
      const principal = { subject: 'maker', org, roles: [], permissions }
      const given = { aggregate: webhook, name: 'register', id, opens: true, named: true, body: { url } }
      await execute(deps, { ...given, idempotencyKey: id, principal, correlationId: id })
    },
  }
  return sending
}

/** The command that requests a delivery, which the sender gives. */
export const requestedDelivery = (org: string): Command => ({
  aggregate: delivery,
  name: 'request',
  id: 'delivery-1',
  opens: true,
  named: true,
  body: {
    webhook: 'hook-1',
    event: '6f1d3c0a-5b8e-5f77-96c2-a4e1d0b37f58',
    category: 'task',
    thing: 'task-1',
    type: 'TaskCreated',
    revision: 0n,
    position: 1n,
    at: '2026-01-31T12:00:00.000Z',
  },
  idempotencyKey: 'delivery-1',
  principal: { subject: 'process:webhooks', org, roles: [], permissions: [] },
  correlationId: 'delivery-1',
})

/** Sends a command; answers the data of its receipt. */
export async function sent(client: Client, path: string, body: object = {}, method = 'POST') {
  const { status, body: answer } = await client.call(method, `/api/v1${path}`, { body })
  expect([200, 201], JSON.stringify(answer)).to.include(status)
  return answer.data
}

export type DeliveryRow = {
  readonly id: string
  readonly status: string
  readonly type: string
  readonly thing: string
  readonly last_failure: string | null
  readonly last_status: number | null
  readonly attempts: string
  readonly due_at: string | null
  readonly event_position: string
  readonly log: readonly { readonly attempt: number; readonly status?: number; readonly latency_ms: number }[]
}

/** The deliveries of a webhook in the order of their events, once they are as wanted. */
export async function deliveriesOf(
  client: Client,
  webhookId: string,
  isWanted: (rows: readonly DeliveryRow[]) => boolean,
  seconds = 20,
): Promise<readonly DeliveryRow[]> {
  for (const end = Date.now() + seconds * 1_000; ; await sleep(20)) {
    const { body } = await client.call('GET', `/api/v1/kapp/deliveries?limit=500&webhook=${webhookId}`)
    const rows = (body.data as readonly DeliveryRow[]).toSorted(
      (a, b) => Number(a.event_position) - Number(b.event_position),
    )
    if (isWanted(rows)) return rows
    if (Date.now() > end) expect.fail(`the deliveries stay as they are: ${JSON.stringify(rows).slice(0, 2_000)}`)
  }
}

export const all =
  (status: string, count: number) =>
  (rows: readonly DeliveryRow[]): boolean =>
    rows.length === count && rows.every(row => row.status === status)
