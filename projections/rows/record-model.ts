/** The read model of a plain thing: a row of its fields, its owner and its times. */
import type { z } from 'zod'
import type { Vocabulary } from '../../domain/kernel/aggregate.ts'
import { id, object, plainOf, sealed, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type RecordMessages, storedOf } from '../../domain/record/record.ts'
import { subjectName } from '../../domain/record/subject.ts'
import {
  type AnyHandler,
  type AnyProjection,
  type Computed,
  type MemoryMapping,
  projection,
  type Readers,
} from './projection.ts'
import { speltAs } from './spellings.ts'
import { changed, made, removed } from './thing.ts'

type Row = Readonly<Record<string, unknown>> & {
  readonly org: string
  readonly id: string
  readonly revision: bigint
  readonly updated_at: string
}

type RecordModelOptions = {
  readonly service: string
  readonly version?: number
  /** All events of it, where there are more than those of a plain thing: these change nothing but the revision. */
  readonly events?: Vocabulary
  /** Fields that the list can be filtered and sorted by; it can always be by `owner` and `created_at`. */
  readonly filters?: readonly string[]
  readonly groups?: readonly string[]
  readonly sums?: readonly string[]
  /** The field that holds the currency of a sum: `currency` where nothing is said. */
  readonly units?: Readonly<Record<string, string | null>>
  /** Its name, where that is not `many`. */
  readonly name?: string
  /** Other names that columns have over HTTP as well, beside those that commands take: spelling → column. */
  readonly spellings?: Readonly<Record<string, string>>
  /** Handlers of events that the thing has beside those of every record. */
  readonly on?: Readonly<Record<string, AnyHandler | null>>
  /** Indexes beyond those that follow from the reads, each a list of columns. */
  readonly indexes?: readonly (readonly string[])[]
  readonly versionLookups?: readonly string[]
  /** Columns that follow from the fields of the row. */
  readonly derived?: Readonly<Record<string, Derived>>
  /** Columns that are worked out with each answer. */
  readonly computed?: Readonly<Record<string, Computed>>
  /** Who may read its rows, where that is not everybody who has the permission. */
  readonly readers?: Readers
  /**
   * The texts that are remembered for search: which field is the title, the body, and further words. Only the body
   * may be sealed; a thing whose name is sealed says what it is called by (`says`).
   */
  readonly memory?: { readonly title: string | Says; readonly body?: string; readonly details?: string }
}

type Says = { readonly says: string }

/** `of`: its value by the fields of the row, by the row before the event, if there was one, and the event's time. */
type Derived = {
  readonly schema: z.ZodType
  readonly of: (row: Row, before: Row | undefined, at: string) => unknown
}

/** Rows, list and single reads, history and memory of a plain thing. */
export function recordModel(messages: RecordMessages, options: RecordModelOptions): AnyProjection {
  const { name, one, many, fields, types } = messages
  const { service, version = 1, events = messages.events, filters = [], groups = [], sums = [] } = options
  const { derived = {}, memory } = options
  const own = Object.fromEntries(Object.entries(derived).map(([column, { schema }]) => [column, schema]))
  mustBeFields(messages, [...filters, ...groups, ...sums], { ...fields, ...own })
  mustBeRemembered(messages, memory)
  const path = many.replaceAll(' ', '-')
  const columns = Object.fromEntries(Object.entries(fields).map(([field, schema]) => [field, storedOf(schema)]))
  const row = object({
    org: id('org'),
    id: id(one),
    ...columns,
    ...own,
    owner: subjectName,
    revision: unsigned64,
    created_at: timestamp,
    updated_at: timestamp,
  })
  const whole = wholeRow(derived)
  const on = {
    ...Object.fromEntries(Object.keys(events).map(type => [type, changed<Row, object>(() => ({}))])),
    [types.added]: made<Row, Row>((data, at) => whole({ ...data, created_at: at }, undefined, at)),
    [types.changed]: changed<Row, Row>((data, row, at) =>
      whole({ ...row, ...mapped(data, value => value ?? undefined) }, row, at),
    ),
    [types.removed]: removed,
    ...options.on,
  }
  return projection({
    name: options.name ?? many.replaceAll(' ', '_'),
    service,
    version,
    history: true,
    of: { [name]: events },
    row: row as z.ZodObject,
    key: ['org', 'id'],
    ...(options.indexes && { indexes: options.indexes }),
    ...(options.versionLookups && { versionLookups: options.versionLookups }),
    ...(options.readers && { readers: options.readers }),
    on: on as Readonly<Record<string, AnyHandler>>,
    computed: { ...speltAs(row.shape, { ...messages.spellings, ...options.spellings }), ...options.computed },
    reads: [
      {
        one,
        many,
        path: `/${path}`,
        permission: `${path}.read`,
        names: ['id'],
        order: ['id'],
        filters: [...filters, 'owner', 'created_at'],
        groups: ['owner', 'created_at', ...groups],
        sums,
        units: options.units ?? {},
        summary: { list: `The ${many} of the organization.`, get: `One of the ${many}, by its id.` },
      },
    ],
    ...(memory && { memory: memoryOf(messages, memory) }),
  })
}

/** The fields of a row with the columns that follow from them. */
const wholeRow =
  (derived: Readonly<Record<string, Derived>>) =>
  (fields: object, before: Row | undefined, at: string): Row => {
    const own = Object.entries(derived).map(([column, { of }]) => [column, of(fields as Row, before, at)])
    return { ...fields, ...Object.fromEntries(own) } as Row
  }

/** Throws `TypeError` for a name that is no field; sealed ones can be remembered, and nothing else. */
function mustBeFields(
  { one }: RecordMessages,
  names: readonly string[],
  fields: RecordMessages['fields'],
  { sealed: mayBeSealed = false } = {},
): void {
  for (const name of names) {
    if (!Object.hasOwn(fields, name)) throw new TypeError(`the ${one} has no field ${name}, which its model names`)
    if (!mayBeSealed && plainOf(storedOf(fields[name]!)) === sealed) {
      throw new TypeError(`${name} of the ${one} is sealed: nothing can filter, group or add up what it says`)
    }
  }
}

type Texts = NonNullable<RecordModelOptions['memory']>

function mustBeRemembered(messages: RecordMessages, { title, body, details }: Partial<Texts> = {}): void {
  const open = [title, details].filter(field => typeof field === 'string')
  mustBeFields(messages, open, messages.fields)
  mustBeFields(messages, body === undefined ? [] : [body], messages.fields, { sealed: true })
}

function memoryOf({ name, types }: RecordMessages, { title, body, details }: Texts): MemoryMapping<never> {
  const pick = (data: Row, field: string | undefined) => (field === undefined ? undefined : data[field])
  const words = (value: unknown) => (Array.isArray(value) ? value.join('\n') || null : value)
  const texts = (data: Row) => ({
    title: typeof title === 'object' ? title.says : pick(data, title),
    body: pick(data, body),
    details: words(pick(data, details)),
  })
  const on = { [types.added]: { anew: texts }, [types.changed]: { revise: texts }, [types.removed]: 'forget' }
  return { kind: name, on } as unknown as MemoryMapping<never>
}

const mapped = (values: Row, to: (value: unknown) => unknown): Row =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, to(value)])) as Row
