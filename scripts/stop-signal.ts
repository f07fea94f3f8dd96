/** Lets ^C and SIGTERM end a verb in good order. */
import { constants } from 'node:os'
import { GivenUpError } from './failing.ts'
import { stopBars } from './terminal.ts'

/**
 * A signal that ^C and SIGTERM abort with a `GivenUpError` of this message, after the line `notice`; the second one
 * ends the process at once.
 */
export function abortedByStop(notice: string, message: string): AbortSignal {
  const abort = new AbortController()
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    const status = 128 + constants.signals[signal]
    process.on(signal, () => {
      if (abort.signal.aborted) process.exit(status)
      stopBars()
      process.stderr.write(`kogi: ${notice}\n`)
      abort.abort(new GivenUpError(message, status))
    })
  }
  return abort.signal
}
