/** `POST /streams/<name>`: the one way to write without gRPC that scripts around an EventStoreDB use. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { NIL_UUID, type ProposedEvent, UUID } from '../wire/proposed-event.ts'
import { MAX_APPEND_BYTES } from '../wire/responses.ts'
import { ANY } from '../wire/revisions.ts'
import { isReserved } from '../wire/stream-name.ts'
import type { Committer } from '../write/committer.ts'
import { type HttpAnswer, httpAnswer } from './http-answer.ts'

const EVENT_LIST = 'application/vnd.eventstore.events+json'
const STREAM = /^\/streams\/([^/?]+)$/
/** Longest body, with room for what surrounds the data in a list of events. */
const BODY_BYTES_MAX = 4 * MAX_APPEND_BYTES
const TOO_LARGE = `Maximum Append Size of ${MAX_APPEND_BYTES} Exceeded.`
const INVALID_BODY = 'Write request body invalid'

/** The stream that a path names; undefined for another path. */
export function streamOfPath(path: string): string | undefined {
  const name = STREAM.exec(path)?.[1]
  try {
    return name && decodeURIComponent(name)
  } catch {
    return undefined
  }
}

export async function postEvents(request: IncomingMessage, stream: string, committer: Committer): Promise<HttpAnswer> {
  const body = await bodyOf(request)
  if (body === undefined) return httpAnswer(400, TOO_LARGE)
  const events = eventsOf(request, body)
  if (typeof events === 'string') return httpAnswer(400, events)
  const dataBytes = events.reduce((sum, event) => sum + event.data.length, 0)
  if (dataBytes > MAX_APPEND_BYTES) return httpAnswer(400, TOO_LARGE)
  const expected = Number(request.headers['es-expectedversion'] ?? ANY)
  if (!Number.isInteger(expected)) return httpAnswer(400, 'ES-ExpectedVersion is no number')
  if (isReserved(stream)) return httpAnswer(400, `The stream name '${stream}' is reserved`)
  return new Promise(resolve =>
    committer.append(stream, expected, events, (error, result) => {
      if (error || !result) resolve(httpAnswer(503, 'The event could not be stored'))
      else if (result.kind === 'deleted') resolve(httpAnswer(410, 'Stream deleted'))
      else if (result.kind === 'wrong') {
        const headers = { 'ES-CurrentVersion': String(result.current) }
        resolve({ ...httpAnswer(400, 'Wrong expected EventNumber'), headers })
      } else {
        const first = Math.max(0, result.revision - events.length + 1)
        const location = `http://${request.headers.host ?? ''}/streams/${encodeURIComponent(stream)}/${first}`
        resolve({ ...httpAnswer(201), headers: { location } })
      }
    }),
  )
}

/** The whole body; undefined when it is too long. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > BODY_BYTES_MAX) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** The events of a request, or what is wrong with it. */
function eventsOf(request: IncomingMessage, body: Buffer): ProposedEvent[] | string {
  const contentType = String(request.headers['content-type'] ?? '').split(';')[0]!
  if (contentType === EVENT_LIST) return listedEvents(body)
  const type = request.headers['es-eventtype']
  if (typeof type !== 'string' || type === '')
    return 'Must include an event type with the request either in body or header.'
  const id = request.headers['es-eventid'] ?? randomUUID()
  if (!isId(id)) return 'The event id is no UUID'
  const json = contentType === 'application/json'
  if (json && !isJson(body)) return INVALID_BODY
  return [{ id: id.toLowerCase(), type: Buffer.from(type), json, metadata: Buffer.alloc(0), data: body }]
}

type ListedEvent = {
  readonly eventId?: unknown
  readonly eventType?: unknown
  readonly data?: unknown
  readonly metadata?: unknown
}

function listedEvents(body: Buffer): ProposedEvent[] | string {
  if (!isJson(body)) return INVALID_BODY
  const list = JSON.parse(body.toString('utf8')) as ListedEvent[]
  if (!Array.isArray(list) || list.length === 0) return INVALID_BODY
  const events: ProposedEvent[] = []
  for (const { eventId, eventType, data, metadata } of list) {
    if (typeof eventType !== 'string' || eventType === '') return 'Empty eventType.'
    if (!isId(eventId)) return 'Empty eventId.'
    const bytes = (value: unknown): Buffer => Buffer.from(value === undefined ? '' : JSON.stringify(value))
    const type = Buffer.from(eventType)
    events.push({ id: eventId.toLowerCase(), type, json: true, metadata: bytes(metadata), data: bytes(data) })
  }
  return events
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value) && value !== NIL_UUID
}

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(body.toString('utf8'))
    return true
  } catch {
    return false
  }
}
