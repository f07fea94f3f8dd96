import type { z } from 'zod'
import type { AnyAggregate } from './aggregate.ts'
import { InvariantError } from './errors.ts'
import type { DomainEvent, StoredEvent, Upcaster } from './event.ts'
import { ofStore } from './schema.ts'

/** The category of a stream: all before the first dash. */
export const categoryOf = (stream: string): string => stream.slice(0, stream.indexOf('-'))

export type EventCodec = {
  /** Schema number that a new event of this type is written with. */
  readonly schemaOf: (type: string) => number
  /** Stored JSON to memory form, upcast to the latest schema. Throws `InvariantError` on what no version wrote. */
  readonly decode: (event: StoredEvent) => DomainEvent
  /** The same for an event that rules have just made: it must meet the conditions of `refined` schemas too. */
  readonly decodeMade: (event: StoredEvent) => DomainEvent
  /** The aggregate of a category. */
  readonly aggregateOf: (category: string) => AnyAggregate
}

/** What zod says of the wire form of data. */
const byZod = (schema: z.ZodObject, wire: StoredEvent['data']) => schema.safeDecode(wire as never)

/** Decodes the events of all aggregates of a catalogue; `safeDecode` may be a faster one than zod's. */
export function eventCodec(aggregates: readonly AnyAggregate[], safeDecode = byZod): EventCodec {
  const types = new Map<string, { schema: z.ZodObject; upcasters: readonly Upcaster[]; category: string }>()
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
  const decode = ({ type, data, metadata, eventId, stream, revision, position }: StoredEvent): DomainEvent => {
    const { schema, upcasters, category } = entryOf(type)
    const wire = upcasters.slice(metadata.schema - 1).reduce((before, upcast) => upcast(before), data)
    const decoded = safeDecode(schema, wire)
    if (!decoded.success) {
      const { path, message } = decoded.error.issues[0]!
      throw new InvariantError(`${type} at ${stream}@${revision}: ${path.join('.') || 'data'}: ${message}`)
    }
    // Not a spread, which takes longer than decoding a small event.
    return { type, data: decoded.data, metadata, eventId, stream, revision, position, category }
  }
  return {
    aggregateOf: category => aggregates.find(({ name }) => name === category)!,
    schemaOf: type => entryOf(type).upcasters.length + 1,
    decode: stored => ofStore(() => decode(stored)),
    decodeMade: decode,
  }
}
