import type { z } from 'zod'
import type { AnyAggregate, Upcaster } from './aggregate.ts'
import { InvariantError } from './errors.ts'
import type { Json } from './json.ts'

/** What is stored beside the data of every domain event (design §5). */
export type Metadata = {
  readonly $correlationId: string
  readonly $causationId: string
  /** UUIDv5 of [org, stream, idempotency key]. */
  readonly commandId: string
  /** SHA-256 of the command's name and canonical body without personal fields. */
  readonly fingerprint: string
  readonly org: string
  /** The id of the thing in its org, as the client knows it; the stream's name holds only its hash. */
  readonly id: string
  readonly actor: { readonly subject: string; readonly roles: readonly string[] }
  /** Subjects whose personal data the event holds, sealed. */
  readonly subjects: readonly string[]
  readonly at: string
  /** Schema number of the data: 1, and one more for each upcaster its type has had. */
  readonly schema: number
}

/** An event as every consumer sees it: data in memory form, always of the latest schema. */
export type DomainEvent<T extends string = string, D = unknown> = {
  readonly type: T
  readonly data: D
  readonly eventId: string
  readonly stream: string
  readonly category: string
  readonly revision: bigint
  readonly position: bigint
  readonly metadata: Metadata
}

/** An event as the log holds it. */
export type StoredEvent = {
  readonly type: string
  readonly data: { readonly [key: string]: Json }
  readonly metadata: Metadata
  readonly eventId: string
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
}

/** The category of a stream: all before the first dash. */
export const categoryOf = (stream: string): string => stream.slice(0, stream.indexOf('-'))

export type EventCodec = {
  /** Schema number that a new event of this type is written with. */
  readonly schemaOf: (type: string) => number
  /** Stored JSON to memory form, upcast to the latest schema. Throws `InvariantError` on what no version wrote. */
  readonly decode: (event: StoredEvent) => DomainEvent
}

/** Decodes the events of all aggregates of a catalogue. */
export function eventCodec(aggregates: readonly AnyAggregate[]): EventCodec {
  type Entry = { schema: z.ZodObject; upcasters: readonly Upcaster[]; category: string }
  const types = new Map<string, Entry>()
  for (const { name, events, upcast } of aggregates) {
    for (const [type, schema] of Object.entries<z.ZodObject>(events)) {
      if (types.has(type)) throw new TypeError(`event type ${type} is defined twice`)
      types.set(type, { schema, upcasters: upcast?.[type] ?? [], category: name })
    }
  }
  const entryOf = (type: string) => {
    const entry = types.get(type)
    if (!entry) throw new InvariantError(`no aggregate defines the event type ${type}`)
    return entry
  }
  return {
    schemaOf: type => entryOf(type).upcasters.length + 1,
    decode(stored) {
      const { schema, upcasters, category } = entryOf(stored.type)
      const wire = upcasters.slice(stored.metadata.schema - 1).reduce((data, upcast) => upcast(data), stored.data)
      const decoded = schema.safeDecode(wire as never)
      if (!decoded.success) {
        const { path, message } = decoded.error.issues[0]!
        throw new InvariantError(
          `${stored.type} at ${stored.stream}@${stored.revision}: ${path.join('.') || 'data'}: ${message}`,
        )
      }
      return { ...stored, data: decoded.data, category }
    },
  }
}
