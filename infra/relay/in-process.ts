import { Waker } from '../../projections/waker.ts'
import { type Bus, BusMovedError, type Delivered } from './bus.ts'

const BODY_BYTES_MAX = 1_048_576
const RETRY_MS = 50

/** A bus in memory, with the contract of the other: for one process, for as long as that lives. */
export function inProcessBus(): Bus {
  const messages: Delivered[] = []
  const ids = new Map<string, number>()
  const done = new Map<string, number>()
  const wakers = new Set<Waker>()
  return {
    end: async () => messages.length,
    bodyBytesMax: () => BODY_BYTES_MAX,
    async publish(message, after) {
      const known = ids.get(message.id)
      if (known !== undefined) return { sequence: known, isDuplicate: true }
      if (after !== messages.length) throw new BusMovedError(`the bus ends at ${messages.length}, not at ${after}`)
      const sequence = messages.push({ ...message, sequence: after + 1 })
      ids.set(message.id, sequence)
      for (const waker of wakers) waker.wake()
      return { sequence, isDuplicate: false }
    },
    async consume({ name, filter }, handle, signal) {
      const waker = new Waker()
      wakers.add(waker)
      const fits = matcherOf(filter)
      for (let at = done.get(name) ?? 0; !signal.aborted; at = done.get(name) ?? 0) {
        const next = messages[at]
        if (!next) await waker.wait(60_000, signal)
        else if (!fits(next.subject)) done.set(name, at + 1)
        else {
          await handle(next).then(
            () => done.set(name, at + 1),
            () => waker.wait(RETRY_MS, signal),
          )
        }
      }
      wakers.delete(waker)
    },
    close: async () => {},
  }
}

/** Whether a subject fits a filter: `*` is any one token, `>` one or more at the end. */
function matcherOf(filter: string): (subject: string) => boolean {
  const wanted = filter.split('.')
  return subject => {
    const tokens = subject.split('.')
    return (
      wanted.every((token, at) => token === '*' || token === '>' || token === tokens[at]) &&
      (wanted.at(-1) === '>' ? tokens.length >= wanted.length : tokens.length === wanted.length)
    )
  }
}
