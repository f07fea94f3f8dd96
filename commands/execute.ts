import type { AnyAggregate, Context, EventOf, Vocabulary } from '../domain/kernel/aggregate.ts'
import type { EventCodec } from '../domain/kernel/codec.ts'
import { KogiError, Rejection } from '../domain/kernel/errors.ts'
import type { DomainEvent, Metadata, StoredEvent } from '../domain/kernel/event.ts'
import { toWire } from '../domain/kernel/json.ts'
import type { Principal } from '../domain/kernel/route.ts'
import { commandIdOf, streamOf, uuidOf } from './ids.ts'
import { type EventStore, type Keyring, LostRaceError, type NewEvent } from './ports.ts'
import type { CheckReferences } from './references.ts'
import { hasOldSeals, type SealedBody, sealBody } from './seal.ts'
import type { LoadedStream, Streams } from './streams.ts'

/** How often a command is decided again after another process was faster, before it is given up. */
const RACES_MAX = 3

/** A request to change one thing: parsed and named. */
export type Command = {
  readonly aggregate: AnyAggregate
  readonly name: string
  /** The thing's id in its org. */
  readonly id: string
  /** Whether the body of a command that makes the thing named that id, which then counts in the fingerprint. */
  readonly named?: boolean
  /** Whether the command may make the thing. */
  readonly opens: boolean
  /** In memory form, personal fields in plain text. */
  readonly body: unknown
  readonly idempotencyKey: string
  readonly principal: Principal
  readonly correlationId: string
  readonly causationId?: string
  /** Revision the caller has seen (`If-Match`); -1 for a thing that must not exist yet. */
  readonly expectedRevision?: bigint
  /** Whether the command is only decided: nothing is appended, sealed or remembered. */
  readonly dryRun?: boolean
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
  readonly streams: Streams
  readonly turns: Turns
  readonly keyring: Keyring
  readonly checkReferences: CheckReferences
  /** The instant, as `timestamp`. */
  readonly now: () => string
  /** Notes a refusal for the auditors: best effort, never waited for. */
  readonly onRefused: (command: Command, rejection: Rejection) => void
}

/**
 * The only write path: wait for the stream's turn → load → seal → was this command already done? → expected revision →
 * decide → check references → append with the revision read → receipt. A state from the cache may only accept, because
 * the append proves it fresh: before anything else is answered, the tail is read and the command looked at again.
 */
export async function execute(deps: WriteDeps, command: Command): Promise<Receipt> {
  const { aggregate } = command
  const stream = streamOf(command.principal.org, aggregate.name, command.id)
  const commandId = commandIdOf(command.principal.org, stream, command.idempotencyKey)

  return deps.turns.take(stream, async () => {
    try {
      let { loaded, fresh } = await deps.streams.load(aggregate, stream)
      for (let races = 0; ; ) {
        const exists = loaded.revision >= 0n || command.opens
        const sealed = exists ? await sealBody(deps.keyring, command, loaded.state) : NOTHING_SEALED
        const done = await findDone(deps, loaded, commandId, sealed)
        if (done) return receipt(command, stream, done, { ...done.at(-1)!, replayed: true })

        // The time of the command is that of the decision, after every wait: answers as of a time rely on that.
        const metadata = metadataOf(deps, command, commandId, sealed)
        const verdict = judge(command, loaded, sealed.body, commandId, metadata.at)
        const accepted = !(verdict instanceof KogiError) && verdict.length > 0
        if (!accepted && !fresh) {
          await deps.streams.refresh(aggregate, loaded)
          fresh = true
          continue
        }
        if (verdict instanceof Rejection && !command.dryRun) deps.onRefused(command, verdict)
        if (verdict instanceof KogiError) throw verdict
        if (!accepted) return receipt(command, stream, [], { ...loaded, replayed: false })
        await deps.checkReferences(command)

        const events = verdict.map((fact, n) => newEvent(deps, fact, { commandId, n, ...sealed }, metadata))
        const decoded = events.map((event, n) => asDecoded(deps, loaded, event, n))
        if (command.dryRun) return receipt(command, stream, decoded, { ...loaded, replayed: false })
        try {
          const appended = await deps.store.append(stream, loaded.revision, events)
          const stored = decoded.map(event => ({ ...event, position: appended.position }))
          deps.streams.advance(aggregate, loaded, stored)
          return receipt(command, stream, stored, { ...appended, replayed: false })
        } catch (error) {
          const raced = error instanceof LostRaceError
          if (raced && ++races > RACES_MAX) throw lostRace()
          if (!raced && !isUnknown(error)) throw error
          // Another process was faster, or the answer did not come: the log knows what happened.
          await deps.streams.refresh(aggregate, loaded)
          fresh = true
          if (!raced && !(await findDone(deps, loaded, commandId, sealed))) throw unknownOutcome(error)
        }
      }
    } catch (error) {
      // What the caller did wrong leaves the loaded stream true; after these the log may not be what it says.
      if (!(error instanceof KogiError) || UNTRUSTED.has(error.code)) deps.streams.forget(stream)
      throw error
    }
  })
}

