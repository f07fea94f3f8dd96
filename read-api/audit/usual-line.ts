/**
 * Lines of the usual form, which nearly all of an export are: one pattern knows that such a line is canonical and has
 * metadata as Kogi writes it, and finds its members, so that JSON is parsed of its data alone.
 */
import { z } from 'zod'
import type { Metadata, StoredEvent, Who } from '../../domain/kernel/event.ts'
import type { Json } from '../../domain/kernel/json.ts'
import { timestamp, uuid } from '../../domain/kernel/schema.ts'
import { type Places, placesIn } from './line-places.ts'

/** An event whose form and metadata need no other look, and where its members stand. */
export type UsualLine = { readonly event: StoredEvent; readonly places: Places }

/** The pattern that the JSON Schema of a text has, without its ends and its groups. */
const patternOf = (schema: z.ZodType): string => {
  const { pattern } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', target: 'draft-7' })
  return pattern!.replace(/^\^|\$$/g, '').replace(/\((?!\?)/g, '(?:')
}

const UUID = patternOf(uuid)
// Texts of ASCII that stand in JSON as they are, and ids among them: fewer than the schemas of lines take.
const [TEXT, ID] = ['[ !#-\\[\\]-~]+', '[!#-\\[\\]-~]+']
const LIST = `\\[(?:"${TEXT}"(?:,"${TEXT}")*)?\\]`
const WHO = `\\{"roles":${LIST},"subject":"${TEXT}"(?:,"teams":${LIST})?\\}`

/**
 * Groups in their order: `$causationId`, `$correlationId`, `actor` (JSON), `at`, `behalf` (JSON, may be absent),
 * `commandId`, `fingerprint`, `id`, `org`, `schema`, `subjects` (JSON).
 */
const METADATA = [
  `\\{"\\$causationId":"(${TEXT})","\\$correlationId":"(${TEXT})"`,
  `"actor":(${WHO}),"at":"(${patternOf(timestamp)})"(?:,"behalf":(${WHO}))?`,
  `"commandId":"(${UUID})","fingerprint":"([0-9a-f]{64})","id":"(${ID})","org":"(${ID})"`,
  `"schema":([1-9][0-9]{0,8}),"subjects":(${LIST})\\}`,
].join(',')
const UNSIGNED = '0|[1-9][0-9]{0,18}'
const [BEGIN, ID_AT, METADATA_AT] = ['{"data":', ',"id":"', '","metadata":{"$causationId":"']
/** Everything behind the data. */
const OTHERS = new RegExp(
  [
    `${ID_AT}(${UUID})","metadata":${METADATA}`,
    `"position":"(${UNSIGNED})","revision":"(${UNSIGNED})","stream":"([a-z_]+-${TEXT})","type":"(${TEXT})"\\}$`,
  ].join(','),
  'y',
)
const ID_SIZE = ID_AT.length + 36
const SIZE = { position: ',"position":""'.length, revision: ',"revision":""'.length } as const
const TAIL = ',"stream":"","type":""}'.length
/** Characters of all ids, of the stream, and of all other texts: longer ones may be too long for their schemas. */
const MAX = { ids: 128, stream: 255, texts: 500 } as const
/** The sign that stands for bytes that are not UTF-8. */
const REPLACED = '\ufffd'
const NOBODY: readonly string[] = []

/** The event of a line of the usual form; `undefined` for every other line, sound or not. */
export function usualLine(bytes: Buffer): UsualLine | undefined {
  const text = bytes.toString('latin1')
  const dataTo = text.indexOf(METADATA_AT) - ID_SIZE
  if (dataTo < BEGIN.length || !text.startsWith(BEGIN)) return undefined
  OTHERS.lastIndex = dataTo
  const found = OTHERS.exec(text)
  if (!found) return undefined
  const data = dataIn(bytes, dataTo)
  if (data === undefined) return undefined
  const [, eventId, $causationId, $correlationId, actor, at, behalf, commandId, fingerprint, id, org, ...rest] = found
  const [schema, subjects, position, revision, stream, type] = rest
  const texts = $causationId!.length + $correlationId!.length + actor!.length + (behalf?.length ?? 0) + type!.length
  if (id!.length + org!.length > MAX.ids || stream!.length > MAX.stream || texts > MAX.texts) return undefined
  const metadata = {
    $causationId,
    $correlationId,
    actor: whoIn(actor!),
    at,
    ...(behalf !== undefined && { behalf: whoIn(behalf) }),
    commandId,
    fingerprint,
    id,
    org,
    schema: Number(schema),
    subjects: subjects === '[]' ? NOBODY : JSON.parse(subjects!),
  } as Metadata
  const event = { type, data, metadata, eventId, stream, revision: BigInt(revision!), position: BigInt(position!) }
  const positionTo = bytes.length - TAIL - type!.length - stream!.length - SIZE.revision - revision!.length
  const positionFrom = positionTo - SIZE.position - position!.length
  return { event: event as StoredEvent, places: { dataFrom: BEGIN.length, dataTo, positionFrom, positionTo } }
}

/** The data, where it is surely canonical. */
function dataIn(bytes: Buffer, to: number): Json | undefined {
  const text = bytes.toString('utf8', BEGIN.length, to)
  if (text.includes(REPLACED)) return undefined
  try {
    const data = JSON.parse(text) as Json
    return placesIn(bytes.subarray(BEGIN.length, to)) && data
  } catch {
    return undefined
  }
}

/** Who acts in a log acts again, mostly at once. */
const WHO_MAX = 1_000
const known = new Map<string, Who>()
let [lastText, lastWho]: [string, Who | undefined] = ['', undefined]

function whoIn(text: string): Who {
  if (lastWho !== undefined && text === lastText) return lastWho
  const who = known.get(text) ?? (JSON.parse(text) as Who)
  if (known.size === WHO_MAX) known.clear()
  known.set(text, who)
  ;[lastText, lastWho] = [text, who]
  return who
}
