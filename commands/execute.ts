import type { AnyAggregate, Context, EventOf, Vocabulary } from '../domain/kernel/aggregate.ts'
import type { EventCodec } from '../domain/kernel/codec.ts'
import { KogiError, Rejection } from '../domain/kernel/errors.ts'
import type { DomainEvent, Metadata, StoredEvent } from '../domain/kernel/event.ts'
import { toWire } from '../domain/kernel/json.ts'
import type { Principal } from '../domain/kernel/route.ts'
import type { Histories, History } from './history.ts'
import { commandIdOf, fingerprintOf, streamOf, uuidOf } from './ids.ts'
import { type EventStore, LostRaceError, type NewEvent } from './ports.ts'

/** How often a command is decided again after another process was faster, before it is given up. */
const RACES_MAX = 3

/** A request to change one thing, complete: parsed, sealed, named. */
export type Command = {
  readonly aggregate: AnyAggregate
  readonly name: string
  /** The thing's id in its org. */
  readonly id: string
  /** Whether the command may make the thing. */
  readonly opens: boolean
  readonly body: unknown
  /** What the fingerprint is made of: the body as it came, without personal fields. */
  readonly fingerprintBody: unknown
  readonly idempotencyKey: string
  readonly principal: Principal
  readonly correlationId: string
  readonly causationId?: string
  /** Revision the caller has seen (`If-Match`); -1 for a thing that must not exist yet. */
  readonly expectedRevision?: bigint
  /** Subjects whose personal data the body holds, sealed. */
  readonly subjects: readonly string[]
}

/** What an accepted command returns. `events` is empty where the command changed nothing. */
export type Receipt = {
  readonly id: string
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
  readonly events: readonly Pick<DomainEvent, 'type' | 'eventId' | 'revision' | 'data'>[]
  readonly replayed: boolean
}

export type WriteDeps = {
  readonly store: EventStore
  readonly codec: EventCodec
  readonly histories: Histories
  readonly turns: Turns
  /** The instant, as `timestamp`. */
  readonly now: () => string
  /** Notes a refusal for the auditors: best effort, never waited for. */
  readonly onRefused: (command: Command, rejection: Rejection) => void
}

/**
 * The only write path: wait for the stream's turn → load → was this command already done? → expected revision →
 * decide → append with the revision read → receipt. A state from the cache may only accept, because the append proves
 * it fresh: before anything else is answered, the tail is read and the command looked at again.
 */
export async function execute(deps: WriteDeps, command: Command): Promise<Receipt> {
  const { aggregate } = command
  const stream = streamOf(command.principal.org, aggregate.name, command.id)
  const commandId = commandIdOf(command.principal.org, stream, command.idempotencyKey)
  const fingerprint = fingerprintOf(command.name, command.fingerprintBody)

  return deps.turns.take(stream, async () => {
    try {
      let { history, fresh } = await deps.histories.load(aggregate, stream)
      for (let races = 0; ; ) {
        const done = await findDone(deps, history, commandId, fingerprint)
        if (done) return receipt(command, stream, done, { ...done.at(-1)!, replayed: true })

        // Its time is that of the decision, after every wait: whoever asks as of a time relies on that.
        const metadata = metadataOf(deps, command, commandId, fingerprint)
        const verdict = judge(command, history, commandId, metadata.at)
        const accepted = !(verdict instanceof KogiError) && verdict.length > 0
        if (!accepted && !fresh) {
          await deps.histories.refresh(aggregate, history)
          fresh = true
          continue
        }
        if (verdict instanceof Rejection) deps.onRefused(command, verdict)
        if (verdict instanceof KogiError) throw verdict
        if (!accepted) return receipt(command, stream, [], { ...history, replayed: false })

        const events = verdict.map((fact, n) => newEvent(deps, fact, { commandId, fingerprint, n }, metadata))
        const decoded = events.map((event, n) => asDecoded(deps, history, event, n))
        try {
          const appended = await deps.store.append(stream, history.revision, events)
          const stored = decoded.map(event => ({ ...event, position: appended.position }))
          deps.histories.advance(aggregate, history, stored)
          return receipt(command, stream, stored, { ...appended, replayed: false })
        } catch (error) {
          const raced = error instanceof LostRaceError
          if (raced && ++races > RACES_MAX) throw lostRace()
          if (!raced && !isUnknown(error)) throw error
          // another process was faster, or the answer did not come: the log knows what happened
          await deps.histories.refresh(aggregate, history)
          fresh = true
          if (!raced && !(await findDone(deps, history, commandId, fingerprint))) throw unknownOutcome(error)
        }
      }
    } catch (error) {
      // what the caller did wrong leaves the history true; after these the log may not be what the history says
      if (!(error instanceof KogiError) || UNTRUSTED.has(error.code)) deps.histories.forget(stream)
      throw error
    }
  })
}