/** What is known of the body of a command on a thing that does not exist: it is never decided. */
const NOTHING_SEALED: SealedBody = { body: {}, fingerprint: '', subjects: [] }

type Facts = readonly EventOf<Vocabulary>[]

/** What the rules say of the command in this state: facts, `[]` when already so, or the error to answer. */
function judge(
  command: Command,
  loaded: LoadedStream,
  body: unknown,
  commandId: string,
  at: string,
): Facts | KogiError {
  const { aggregate, name, principal, expectedRevision, id } = command
  if (loaded.revision < 0n && !command.opens) {
    return new KogiError('not_found', `There is no ${aggregate.name} ${id}.`)
  }
  if (expectedRevision !== undefined && expectedRevision !== loaded.revision) {
    const at = loaded.revision < 0n ? 'does not exist yet' : `is at revision ${loaded.revision}`
    const message = `The ${aggregate.name} ${at}; read it again and decide anew.`
    return new KogiError('precondition_failed', message)
  }
  const newId = (n: number) => uuidOf([commandId, 'made', n])
  const context: Context = { id, org: principal.org, actor: principal.subject, at, newId }
  try {
    return aggregate.decide[name]!(loaded.state, body, context)
  } catch (error) {
    if (error instanceof Rejection) return error
    throw error
  }
}

/** The events of this command, if the stream holds it. The same key with another body is an error of the caller. */
async function findDone(deps: WriteDeps, loaded: LoadedStream, commandId: string, sealed: SealedBody) {
  for (const { from, count } of loaded.commands.candidates(commandId)) {
    const events = await deps.store.read(loaded.stream, BigInt(from), count)
    const own = events.filter(event => event.metadata.commandId === commandId)
    if (own.length === 0) continue
    const { fingerprint } = own[0]!.metadata
    const isOld = fingerprint === sealed.oldFingerprint && own.some(({ data }) => hasOldSeals(data))
    if (fingerprint === sealed.fingerprint || isOld) return own.map(deps.codec.decode)
    const message = 'This Idempotency-Key was used for another command on the same thing; send a new key.'
    throw new KogiError('idempotency_key_reused', message)
  }
  return undefined
}

function metadataOf(deps: WriteDeps, command: Command, commandId: string, { fingerprint, subjects }: SealedBody) {
  const { principal, id, correlationId, causationId } = command
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
const asDecoded = (deps: WriteDeps, loaded: LoadedStream, event: ReturnType<typeof newEvent>, n: number): DomainEvent =>
  deps.codec.decode({
    ...event,
    eventId: event.id,
    stream: loaded.stream,
    revision: loaded.revision + 1n + BigInt(n),
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

/** Errors after which a stream is read anew: a log that went back to an older state loses every race for ever. */
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
