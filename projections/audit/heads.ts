/**
 * Where the log ended at which time. A checkpoint says how far the log was folded, not up to which moment; each
 * projector therefore asks the log for its end every second, and writes down what it saw.
 */
import type { Pool } from 'pg'
import type { ProjectorLog } from '../ports.ts'

const LOG_HEADS = 'log_heads'

/** How far the clocks of synchronized machines may differ. */
const SKEW_MS = 1_000
/** How long heads are kept. A read model that lags further behind than this cannot answer for a time. */
const KEPT = '1 hour'

/** Writes down that all events until `seenAt` are at or before `head`; in milliseconds since 1970. */
export async function recordHead(pool: Pool, head: bigint, seenAt: number): Promise<void> {
  await pool.query({
    name: 'record-head',
    text: `with old as (delete from ${LOG_HEADS} where seen_at < now() - interval '${KEPT}' and position < $1)
      insert into ${LOG_HEADS} as h (position, seen_at) values ($1, $2)
      on conflict (position) do update set seen_at = greatest(h.seen_at, excluded.seen_at)`,
    values: [head, new Date(seenAt)],
  })
}

/**
 * Records every head that is seen as the end of the log `appendMs` before it was asked for, because an append may take
 * so long after the time of its event. A failure is logged when it begins, and once more when it is over.
 */
export function headRecorder(
  pool: Pool,
  log: ProjectorLog,
  appendMs: number,
): (head: bigint, askedAt: number) => Promise<void> {
  let failing = false
  return async (head, askedAt) => {
    try {
      await recordHead(pool, head, askedAt - appendMs - SKEW_MS)
      if (failing) log.info({}, 'the head of the log is recorded again')
      failing = false
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'the head of the log could not be recorded, trying again')
      failing = true
    }
  }
}

/** SQL of the moment until which everything is folded where the checkpoint `position` is; null where none is known. */
export const knownUntil = (position: string): string =>
  `(select seen_at from ${LOG_HEADS} where position <= ${position} order by position desc limit 1)`
