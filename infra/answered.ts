import type { Command } from '../commands/command.ts'
import type { Outcome } from '../commands/execute.ts'
import { KogiError } from '../domain/kernel/errors.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** Counts every command by its outcome, and logs one line for each that was accepted. */
export function answeredCommands(log: Log, metrics: Metrics | undefined) {
  return (command: Command, outcome: Outcome, durationMs: number): void => {
    const name = `${command.aggregate.name}.${command.name}`
    const word = wordFor(command, outcome)
    metrics?.commandAnswered(name, word)
    if ('error' in outcome || command.dryRun || !log.isLevelEnabled('info')) return
    const { stream, revision } = outcome.receipt
    const { subject, org } = command.principal
    const context = { command: name, outcome: word, stream, revision: String(revision), org }
    const duration_ms = Math.round(durationMs * 1000) / 1000
    log.info({ trace_id: command.correlationId, user_id: subject, duration_ms, context }, 'command accepted')
  }
}

function wordFor({ dryRun }: Command, outcome: Outcome): string {
  if ('error' in outcome) return outcome.error instanceof KogiError ? outcome.error.code : 'internal'
  if (dryRun) return 'dry_run'
  if (outcome.receipt.replayed) return 'replayed'
  return outcome.receipt.events.length === 0 ? 'unchanged' : 'accepted'
}
