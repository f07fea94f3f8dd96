import type { z } from 'zod'
import { events } from '../../domain/apps/delivery/messages.ts'
import { id, integer, list, object, oneOf, text, timestamp, unsigned64, uuid } from '../../domain/kernel/schema.ts'
import { existing, type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

/** Attempts that a row shows: the last ones. */
const SHOWN_MAX = 50

const attempt = object({
  attempt: integer(1, 1_000_000),
  at: timestamp,
  status: integer(100, 999).optional(),
  failure: text(64).optional(),
  latency_ms: integer(0, 3_600_000),
})

const row = object({
  org: id('org'),
  id: id('delivery'),
  webhook: id('webhook'),
  status: oneOf('waiting', 'delivered', 'parked'),
  event_id: uuid,
  category: text(64),
  thing: id('thing'),
  type: text(255),
  event_position: unsigned64,
  attempts: unsigned64,
  last_status: integer(100, 999).optional(),
  last_failure: text(64).optional(),
  last_latency_ms: integer(0, 3_600_000).optional(),
  log: list(attempt, SHOWN_MAX).meta({ description: `the last ${SHOWN_MAX} attempts, oldest first` }),
  due_at: timestamp.optional().meta({ description: 'when it is tried next' }),
  parked_position: unsigned64.optional().meta({ description: 'position at which it was parked' }),
  revision: unsigned64,
  requested_at: timestamp,
  updated_at: timestamp,
  delivered_at: timestamp.optional(),
})
type Row = z.output<typeof row>
type Attempt = {
  readonly attempt: number
  readonly status?: number | undefined
  readonly failure?: string | undefined
  readonly latencyMs: number
}

const tried = ({ attempt, status, failure, latencyMs }: Attempt, { log }: Row, at: string) => ({
  attempts: BigInt(attempt),
  last_status: status,
  last_failure: failure,
  last_latency_ms: latencyMs,
  log: [...log, { attempt, at, status, failure, latency_ms: latencyMs }].slice(-SHOWN_MAX),
})

const on: Handlers<Row, typeof events> = {
  DeliveryRequested: made(({ event, position, webhook, category, thing, type }, at) => ({
    webhook,
    status: 'waiting',
    event_id: event,
    category,
    thing,
    type,
    event_position: position,
    attempts: 0n,
    log: [],
    due_at: at,
    requested_at: at,
  })),
  DeliverySucceeded: changed((data, row, at) => ({
    ...tried(data, row, at),
    status: 'delivered',
    due_at: undefined,
    delivered_at: at,
  })),
  DeliveryFailed: {
    keys: ({ metadata: { org, id } }) => [{ org, id }],
    fold: (row, event) => {
      const { data, metadata, position, revision } = event
      const before = existing(row, event)
      const isParked = data.dueAt === undefined
      return {
        ...before,
        ...tried(data, before, metadata.at),
        status: isParked ? 'parked' : 'waiting',
        parked_position: isParked ? position : undefined,
        due_at: data.dueAt,
        revision,
        updated_at: metadata.at,
      }
    },
  },
  DeliveryReplayed: changed((_, __, at) => ({ status: 'waiting', due_at: at, parked_position: undefined })),
}

/** One row per delivery, with its attempts: what the sender works through. */
export const deliveries = projection({
  name: 'deliveries',
  service: 'apps',
  version: 1,
  history: true,
  of: { delivery: events },
  row,
  key: ['org', 'id'],
  indexes: [
    ['status', 'due_at'],
    ['org', 'webhook', 'event_position'],
    ['org', 'webhook', 'category', 'thing', 'status', 'event_position'],
  ],
  on,
  reads: [
    {
      one: 'delivery',
      many: 'deliveries',
      path: '/deliveries',
      permission: 'webhooks.read',
      names: ['id'],
      order: ['id'],
      filters: ['webhook', 'status', 'category', 'type', 'thing', 'last_status', 'last_failure', 'requested_at'],
      groups: ['webhook', 'status', 'category', 'type', 'last_status', 'last_failure', 'requested_at'],
      sums: ['attempts'],
      summary: {
        list: 'The deliveries to webhooks, with status and latency of their attempts.',
        get: 'A delivery with its attempts.',
      },
    },
  ],
})
