/**
 * Until when everything is known. A checkpoint says how far the log was folded, not up to which moment: that takes
 * somebody who asked the log for its end at that moment. A projector does, every second, and writes down what it saw.
 */
import type { Pool } from 'pg'
import type { ProjectorLog } from '../ports.ts'

/** How far the clocks of synchronized machines may differ. */
const SKEW_MS = 1_000
/** Heads are kept so long: questions about what was before are answered again when the lag is shorter than this. */
const KEPT = '1 hour'

/** Writes down that all events until `seenAt` are at or before `head`; in milliseconds since 1970. */
export async function recordHead(pool: Pool, head: bigint, seenAt: number): Promise<void> {
  await pool.query({
    name: 'record-head',
    text: `with old as (delete from log_heads where seen_at < now() - interval '${KEPT}' and position < $1)
      insert into log_heads as h (position, seen_at) values ($1, $2)
      on conflict (position) do update set seen_at = greatest(h.seen_at, excluded.seen_at)`,
    values: [head, new Date(seenAt)],
  })
}

/**
 * Records every head that is seen, as what was there `appendMs` before it was asked for: that is how long an append may
 * take after the time of its event. What hinders it is logged when it begins, and again when it has passed.
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
  `(select seen_at from log_heads where position <= ${position} order by position desc limit 1)`
