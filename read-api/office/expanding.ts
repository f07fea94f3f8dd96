/** The occurrences of events in a period, with a bound on the work: other requests get their turn meanwhile. */
import { setImmediate } from 'node:timers/promises'
import { type Occurrence, occurrencesOf, type Timed, TooMuch } from '../../domain/office/calendarevent/expand.ts'
import { invalidParameter } from '../parameters.ts'

/** Work of one answer: milliseconds, candidates of all rules together, and occurrences. */
const WORK_MS_MAX = 3_000
const CANDIDATES_MAX = 1_000_000
const FOUND_MAX = 100_000
/** Milliseconds of work without a pause. */
const SLICE_MS = 20

/** An occurrence with the event that it is of. */
export type Expanded<E> = Occurrence & { readonly event: E }

export type Window = { readonly from: number; readonly to: number; readonly zone: string }

/** The occurrences of events in a window, in order. Throws `invalid_parameter` where there are too many. */
export async function expanded<E extends Timed>(
  events: Iterable<E>,
  { from, to, zone }: Window,
): Promise<Expanded<E>[]> {
  const effort = { left: CANDIDATES_MAX }
  const found: Expanded<E>[] = []
  let [slice, worked] = [performance.now(), 0]
  for (const event of events) {
    try {
      for (const one of occurrencesOf(event, from, to, zone, effort)) found.push(Object.assign(one, { event }))
    } catch (error) {
      if (error instanceof TooMuch) throw tooMuch()
      throw error
    }
    if (found.length > FOUND_MAX) throw tooMuch()
    const passed = performance.now() - slice
    if (passed < SLICE_MS) continue
    worked += passed
    if (worked > WORK_MS_MAX) throw tooMuch()
    await setImmediate()
    slice = performance.now()
  }
  return found.sort((a, b) => a.start - b.start || a.end - b.end)
}

const tooMuch = () => invalidParameter('to', 'must be nearer to from, or name a calendar: too much takes place')
