import { setImmediate } from 'node:timers/promises'
import type { Context, Once } from '../domain/kernel/aggregate.ts'
import type { EventCodec } from '../domain/kernel/codec.ts'
import { KogiError, Rejection, rejected } from '../domain/kernel/errors.ts'
import type { DomainEvent } from '../domain/kernel/event.ts'
import type { Command, Receipt } from './command.ts'
import { type Answer, Draft } from './draft.ts'
import { type CommandMetadata, draftEvents, type Facts, metadataOf } from './envelope.ts'
import { commandIdOf, streamOf, uuidOf } from './ids.ts'
import { askGuards, isAbout, looksOf, withFound, withNews } from './look-up.ts'
import { type EventStore, type Keyring, LostRaceError } from './ports.ts'
import type { CheckReferences } from './references.ts'
import { hasOldSeals, type SealedBody, sealBody, settleOwners } from './seal.ts'
import type { LoadedStream, Streams } from './streams.ts'
import type { Turns, Waiting } from './turns.ts'

/** Time after which the deciding of many gives the event loop back. */
const SLICE_MS = 10

/** How often a command is decided again after another process was faster, before it is given up. */
const RACES_MAX = 3

export type WriteDeps = {
  readonly store: EventStore
  readonly codec: EventCodec
  readonly streams: Streams
  readonly turns: Turns<Command, Receipt>
  readonly keyring: Keyring
  readonly checkReferences: CheckReferences
  /** The instant, as `timestamp`. */
  readonly now: () => string
  /** Notes a refusal for the auditors: best effort, never waited for. */
  readonly onRefused: (command: Command, rejection: Rejection) => void
  /** Notes how a command ended and how long that took, the wait for its turn included. */
  readonly onAnswered?: (command: Command, outcome: Outcome, durationMs: number) => void
}

/** How a command ended. */
export type Outcome = { readonly receipt: Receipt } | { readonly error: unknown }

/** A command that waits for its turn. */
type Turn = Waiting<Command, Receipt>

/** The only write path. What happens when it is the command's turn stands in `answerFirst`. */
export async function execute(deps: WriteDeps, command: Command): Promise<Receipt> {
  const stream = streamOf(command.principal.org, command.aggregate.name, command.id)
  const start = performance.now()
  const end = (outcome: Outcome) => deps.onAnswered?.(command, outcome, performance.now() - start)
  try {
    const looks = looksOf(command)
    const whole = looks ? await withFound(deps, stream, command, looks) : command
    const receipt = await deps.turns.take(stream, whole, turns => answerFirst(deps, stream, turns))
    end({ receipt })
    return receipt
  } catch (error) {
    end({ error })
    throw error
  }
}

/**
 * Answers the first of the commands that wait for a stream's turn, as many as one append holds, and returns how many:
 * load → for each, on the state that those before it make: seal → was it already done? → expected revision → decide →
 * check references → ask guards → draft its events; then append the draft with the revision read → receipts. A state
 * from the cache may only lead to an append, which proves it fresh: before anything else is answered, the tail is read
 * and all of them are decided again, as they are after a lost race.
 */
