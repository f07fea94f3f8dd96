/** The works of a worker that look again and again for what there is to do. */
import { paused } from '../commands/processes/pause.ts'
import type { RowChanges } from '../commands/processes/timers.ts'

/** How long a work rests after a look: a pause, and then, while changes of rows are heard, until there is one. */
type Rest = { readonly pauseMs: number; readonly changeMs?: number }

export type Looking = {
  /** Looks once, and says how long to rest. */
  readonly look: () => Promise<Rest>
  /** The pause after a look that failed. */
  readonly retryMs: number
  /** Takes the error of the last look, or that there was none. */
  readonly onTrouble: (trouble: Error | undefined) => void
  /** Says when rows may have changed; without it they are looked at all the time. */
  readonly changes?: RowChanges | undefined
}

/** Looks until the signal aborts. A look that fails is done again. */
export async function keepLooking(signal: AbortSignal, { look, retryMs, onTrouble, changes }: Looking): Promise<void> {
  while (!signal.aborted) {
    const ticket = changes?.ticket() ?? 0
    let rest: Rest = { pauseMs: retryMs }
    try {
      rest = await look()
      onTrouble(undefined)
    } catch (error) {
      if (!signal.aborted) onTrouble(error as Error)
    }
    await paused(rest.pauseMs, signal)
    if (rest.changeMs !== undefined && changes?.isListening()) await changes.changed(ticket, rest.changeMs, signal)
  }
  onTrouble(undefined)
}
