import { Ajv, type ValidateFunction } from 'ajv'
import { z } from 'zod'
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import { categoryOf } from '../../domain/kernel/codec.ts'
import type { DomainEvent, StoredEvent } from '../../domain/kernel/event.ts'
import { canonicalJson, type Json } from '../../domain/kernel/json.ts'
import type { EventHeader } from '../../projections/notary/leaf.ts'
import type { Hash } from '../../projections/notary/merkle.ts'
import type { Decode } from '../../projections/ports.ts'
import type { Skips } from '../../projections/rows/fold.ts'
import { type AnyProjection, unskippedBy } from '../../projections/rows/projection.ts'
import {
  type AuditCode,
  AuditFault,
  EVENTS,
  eventOf,
  headerSchema,
  type LeftOut,
  leftOutOf,
  lineSchema,
  type Manifest,
  metadataSchema,
} from './bundle.ts'
import { type History, historyChecker } from './history-check.ts'
import { leafOfHeader, leafOfLine, type MakeFault, parsedLine } from './line-parse.ts'
import { isSelected, type Selection } from './selection.ts'
import { usualLine } from './usual-line.ts'

type Counts = Pick<Manifest, 'types' | 'categories'> & { events: number; left_out: number | undefined }
/** How many events lines hold, and the positions of the first and the last. */
export type Counted = Counts & { readonly first: bigint | undefined; readonly last: bigint }

/** Compiles the JSON Schema of a zod schema's wire form, for bytes that come from outside. */
function compiler() {
  // Formats are spelt out as patterns by zod; ajv knows none of them by itself.
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: false })
  return (schema: z.ZodType): ValidateFunction =>
    ajv.compile(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', target: 'draft-7' }))
}

/** What the lines of exports are checked against: that of each type is compiled with its first event, and once. */
type LineSchemas = ReturnType<typeof lineSchemas>

export function lineSchemas(aggregates: readonly AnyAggregate[]) {
  const compile = compiler()
  const types = new Map<string, { check: () => ValidateFunction; category: string; schema: number }>()
  for (const { name, events, upcast } of aggregates) {
    for (const [type, schema] of Object.entries(events as Record<string, z.ZodType>)) {
      let compiled: ValidateFunction | undefined
      const check = () => {
        compiled ??= compile(schema)
        return compiled
      }
      types.set(type, { check, category: name, schema: (upcast?.[type]?.length ?? 0) + 1 })
    }
  }
  // What was parsed is JSON: its data needs no look here.
  const envelope = compile(lineSchema.extend({ data: z.unknown() }))
  return { envelope, header: compile(headerSchema), metadata: compile(metadataSchema), types }
}

export type LineCheckOptions = {
  readonly schemas: LineSchemas
  readonly decode: Decode
  readonly org: string
  /** Those that the export is for, with the positions that its manifest lets them skip. */
  readonly projections: readonly AnyProjection[]
  readonly skips: Skips
  /** Which events must be there; those of the others without their data. */
  readonly selection?: Selection | undefined
  /** How the log names streams and events; without it their names are taken as they are. */
  readonly names?: Names
  /** The rules that the history must keep; without them the events alone are looked at. */
  readonly history?: History
}

/** Names that follow from what they name, as the write path makes them. */
export type Names = {
  /** Hears of the ids of commands in place of the check that none comes twice, which is left to the caller. */
  readonly onCommand?: (commandId: string) => void
  readonly streamOf: (org: string, category: string, id: string) => string
  /** The id of the `n`-th event of a command, from 0. */
  readonly eventIdOf: (commandId: string, fingerprint: string, n: number) => string
}

/** An event that stands where it should. */
export type CheckedLine = {
  readonly position: bigint
  /** The event as it was stored, or what there is of one that is not selected. */
  readonly line: { readonly stored: StoredEvent } | LeftOut
  /** The event in the latest schema; absent for an unreadable event that all projections it concerns skip. */
  readonly decoded?: DomainEvent
  /** The hash that the notary's tree has of the event. */
  readonly leaf: () => Hash
}