async function answerFirst(deps: WriteDeps, stream: string, turns: readonly Turn[]): Promise<number> {
  const { aggregate, dryRun } = turns[0]!.item
  const writing = { codec: deps.codec, aggregate }
  const kind = dryRun ? 'dry run' : turns.every(({ item }) => item.isOfBulk) ? 'bulks' : 'singles'
  const lost = new Map<Turn, unknown>()
  try {
    let { loaded, fresh } = await deps.streams.load(aggregate, stream)
    for (let races = 0; ; ) {
      const draft = new Draft(aggregate, loaded, kind)
      let since = performance.now()
      for (const turn of turns) {
        if (performance.now() - since > SLICE_MS) {
          await setImmediate()
          since = performance.now()
        }
        const command = turn.item
        if (command.dryRun !== dryRun || isAbout(command, draft)) break
        const once = onceOf(command)
        const commandId = once ? commandIdOf(command.principal.org, stream, once.key) : ownId(command, stream)
        try {
          const exists = draft.revision >= 0n || command.opens
          const sealed = exists ? await sealBody(deps.keyring, command, draft.state, draft.isInLog) : NOTHING_SEALED
          const done =
            (once && (await findDone(deps, loaded, draft, ownId(command, stream), sealed, undefined))) ??
            (await findDone(deps, loaded, draft, commandId, sealed, once))
          if (done) {
            draft.answers.push(done)
            continue
          }
          if (lost.has(turn)) throw unknownOutcome(lost.get(turn))
          // The time of the command is that of the decision, after every wait: answers as of a time rely on that.
          const metadata = metadataOf(command, commandId, sealed, deps.now())
          const context = contextOf(await withNews(deps, command, draft), metadata)
          const facts = judge(command, draft, sealed.body, context)
          if (facts.length > 0) await deps.checkReferences(command, facts)
          // Also where nothing changes: the answer would tell what a part of something private says.
          await askGuards(deps, { ...command, state: draft.state }, context)
          if (!draft.add(commandId, draftEvents(writing, facts, metadata, draft))) break
        } catch (error) {
          if (isDistrusted(error)) deps.streams.forget(stream)
          draft.answers.push({ error })
        }
      }
      try {
        if (draft.events.length > 0 && !dryRun) {
          const position = await append(deps, draft, turns[0]!.item)
          const stored = draft.storedAt(await positionsOf(deps, draft, turns, position))
          deps.streams.advance(aggregate, loaded, stored, draft.state)
          return answer(deps, turns, draft, stored)
        }
        if (fresh || draft.isProven) {
          return answer(deps, turns, draft, draft.storedAt(draft.events.map(() => loaded.position)))
        }
      } catch (error) {
        const raced = error instanceof LostRaceError
        if (raced && ++races > RACES_MAX) throw lostRace()
        if (!raced && !isUnknown(error)) throw error
        // Another process was faster, or the answer did not come: the log knows what happened.
        if (!raced) for (const n of draft.drafted()) lost.set(turns[n]!, error)
      }
      await deps.streams.refresh(aggregate, loaded)
      fresh = true
    }
  } catch (error) {
    // What the caller did wrong leaves the loaded stream true; after these the log may not be what it says.
    if (isDistrusted(error)) deps.streams.forget(stream)
    throw error
  }
}

/** Appends a draft, and returns the position of its last event. */
async function append({ store, keyring }: WriteDeps, draft: Draft, first: Command): Promise<bigint> {
  const { position } = await store.append(draft.stream, draft.before.revision, draft.newEvents)
  if (!draft.isInLog) await settleOwners(keyring, first, draft.state)
  return position
}

/**
 * The positions of a draft's events. An append says that of its last one; where single requests were appended together
 * theirs are read back, so that an answer as of a receipt does not show the next command. Commands of a bulk have the
 * last one, at which all of them are visible, as has everything where the log does not answer.
 */
async function positionsOf(
  deps: WriteDeps,
  draft: Draft,
  turns: readonly Turn[],
  last: bigint,
): Promise<readonly bigint[]> {
  const { length } = draft.events
  const drafted = length > 1 ? draft.drafted() : []
  if (drafted.length > 1 && drafted.some(n => !turns[n]!.item.isOfBulk)) {
    const from = draft.before.revision + 1n
    const positions = await deps.store.positions(draft.stream, from, length).catch(() => [])
    if (positions.length === length) return positions
    const events = await deps.store.read(draft.stream, from, length).catch(() => [])
    if (events.length === length) return events.map(({ position }) => position)
  }
  return draft.events.map(() => last)
}

/** Answers each command of a draft, whose events are in the log by now, and returns how many there are. */
function answer(deps: WriteDeps, turns: readonly Turn[], draft: Draft, stored: readonly DomainEvent[]): number {
  for (const [n, it] of draft.answers.entries()) {
    const { item: command, resolve, reject } = turns[n]!
    if ('done' in it) resolve(receipt(command, draft.stream, it.done, it.done.at(-1)!, true))
    else if ('error' in it) {
      if (it.error instanceof Rejection && !command.dryRun) deps.onRefused(command, it.error)
      reject(it.error)
    } else {
      const last = (command.dryRun ? undefined : stored[it.to - 1]) ?? draft.before
      resolve(receipt(command, draft.stream, stored.slice(it.from, it.to), last, it.replayed))
    }
  }
  return draft.answers.length
}

