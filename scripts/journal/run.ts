/** Sends a plan through the write path, some commands at a time: cut off anywhere, it can be run again. */
import { randomUUID } from 'node:crypto'
import type { Receipt } from '../../commands/command.ts'
import { execute, type WriteDeps } from '../../commands/execute.ts'
import { KogiError, Rejection } from '../../domain/kernel/errors.ts'
import { wallet } from '../../domain/wallet/wallet/wallet.ts'
import { ImportRefused } from './journal.ts'
import { isReversal, type Plan, type Step, type Target } from './plan.ts'

/** An engine that is away, or a race that was lost, may be over soon; after this many tries it is not. */
const TRIES_MAX = 6
const FIRST_WAIT_MS = 250
/** Steps that are given together, and decided one after another: one append may hold them all. */
const TOGETHER = 100
const TRY_AGAIN = ['conflict', 'engine_unavailable', 'outcome_unknown']

/** What a run did: events appended by command, entries taken back apart, and the position of the last. */
export type Outcome = {
  readonly appended: Readonly<Record<Step['command'], number>>
  readonly reversed: number
  readonly position: bigint
}

/** What a run did that had nothing to do. */
export const nothingDone = (position: bigint): Outcome => ({
  appended: { open: 0, openAccount: 0, post: 0 },
  reversed: 0,
  position,
})

/**
 * Runs the steps of a plan, as many `together` as one append may hold. What another run has done meanwhile counts
 * as nothing.
 */
export async function runImport(
  plan: Plan,
  deps: WriteDeps,
  target: Target,
  onStep: (step: Step) => void,
  together = TOGETHER,
): Promise<Outcome> {
  const appended = { open: 0, openAccount: 0, post: 0 }
  let reversed = 0
  const correlationId = randomUUID()
  let position = 0n
  for (let at = 0; at < plan.steps.length; at += together) {
    const steps = plan.steps.slice(at, at + together)
    const answers = await Promise.allSettled(steps.map(step => execute(deps, commandOf(step, target, correlationId))))
    for (const [n, step] of steps.entries()) {
      const answer = answers[n]!
      const isSent = answer.status === 'fulfilled'
      const receipt = isSent ? answer.value : await sendAlone(step, deps, target, correlationId)
      const isNew = !receipt.replayed && receipt.events.length > 0
      if (isNew && isReversal(step)) reversed += 1
      else if (isNew) appended[step.command] += 1
      position = max(position, receipt.position)
      onStep(step)
    }
  }
  return { appended, reversed, position }
}

const max = (a: bigint, b: bigint) => (a > b ? a : b)

/** Sends a step that failed beside others, which it may have had to wait for. */
async function sendAlone(step: Step, deps: WriteDeps, target: Target, correlationId: string): Promise<Receipt> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await execute(deps, commandOf(step, target, correlationId))
    } catch (error) {
      if (error instanceof Rejection) {
        const what =
          'The wallet changed while the import ran; what stands before this, and some of the rest, is imported.'
        const message = `${error.message} ${what}`
        throw new ImportRefused(error.code, message, step.place, { cause: error })
      }
      const again = error instanceof KogiError && TRY_AGAIN.includes(error.code) && tries < TRIES_MAX
      if (!again) throw error
      await new Promise(resolve => setTimeout(resolve, FIRST_WAIT_MS * 2 ** (tries - 1)))
    }
  }
}

const commandOf = ({ command, body, key }: Step, target: Target, correlationId: string) => ({
  aggregate: wallet,
  name: command,
  id: target.wallet,
  opens: command === 'open',
  body,
  idempotencyKey: key,
  principal: { subject: target.subject, org: target.org, roles: [], permissions: [] },
  correlationId,
})
