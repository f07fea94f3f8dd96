import type { EventLog } from '../ports.ts'

export type Lag = {
  /** Domain events not passed yet: the first thousands are counted, the rest is estimated from their positions. */
  readonly events: number
  /** Age of the oldest of them, in seconds; 0 where there is none. */
  readonly seconds: number
}

/** Events counted one by one, at most. */
const COUNTED_MAX = 5_000

/** The part of the log after `after`, up to and with `to`. Fails when the event store does not answer. */
export async function lagBetween(
  log: Pick<EventLog, 'read'>,
  after: bigint,
  to: bigint,
  signal?: AbortSignal,
): Promise<Lag> {
  let events = 0
  let oldest: string | undefined
  let last = after
  if (to > after) {
    for await (const list of log.read({ after, to, max: 1_000, ...(signal && { signal }) })) {
      oldest ??= list[0]!.metadata.at
      events += list.length
      last = list.at(-1)!.position
      if (events >= COUNTED_MAX) break
    }
  }
  const rest = last < to && events > 0 ? (Number(to - last) * events) / Number(last - after) : 0
  const age = oldest === undefined ? 0 : (Date.now() - Date.parse(oldest)) / 1000
  return { events: events + Math.round(rest), seconds: Math.max(0, Number.isNaN(age) ? 0 : age) }
}