/**
 * Checks the lines of an export one by one, in order: form, org, order, revisions without gaps, and the data of each
 * event against the schema of its type. Data of an older schema number is checked by its decoder. An event that cannot
 * be read is a fault unless each projection that it concerns skips it.
 */
export function lineChecker(options: LineCheckOptions) {
  const { org } = options
  const counts: Counts = { types: {}, categories: {}, events: 0, left_out: options.selection && 0 }
  const places = placeChecker(org, options.names && nameChecker(options.names))
  const history = options.history && historyChecker(options.history)
  const skipped = new Set([...options.skips.values()].flatMap(positions => [...positions]))
  const isSkipped = (event: EventHeader) =>
    skipped.has(event.position) && unskippedBy(options.projections, options.skips, event).length === 0

  function check(bytes: Buffer, line: number): CheckedLine {
    const fault = (code: AuditCode, message: string) => new AuditFault(code, message, { file: EVENTS, line })
    const usual = usualLine(bytes)
    const parsed = usual ?? parsedLine(bytes, fault)
    if ('value' in parsed && options.selection && 'data_sha256' in parsed.value) {
      return checkLeftOut(leftOutIn(parsed.value, options.schemas, fault), fault)
    }
    const event = 'event' in parsed ? parsed.event : storedIn(parsed.value, options.schemas, fault)
    if (options.selection && !isSelected(options.selection, event)) {
      throw fault('selection_exceeded', 'The event is not one of those that were selected.')
    }
    const found = decodedOr(event, options, usual !== undefined)
    const unskipped = 'code' in found ? unskippedBy(options.projections, options.skips, event) : []
    if ('code' in found && unskipped.length > 0) {
      throw fault(found.code, `${found.message}, and the manifest has no skip of it for ${unskipped.join(', ')}.`)
    }
    places.check(event, !('code' in found), fault)
    counts.events += 1
    counts.types[event.type] = (counts.types[event.type] ?? 0) + 1
    const category = categoryOf(event.stream)
    counts.categories[category] = (counts.categories[category] ?? 0) + 1
    const decoded = 'code' in found ? undefined : found
    history?.add(event.stream, decoded, line)
    const leaf = () => leafOfLine(bytes, parsed.places, event)
    return { position: event.position, line: { stored: event }, ...(decoded && { decoded }), leaf }
  }

  function checkLeftOut(line: LeftOut, fault: MakeFault): CheckedLine {
    const { header } = line
    if (isSelected(options.selection!, header)) {
      throw fault('selection_incomplete', 'The event is one of those that were selected, and its data is not there.')
    }
    // Without its data it may be unreadable, and of another program, where all projections that it concerns skip it.
    places.check(header, options.schemas.metadata(header.metadata) && !isSkipped(header), fault)
    counts.left_out! += 1
    history?.add(header.stream, undefined, 0)
    return { position: header.position, line, leaf: () => leafOfHeader(line) }
  }

  /** To be called after the last line: what the lines hold. */
  function end(): Counted {
    history?.end()
    return { ...counts, ...places.ends() }
  }
  return { check, end }
}

/** Throws where the manifest tells of other lines than there are. */
export function checkCounts({ events, types, categories, range, left_out }: Manifest, counted: Counted): void {
  const stated = canonicalJson({ events, types, categories, left_out, first: range.first, last: range.last })
  if (range.head >= range.last && stated === canonicalJson(counted)) return
  throw new AuditFault('manifest_mismatch', 'The manifest counts other events than there are.')
}

