/** Sends what an import decided, in its order: cut off anywhere, it can be sent again. */
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Command, Receipt } from '../command.ts'
import { execute, type WriteDeps } from '../execute.ts'

/** An engine that is away, or a race that was lost, may be over soon; after this many tries it is not. */
const TRIES_MAX = 6
const FIRST_WAIT_MS = 250
const TRY_AGAIN = ['conflict', 'engine_unavailable', 'outcome_unknown']
/** Commands that wait for one stream together: what one append holds, and some to keep the log busy. */
const AT_ONCE = 1000

/** Gives a command, again where an engine did not answer. Its key makes it take effect once. */
export async function give(deps: WriteDeps, command: Command): Promise<Receipt> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await execute(deps, command)
    } catch (error) {
      const again = error instanceof KogiError && TRY_AGAIN.includes(error.code) && tries < TRIES_MAX
      if (!again) throw error
      await new Promise(resolve => setTimeout(resolve, FIRST_WAIT_MS * 2 ** (tries - 1)))
    }
  }
}

/** Gives commands of one thing in their order, many in one append. Returns how many changed something, and where. */
export async function giveAll(
  deps: WriteDeps,
  commands: readonly Command[],
  onGiven: (count: number) => void = () => {},
): Promise<{ readonly changed: number; readonly position: bigint }> {
  let [changed, position] = [0, 0n]
  for (let from = 0; from < commands.length; from += AT_ONCE) {
    const some = commands.slice(from, from + AT_ONCE)
    for (const receipt of await Promise.all(some.map(command => give(deps, { ...command, isOfBulk: true })))) {
      if (!receipt.replayed && receipt.events.length > 0) changed += 1
      if (receipt.position > position) position = receipt.position
    }
    onGiven(some.length)
  }
  return { changed, position }
}
