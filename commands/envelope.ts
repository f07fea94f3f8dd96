/** What an event of a command looks like in the log. */
import type { AnyAggregate, EventOf, Vocabulary } from '../domain/kernel/aggregate.ts'
import type { EventCodec } from '../domain/kernel/codec.ts'
import { rejected } from '../domain/kernel/errors.ts'
import type { DomainEvent, Metadata, StoredEvent } from '../domain/kernel/event.ts'
import { canonicalJson, toWire } from '../domain/kernel/json.ts'
import { MAX_MINOR_UNITS } from '../domain/kernel/schema.ts'
import type { Command } from './command.ts'
import { uuidOf } from './ids.ts'
import { madeCheck } from './made.ts'
import type { NewEvent } from './ports.ts'
import type { SealedBody } from './seal.ts'

export type Facts = readonly EventOf<Vocabulary>[]

/** The metadata that all events of a command have. */
export type CommandMetadata = Omit<Metadata, 'schema'>

/** In the order of canonical JSON: the notary hashes stored bytes as they are where they are canonical. */
export function metadataOf(
  command: Command,
  commandId: string,
  { fingerprint, subjects }: SealedBody,
  at: string,
): CommandMetadata {
  const { principal, id, correlationId, causationId, behalf } = command
  const { subject, roles, teams } = principal
  return {
    $causationId: causationId ?? commandId,
    $correlationId: correlationId,
    actor: { roles, subject, ...(teams && { teams }) },
    at,
    ...(behalf && { behalf }),
    commandId,
    fingerprint,
    id,
    org: principal.org,
    subjects,
  }
}

/** An event on its way into the log, and as every reader of the log will see it once it has a position. */
export type Drafted = {
  readonly event: NewEvent & { readonly metadata: Metadata; readonly text: string; readonly metadataText: string }
  readonly decoded: DomainEvent
}

/**
 * The events of a command behind the revision `after`, named so that the same command makes the same events on every
 * try. Throws, before anything is written, where no reader could decode one.
 */
export function draftEvents(
  { codec, aggregate }: { readonly codec: EventCodec; readonly aggregate: AnyAggregate },
  facts: Facts,
  metadata: CommandMetadata,
  { stream, revision }: { readonly stream: string; readonly revision: bigint },
): readonly Drafted[] {
  return facts.map(({ type, data: made }, n) => {
    const data = toWire(made) as StoredEvent['data']
    const eventId = uuidOf([metadata.commandId, metadata.fingerprint, n])
    const { subjects, ...others } = metadata
    const full = { ...others, schema: codec.schemaOf(type), subjects }
    const place = { eventId, stream, revision: revision + 1n + BigInt(n), position: 0n }
    const decoded = madeCheck(aggregate.events[type])(made)
      ? { type, data: made, metadata: full, category: aggregate.name, ...place }
      : decodedOf({ type, data, metadata: full, ...place }, codec, made)
    const texts = { text: canonicalJson(data), metadataText: JSON.stringify(full) }
    return { event: { id: eventId, type, data, metadata: full, ...texts }, decoded }
  })
}

/** An event as readers will decode it. Throws `amount_out_of_range` where rules made an amount that none can hold. */
function decodedOf(placed: StoredEvent, codec: EventCodec, made: unknown): DomainEvent {
  try {
    return codec.decodeMade(placed)
  } catch (error) {
    const field = fieldBeyond(made)
    if (field === undefined) throw error
    throw rejected('amount_out_of_range', 'An amount or a balance has at most 38 digits.', { field })
  }
}

/** Path of the first amount of more digits than one has. */
function fieldBeyond(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === 'bigint' && (member > MAX_MINOR_UNITS || member < -MAX_MINOR_UNITS)) return name
    const within = fieldBeyond(member)
    if (within !== undefined) return `${name}.${within}`
  }
  return undefined
}
