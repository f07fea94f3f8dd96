/** Gives the commands that follow from one event. */
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import { KogiError, Rejection } from '../../domain/kernel/errors.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { type Command, mayMake } from '../command.ts'
import { execute, type WriteDeps } from '../execute.ts'
import { commandIdOf, streamOf, uuidOf } from '../ids.ts'
import type { LoadedStream } from '../streams.ts'
import type { AnyProcess, Refusal, Step } from './process.ts'

export type GiveDeps = WriteDeps & { readonly aggregates: ReadonlyMap<string, AnyAggregate> }

/** Where an event's steps begin: those before `from` are done. `abandoned`: why an operator gives up that step. */
export type Start = { readonly from: number; readonly abandoned?: string | undefined }

/** A step that could be neither given nor answered. */
export class StepError extends Error {
  override readonly name = 'StepError'
  readonly at: number
  readonly command: string
  readonly code: string

  constructor(at: number, { aggregate, name, id }: Step, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.at = at
    this.command = `${aggregate.name}.${name} ${id}`
    this.code = cause instanceof KogiError ? cause.code : 'internal'
  }
}

/**
 * Gives the steps that follow from an event, one after another. A step that is refused is answered by its `refused`
 * command, which ends the list. Every command has a key that follows from the event, so that giving it again does
 * nothing. Throws a `StepError`.
 */
export async function giveSteps(deps: GiveDeps, process: AnyProcess, event: DomainEvent, start: Start): Promise<void> {
  const steps: readonly Step[] = process.on[event.type]!(event)
  const keyOf = (...part: (number | string)[]) => uuidOf([process.name, event.eventId, ...part])
  for (const [n, step] of steps.entries()) {
    if (n < start.from) continue
    try {
      const answer = (refusal: Refusal) =>
        execute(deps, commandOf(process, event, step.refused!(refusal), keyOf(n, 'refused')))
      if (start.abandoned !== undefined && n === start.from && !(await isDone(deps, event, step, keyOf(n)))) {
        if (step.refused) await answer({ code: 'abandoned', message: start.abandoned })
        return
      }
      // A refusal that was answered stands, also where the rules would now say yes.
      if (step.refused && (await isAnswered(deps, event, () => keyOf(n, 'refused')))) return
      try {
        const { events } = await execute(deps, commandOf(process, event, step, keyOf(n)))
        if (step.needs !== undefined && !events.some(({ type }) => type === step.needs)) return
      } catch (error) {
        if (!step.refused || !isRefusal(error)) throw error
        await answer({ code: error.code, message: error.message, details: error.details })
        return
      }
    } catch (error) {
      throw new StepError(n, step, error)
    }
  }
}

/** Events of an unreadable stream that are looked through at once. */
const PAGE = 4_096

/** Codes other than those of the rules that say a definite no. */
const REFUSALS: ReadonlySet<string> = new Set(['not_found', 'reference_unknown', 'reference_removed', 'subject_erased'])

const isRefusal = (error: unknown): error is KogiError =>
  error instanceof Rejection || (error instanceof KogiError && REFUSALS.has(error.code))

/** The command of a step, caused by the event. */
function commandOf(process: AnyProcess, event: DomainEvent, step: Step, idempotencyKey: string): Command {
  const { aggregate, name, id, body } = step
  const named = 'id' in aggregate.commands[name]!.shape
  const { org, $correlationId } = event.metadata
  return {
    aggregate,
    name,
    id,
    opens: mayMake(aggregate, name),
    named,
    body,
    isOfBulk: true,
    idempotencyKey,
    principal: { subject: actorOf(process.name), org, roles: [], permissions: [] },
    correlationId: $correlationId,
    causationId: event.eventId,
    behalf: event.metadata.behalf ?? event.metadata.actor,
  }
}

/** The subject that events name as the actor where a process gave the command. */
export const actorOf = (process: string): string => `process:${process}`

/** Whether the process has answered the refusal of a step in the stream of the event, which is its own. */
async function isAnswered(deps: GiveDeps, { category, stream, revision, metadata }: DomainEvent, keyOf: () => string) {
  const { loaded } = await deps.streams.load(deps.aggregates.get(category)!, stream)
  // Nothing has followed the event.
  if (loaded.revision <= revision) return false
  return contains(deps, loaded, commandIdOf(metadata.org, stream, keyOf()))
}

/** Whether a step is in the log, also where its target can be decided on no more: that is when steps are given up. */
async function isDone(deps: GiveDeps, { metadata: { org } }: DomainEvent, step: Step, key: string): Promise<boolean> {
  const stream = streamOf(org, step.aggregate.name, step.id)
  const commandId = commandIdOf(org, stream, key)
  deps.streams.forget(stream) // an append without an answer may be in the log
  try {
    return await holds(deps, step.aggregate, stream, commandId)
  } catch (error) {
    if (!(error instanceof KogiError && error.code === 'event_unreadable')) throw error
    for (let from = 0n; ; from += BigInt(PAGE)) {
      const events = await deps.store.read(stream, from, PAGE)
      if (events.some(({ metadata }) => metadata?.commandId === commandId)) return true
      if (events.length < PAGE) return false
    }
  }
}

async function holds(deps: GiveDeps, aggregate: AnyAggregate, stream: string, commandId: string): Promise<boolean> {
  return contains(deps, (await deps.streams.load(aggregate, stream)).loaded, commandId)
}

async function contains({ store }: GiveDeps, { stream, commands }: LoadedStream, commandId: string): Promise<boolean> {
  for (const { from, count } of commands.candidates(commandId)) {
    const events = await store.read(stream, BigInt(from), count)
    if (events.some(({ metadata }) => metadata?.commandId === commandId)) return true
  }
  return false
}