/** What is known of the body of a command on a thing that does not exist: it is never decided. */
const NOTHING_SEALED: SealedBody = { body: {}, fingerprint: '', subjects: [] }

/** What the rules say of the command in this state: facts, or `[]` when already so. Throws the error to answer. */
function judge(command: Command, { state, revision, known }: Draft, body: unknown, context: Context): Facts {
  const { aggregate, name, expectedRevision, id } = command
  if (revision < 0n && !command.opens) throw new KogiError('not_found', `There is no ${aggregate.name} ${id}.`)
  if (!isExpected(expectedRevision, known, revision)) {
    const stands = revision < 0n ? 'does not exist yet' : `is at revision ${revision}`
    const message = `The ${aggregate.name} ${stands}; read it again and decide anew.`
    throw new KogiError('precondition_failed', message)
  }
  return aggregate.decide[name]!(state, body, context)
}

function contextOf(command: Command, { commandId, at }: CommandMetadata): Context {
  const { id, principal, found, before, seen, behalf } = command
  const { org, subject: actor, permissions, scoped, teams } = principal
  return {
    id,
    org,
    actor,
    permissions,
    at,
    newId: n => uuidOf([commandId, 'made', n]),
    ...(scoped && { scoped }),
    ...(teams && { teams }),
    ...(found && { found, before }),
    ...(seen !== undefined && { seen }),
    ...(behalf && { behalf }),
  }
}

/**
 * Whether a thing is as its caller has seen it; a revision of -1 means that it does not exist. Events behind `known`
 * changed nothing: operators went past them.
 */
function isExpected(expected: Command['expectedRevision'], known: bigint, revision: bigint): boolean {
  if (expected === undefined) return true
  if (expected === '*') return revision >= 0n
  const seen = typeof expected === 'bigint' ? [expected] : expected
  return seen.some(each => each >= known && each <= revision)
}

/** Where this command was done, if it was. The same key with another body is an error of the caller. */
async function findDone(
  deps: WriteDeps,
  loaded: LoadedStream,
  draft: Draft,
  commandId: string,
  sealed: SealedBody,
  once: Once | undefined,
): Promise<Answer | undefined> {
  const place = draft.placeOf(commandId)
  if (place) {
    mustBeSame(draft.events[place.from]!.event.metadata.fingerprint, sealed.fingerprint, once)
    return { ...place, replayed: true }
  }
  for (const { from, count } of loaded.commands.candidates(commandId)) {
    const events = await deps.store.read(loaded.stream, BigInt(from), count)
    const own = events.filter(event => event.metadata?.commandId === commandId)
    if (own.length === 0) continue
    const { fingerprint } = own[0]!.metadata
    const isOld = fingerprint === sealed.oldFingerprint && own.some(({ data }) => hasOldSeals(data))
    if (!isOld) mustBeSame(fingerprint, sealed.fingerprint, once)
    return { done: own.map(deps.codec.decode) }
  }
  return undefined
}

/** The id of a command under the key of its caller. */
const ownId = ({ principal, idempotencyKey }: Command, stream: string) =>
  commandIdOf(principal.org, stream, idempotencyKey)

/** What a command does once, if it does such a thing. */
const onceOf = ({ aggregate, name, body }: Command): Once | undefined => aggregate.once?.[name]?.(body)

function mustBeSame(fingerprint: string, other: string, once: Once | undefined): void {
  if (fingerprint === other) return
  if (once) throw rejected(...once.refusal)
  const message = 'This Idempotency-Key was used for another command on the same thing; send a new key.'
  throw new KogiError('idempotency_key_reused', message)
}

const receipt = (
  { id }: Command,
  stream: string,
  events: readonly DomainEvent[],
  { revision, position }: Pick<Receipt, 'revision' | 'position'>,
  replayed: boolean,
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

const isDistrusted = (error: unknown) => !(error instanceof KogiError) || UNTRUSTED.has(error.code)

const isUnknown = (error: unknown) =>
  error instanceof KogiError && ['engine_unavailable', 'outcome_unknown'].includes(error.code)

const lostRace = () => new KogiError('conflict', 'Others changed the same thing at the same time; send it again.')

const unknownOutcome = (cause: unknown) =>
  new KogiError('outcome_unknown', 'The log did not answer; send the command again with the same key.', [], { cause })