type Facts = readonly EventOf<Vocabulary>[]

/** What the rules say of the command in this state: facts, `[]` when already so, or the error to answer. */
function judge(command: Command, history: History, commandId: string, at: string): Facts | KogiError {
  const { aggregate, name, principal, expectedRevision, id } = command
  if (history.revision < 0n && !command.opens) {
    return new KogiError('not_found', `There is no ${aggregate.name} ${id}.`)
  }
  if (expectedRevision !== undefined && expectedRevision !== history.revision) {
    const at = history.revision < 0n ? 'does not exist yet' : `is at revision ${history.revision}`
    const message = `The ${aggregate.name} ${at}; read it again and decide anew.`
    return new KogiError('precondition_failed', message)
  }
  const newId = (n: number) => uuidOf([commandId, 'made', n])
  const context: Context = { id, org: principal.org, actor: principal.subject, at, newId }
  try {
    return aggregate.decide[name]!(history.state, command.body, context)
  } catch (error) {
    if (error instanceof Rejection) return error
    throw error
  }
}

/** The events of this command, if the history holds it. The same key with another body is an error of the caller. */
async function findDone(deps: WriteDeps, history: History, commandId: string, fingerprint: string) {
  for (const { from, count } of history.commands.candidates(commandId)) {
    const events = await deps.store.read(history.stream, BigInt(from), count)
    const own = events.filter(event => event.metadata.commandId === commandId)
    if (own.length === 0) continue
    if (own[0]!.metadata.fingerprint === fingerprint) return own.map(deps.codec.decode)
    const message = 'This Idempotency-Key was used for another command on the same thing; send a new key.'
    throw new KogiError('idempotency_key_reused', message)
  }
  return undefined
}

function metadataOf(deps: WriteDeps, command: Command, commandId: string, fingerprint: string) {
  const { principal, id, correlationId, causationId, subjects } = command
  return {
    $correlationId: correlationId,
    $causationId: causationId ?? commandId,
    commandId,
    fingerprint,
    org: principal.org,
    id,
    actor: { subject: principal.subject, roles: principal.roles },
    subjects,
    at: deps.now(),
  }
}

type Identity = { readonly commandId: string; readonly fingerprint: string; readonly n: number }

function newEvent(deps: WriteDeps, fact: Facts[number], identity: Identity, metadata: Omit<Metadata, 'schema'>) {
  const { commandId, fingerprint, n } = identity
  return {
    id: uuidOf([commandId, fingerprint, n]),
    type: fact.type,
    data: toWire(fact.data) as StoredEvent['data'],
    metadata: { ...metadata, schema: deps.codec.schemaOf(fact.type) },
  } satisfies NewEvent
}

/** The event as every reader of the log will see it; throws, before anything is written, if none could read it. */
const asDecoded = (deps: WriteDeps, history: History, event: ReturnType<typeof newEvent>, n: number): DomainEvent =>
  deps.codec.decode({
    ...event,
    eventId: event.id,
    stream: history.stream,
    revision: history.revision + 1n + BigInt(n),
    position: 0n,
  })

const receipt = (
  { id }: Command,
  stream: string,
  events: readonly DomainEvent[],
  { revision, position, replayed }: Pick<Receipt, 'revision' | 'position' | 'replayed'>,
): Receipt => ({
  id,
  stream,
  revision,
  position,
  events: events.map(({ type, eventId, revision, data }) => ({ type, eventId, revision, data })),
  replayed,
})

/** Errors after which a history is read anew: a log that went back to an older state loses every race for ever. */
const UNTRUSTED = new Set(['engine_unavailable', 'outcome_unknown', 'conflict'])

const isUnknown = (error: unknown) =>
  error instanceof KogiError && ['engine_unavailable', 'outcome_unknown'].includes(error.code)

const lostRace = () => new KogiError('conflict', 'Others changed the same thing at the same time; send it again.')

const unknownOutcome = (cause: unknown) =>
  new KogiError('outcome_unknown', 'The log did not answer; send the command again with the same key.', [], { cause })

/** One command of a stream after another inside a process, so that only processes race. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  async take<T>(stream: string, job: () => Promise<T>): Promise<T> {
    const before = this.#last.get(stream)
    const mine = before ? before.then(job, job) : job()
    this.#last.set(stream, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(stream) === mine) this.#last.delete(stream)
    }
  }
}