/** Checks that events are of the org, in the order of the log, and without gaps in their streams. */
function placeChecker(org: string, names: ReturnType<typeof nameChecker> | undefined) {
  const streams = new Map<string, Stream>()
  let first: bigint | undefined
  let last = -1n
  return {
    check(event: EventHeader, isNamed: boolean, fault: MakeFault): void {
      const { stream, position, revision, metadata } = event
      if (metadata.org !== org) throw fault('foreign_org', `The event belongs to the org ${metadata.org}.`)
      if (position === last) throw fault('line_duplicated', `The position ${last} comes twice.`)
      if (position < last) throw fault('line_reordered', `The position ${position} comes after ${last}.`)
      let known = streams.get(stream)
      if (known === undefined) {
        known = { next: 0n, id: undefined, commandId: '', n: 0 }
        streams.set(stream, known)
      }
      if (revision !== known.next) {
        throw fault('revision_gap', `${stream} goes on with revision ${revision}, not ${known.next}.`)
      }
      if (isNamed) names?.(event, known, fault)
      first ??= position
      last = position
      known.next += 1n
    },
    ends: () => ({ first, last }),
  }
}

/** What is known of a stream: its next revision, its thing, and which event of its last command came last. */
type Stream = { next: bigint; id: string | undefined; commandId: string; n: number }

/** Letters of a command's id that tell it from others: 60 bits. */
const ID_LETTERS = 18

/** Checks that an event has the names that follow from its command, and that no command took effect twice. */
function nameChecker({ streamOf, eventIdOf, onCommand }: Names) {
  const done = new Set<string>()
  return ({ stream, eventId, metadata }: EventHeader, before: Stream, fault: MakeFault) => {
    const { org, id, commandId, fingerprint } = metadata
    if (before.id !== id && stream !== streamOf(org, categoryOf(stream), id)) {
      throw fault('stream_misnamed', `The stream of ${id} is not called ${stream}.`)
    }
    const n = before.commandId === commandId ? before.n + 1 : 0
    if (n === 0 && onCommand) onCommand(commandId)
    else if (n === 0) {
      const short = commandId.slice(0, ID_LETTERS)
      if (done.has(short)) throw fault('command_repeated', `The command ${commandId} takes effect again.`)
      done.add(short)
    }
    if (eventId !== eventIdOf(commandId, fingerprint, n)) {
      throw fault('event_id_wrong', `The event ${eventId} has not the id that follows from its command.`)
    }
    before.id = id
    before.commandId = commandId
    before.n = n
  }
}

/** The header of a line of an event that is left out. */
function leftOutIn(parsed: object, { header }: LineSchemas, fault: MakeFault): LeftOut {
  if (!header(parsed)) throw fault('line_invalid', `The line is no header of an event: ${reason(header)}.`)
  return leftOutOf(parsed as Json)
}

/** The event of a line, whatever its data. */
function storedIn(parsed: object, { envelope }: LineSchemas, fault: MakeFault): StoredEvent {
  if (!envelope(parsed)) throw fault('line_invalid', `The line is no event: ${reason(envelope)}.`)
  return eventOf(parsed as Json)
}

/** The reason why an event is unreadable, without the full stop. */
type Unreadable = { readonly code: AuditCode; readonly message: string }

function decodedOr(
  event: StoredEvent,
  { schemas, decode }: LineCheckOptions,
  hasMetadata: boolean,
): DomainEvent | Unreadable {
  const { type, stream, metadata, data } = event
  const { types } = schemas
  const category = categoryOf(stream)
  const known = types.get(type)
  if (!known || known.category !== category) {
    return { code: 'event_unknown', message: `No ${category} has events of the type ${type}` }
  }
  if (!hasMetadata && !schemas.metadata(metadata)) {
    return {
      code: 'line_invalid',
      message: `The metadata of this ${type} is not that of Kogi: ${reason(schemas.metadata)}`,
    }
  }
  try {
    return decode(event)
  } catch (error) {
    // Whatever a type decodes its JSON Schema allows: that is asked for its words about what it does not.
    const check = known.check()
    if (metadata.schema === known.schema && !check(data)) {
      return { code: 'line_invalid', message: `The data is no ${type}: ${reason(check)}` }
    }
    return { code: 'line_invalid', message: error instanceof Error ? error.message : String(error) }
  }
}

const reason = ({ errors }: ValidateFunction): string => {
  const [{ instancePath, message }] = errors as [NonNullable<ValidateFunction['errors']>[number]]
  return `${instancePath.slice(1).replaceAll('/', '.') || 'the whole'} ${message}`
}
