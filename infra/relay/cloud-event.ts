/** CloudEvents 1.0.2 in their JSON format (github.com/cloudevents/spec, `cloudevents/formats/json-format.md`). */
import { categoryOf } from '../../domain/kernel/codec.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'

/** A CloudEvent as JSON: what is absent or null is left out; all attributes but the named ones are extensions. */
export type CloudEvent = {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: string
  readonly datacontenttype?: string
  readonly dataschema?: string
  readonly subject?: string
  readonly time?: string
  readonly data?: unknown
  readonly data_base64?: string
  readonly [extension: string]: unknown
}

/**
 * An event of the log as a CloudEvent: `data` as it is stored, sealed texts sealed. `dataref`, an extension of the
 * specification, says where the data is that is too large to be carried.
 */
export function cloudEventOf(
  { type, data, eventId, stream, revision, position, metadata }: StoredEvent,
  service: string,
) {
  const category = categoryOf(stream)
  const { org, id, at, actor, commandId, schema, $correlationId, $causationId } = metadata
  return {
    specversion: '1.0',
    id: eventId,
    source: `/orgs/${encodeURIComponent(org)}/${service}`,
    type: `kogi.${service}.${category}.${type}`,
    subject: id,
    time: at,
    org,
    category,
    position: String(position),
    revision: String(revision),
    schema,
    actor: actor.subject,
    commandid: commandId,
    correlationid: $correlationId,
    causationid: $causationId,
    datacontenttype: 'application/json',
    data,
  } satisfies CloudEvent
}

const TEXTS = ['id', 'source', 'type'] as const
const OPTIONAL_TEXTS = ['datacontenttype', 'dataschema', 'subject', 'time'] as const
const NAMED = new Set<string>(['specversion', ...TEXTS, ...OPTIONAL_TEXTS, 'data', 'data_base64'])
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+ *(;.*)?$/
/** RFC 3339, section 5.6. */
const TIME =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const INTEGER_MAX = 2 ** 31

/** Reads a CloudEvent. Throws `TypeError` that says which attribute is not as the specification wants. */
export function cloudEventFrom(json: string): CloudEvent {
  const parsed: unknown = JSON.parse(json)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new TypeError('a CloudEvent is a JSON object')
  const event = Object.fromEntries(Object.entries(parsed).filter(([name, value]) => value !== null || name === 'data'))
  const must = (holds: boolean, name: string) => {
    if (!holds) throw new TypeError(`the attribute ${name} is not as CloudEvents 1.0 wants it`)
  }
  const isText = (value: unknown) => typeof value === 'string' && value !== ''
  must(event.specversion === '1.0', 'specversion')
  for (const name of TEXTS) must(isText(event[name]), name)
  for (const name of OPTIONAL_TEXTS) must(event[name] === undefined || isText(event[name]), name)
  must(event.datacontenttype === undefined || MEDIA_TYPE.test(event.datacontenttype as string), 'datacontenttype')
  must(event.time === undefined || TIME.test(event.time as string), 'time')
  must(event.data_base64 === undefined || !('data' in event), 'data_base64')
  must(event.data_base64 === undefined || BASE64.test(String(event.data_base64)), 'data_base64')
  for (const [name, value] of Object.entries(event)) {
    if (NAMED.has(name)) continue
    must(/^[a-z0-9]+$/.test(name), name)
    const isInteger = Number.isInteger(value) && Math.abs(value as number) < INTEGER_MAX
    must(typeof value === 'string' || typeof value === 'boolean' || isInteger, name)
  }
  return event as CloudEvent
}
