/** What a webhook is sent, signed as Standard Webhooks 1.0 says (github.com/standard-webhooks/standard-webhooks). */
import { Webhook } from 'standardwebhooks'
import type { Delivery } from '../../domain/apps/delivery/delivery.ts'

/** Time for which the earlier secret signs as well after a rotation. */
const OVERLAP_MS = 24 * 3_600_000

/** The event as `GET /events` announces it: what has happened to which thing. Reads say the rest. */
export function messageOf(org: string, announcement: Extract<Delivery, { attempts: number }>['announcement']): string {
  const { event, category, thing, type, revision, position, at } = announcement
  const data = {
    org,
    position: String(position),
    event_id: event,
    category,
    id: thing,
    type,
    revision: String(revision),
    at,
  }
  return JSON.stringify({ type, timestamp: at, data })
}

type Message = {
  /** Names the message, over all its attempts. */
  readonly id: string
  readonly now: Date
  readonly body: string
  readonly current: string
  readonly before: string | undefined
  readonly rotatedAt: string | undefined
}

/** The headers of a message: signed under the secret and, for a while after a rotation, under the one before. */
export function signed({ id, now, body, current, before, rotatedAt }: Message): Readonly<Record<string, string>> {
  const isOverlap = rotatedAt !== undefined && now.getTime() - Date.parse(rotatedAt) < OVERLAP_MS
  const secrets = before !== undefined && isOverlap ? [current, before] : [current]
  return {
    'content-type': 'application/json',
    'user-agent': 'kogi-webhooks',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': secrets.map(secret => new Webhook(secret).sign(id, now, body)).join(' '),
  }
}
