import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Command } from '../commands/command.ts'
import type { EventStore } from '../commands/ports.ts'
import type { Rejection } from '../domain/kernel/errors.ts'
import type { Refusal } from '../read-api/audit/refusals.ts'
import type { Log } from './log.ts'

/** Refusals noted per org: so many at once, then so many a second; more are counted in the log line alone. */
const BURST = 20
const PER_SECOND = 5
const ORGS_MAX = 10_000

const streamOf = (org: string): string => `refusal-${org}`
const note = z.object({ command: z.string(), id: z.string(), code: z.string(), at: z.string().optional() })
const about = z.object({ $correlationId: z.string(), actor: z.object({ subject: z.string() }) })

/**
 * Notes refused commands for the auditors in `refusal-<org>`: command, rejection code and actor, never the body. The
 * notes are rate-limited and best effort: no command waits for its note, and the write path never reads one.
 */
export function refusals(store: EventStore, log: Log, now: () => string) {
  const buckets = new LRUCache<string, { readonly tokens: number; readonly at: number }>({
    maxSize: ORGS_MAX,
    sizeCalculation: () => 1,
  })
  const allowed = (org: string) => {
    const now = Date.now()
    const { tokens, at } = buckets.get(org) ?? { tokens: BURST, at: now }
    const left = Math.min(BURST, tokens + ((now - at) / 1000) * PER_SECOND)
    buckets.set(org, { tokens: left >= 1 ? left - 1 : left, at: now })
    return left >= 1
  }
  return (command: Command, rejection: Rejection): void => {
    const { org, subject, roles } = command.principal
    const data = { command: `${command.aggregate.name}.${command.name}`, id: command.id, code: rejection.code }
    log.info({ trace_id: command.correlationId, user_id: subject, org, ...data }, 'command refused')
    if (!allowed(org)) return
    const metadata = { $correlationId: command.correlationId, org, actor: { subject, roles: [...roles] } }
    store
      .appendDerived(streamOf(org), [
        { id: randomUUID(), type: 'CommandRefused', data: { ...data, at: now() }, metadata },
      ])
      .catch(error => log.warn({ err: error, org }, 'a refusal could not be noted'))
  }
}

/** The refusals of an org that were noted, the latest first, from a number on. */
export async function notedRefusals(
  store: Pick<EventStore, 'readDerived'>,
  org: string,
  limit: number,
  from?: bigint,
): Promise<readonly Refusal[]> {
  const events = await store.readDerived(streamOf(org), 'backwards', limit, from)
  return events.map(({ revision, data, metadata }) => {
    const { command, id, code, at } = note.parse(data)
    const { $correlationId: correlation_id, actor } = about.parse(metadata)
    return { number: revision, command, id, code, actor: actor.subject, correlation_id, ...(at && { at }) }
  })
}
