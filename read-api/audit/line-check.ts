import { Ajv, type ValidateFunction } from 'ajv'
import { z } from 'zod'
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import { categoryOf } from '../../domain/kernel/codec.ts'
import { InvariantError } from '../../domain/kernel/errors.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { canonicalJson, type Json } from '../../domain/kernel/json.ts'
import type { Decode } from '../../projections/ports.ts'
import { AuditFault, EVENTS, eventOf, lineSchema, type Manifest } from './bundle.ts'

/** Compiles the JSON Schema of a zod schema's wire form, for bytes that come from outside. */
function compiler() {
  // Formats are spelt out as patterns by zod; ajv knows none of them by itself.
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: false })
  return (schema: z.ZodType): ValidateFunction =>
    ajv.compile(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', target: 'draft-7' }))
}

/** What the lines of exports are checked against, compiled once for all of them. */
export type LineSchemas = ReturnType<typeof lineSchemas>

export function lineSchemas(aggregates: readonly AnyAggregate[]) {
  const compile = compiler()
  const types = new Map<string, { check: ValidateFunction; category: string; schema: number }>()
  for (const { name, events, upcast } of aggregates) {
    for (const [type, schema] of Object.entries(events as Record<string, z.ZodType>)) {
      types.set(type, { check: compile(schema), category: name, schema: (upcast?.[type]?.length ?? 0) + 1 })
    }
  }
  return { envelope: compile(lineSchema), types }
}

/**
 * Checks the lines of an export one by one, in order: form, org, order, revisions without gaps, and the data of each
 * event against the schema of its type. Data of an older schema number is checked by its decoder.
 */
export function lineChecker(options: { readonly schemas: LineSchemas; readonly decode: Decode; readonly org: string }) {
  const { decode, org } = options
  const { envelope, types } = options.schemas
  const revisions = new Map<string, bigint>()
  const counts: Pick<Manifest, 'types' | 'categories'> & { events: number } = { types: {}, categories: {}, events: 0 }
  let first: bigint | undefined
  let last = -1n

  /** The event of the line, decoded to the latest schema. */
  function check(text: string, line: number): DomainEvent {
    const fault = (code: ConstructorParameters<typeof AuditFault>[0], message: string) =>
      new AuditFault(code, message, { file: EVENTS, line })
    const parsed = parse(text)
    if (parsed === undefined || canonical(parsed) !== text) {
      throw fault('line_not_canonical', 'The line is not canonical JSON.')
    }
    if (!envelope(parsed)) throw fault('line_invalid', `The line is no event: ${reason(envelope)}.`)
    const event = eventOf(parsed)
    const known = types.get(event.type)
    if (!known || known.category !== categoryOf(event.stream)) {
      throw fault('event_unknown', `No ${categoryOf(event.stream)} has events of the type ${event.type}.`)
    }
    if (event.metadata.org !== org) throw fault('foreign_org', `The event belongs to the org ${event.metadata.org}.`)
    if (event.position === last) throw fault('line_duplicated', `The position ${last} comes twice.`)
    if (event.position < last) throw fault('line_reordered', `The position ${event.position} comes after ${last}.`)
    const expected = revisions.get(event.stream) ?? 0n
    if (event.revision !== expected) {
      throw fault('revision_gap', `${event.stream} goes on with revision ${event.revision}, not ${expected}.`)
    }
    if (event.metadata.schema === known.schema && !known.check(event.data)) {
      throw fault('line_invalid', `The data is no ${event.type}: ${reason(known.check)}.`)
    }
    first ??= event.position
    last = event.position
    revisions.set(event.stream, expected + 1n)
    counts.events += 1
    counts.types[event.type] = (counts.types[event.type] ?? 0) + 1
    counts.categories[known.category] = (counts.categories[known.category] ?? 0) + 1
    try {
      return decode(event)
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error
      throw fault('line_invalid', `${error.message}.`)
    }
  }

  /** To be called after the last line: whether the manifest tells what the lines hold. */
  function end(manifest: Manifest): void {
    const { events, types: byType, categories, range } = manifest
    const told = canonicalJson({ events, types: byType, categories, first: range.first, last: range.last })
    if (range.head < range.last || told !== canonicalJson({ ...counts, first, last })) {
      throw new AuditFault('manifest_mismatch', 'The manifest counts other events than there are.')
    }
  }
  return { check, end }
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function canonical(value: Json): string | undefined {
  try {
    return canonicalJson(value)
  } catch {
    return undefined
  }
}

const reason = ({ errors }: ValidateFunction): string => {
  const [{ instancePath, message }] = errors as [NonNullable<ValidateFunction['errors']>[number]]
  return `${instancePath.slice(1).replaceAll('/', '.') || 'the whole'} ${message}`
}
