/**
 * Decodes what a subscription to `$all` receives straight into the form that projections fold. The stock client builds
 * several objects and copies for every event first, which takes three times as long as all the rest of reading it.
 *
 * Source: the message `ReadResp` of streams.proto, EventStoreDB 23.10.
 */
import type { StoredEvent } from '../../domain/kernel/event.ts'
import type { UnparsedEvent } from '../../projections/ports.ts'
import { MessageReader } from '../wire/protobuf.ts'

/** An event; how far the filter has looked; that all stored events have come; anything else. */
export type Received =
  | { readonly kind: 'event'; readonly event: UnparsedEvent }
  | { readonly kind: 'checkpoint'; readonly position: bigint }
  | { readonly kind: 'caught-up' }
  | { readonly kind: 'other' }

const OTHER: Received = { kind: 'other' }
const CAUGHT_UP: Received = { kind: 'caught-up' }
const NOTHING = new MessageReader(Buffer.alloc(0))

/** Decodes one `ReadResp`, its JSON later where it is `unparsed`; throws a `MalformedMessage` for other bytes. */
export function received(bytes: Buffer, unparsed = false): Received {
  const message = new MessageReader(bytes)
  while (message.next()) {
    if (message.field === 1) return readEvent(message.message(), unparsed)
    if (message.field === 3) return { kind: 'checkpoint', position: commitOf(message.message()) }
    if (message.field === 8) return CAUGHT_UP
    message.skip()
  }
  return OTHER
}

/** The event as it was recorded, without a link that led to it. */
function readEvent(message: MessageReader, unparsed: boolean): Received {
  while (message.next()) {
    if (message.field === 1) {
      const event = recorded(message.message())
      return { kind: 'event', event: unparsed ? event : parsed(event) }
    }
    message.skip()
  }
  return OTHER
}

function commitOf(message: MessageReader): bigint {
  let commit = 0n
  while (message.next()) {
    if (message.field === 1) commit = message.uint64()
    else message.skip()
  }
  return commit
}

/** An event without JSON or metadata is none of ours: it passes without them, and the codec refuses it by name. */
function recorded(message: MessageReader): Recorded {
  let eventId = ''
  let stream = ''
  let revision = 0n
  let position = 0n
  const system = { type: '', 'content-type': '' }
  let metadata = NOTHING
  let data = NOTHING
  while (message.next()) {
    if (message.field === 1) eventId = textIn(message.message(), 2)
    else if (message.field === 2) stream = textIn(message.message(), 3)
    else if (message.field === 3) revision = message.uint64()
    else if (message.field === 5) position = message.uint64()
    else if (message.field === 6) readEntry(message.message(), system)
    else if (message.field === 7) metadata = message.message()
    else if (message.field === 8) data = message.message()
    else message.skip()
  }
  if (system['content-type'] !== 'application/json') data = NOTHING
  return new Recorded({ type: system.type, eventId, stream, revision, position }, data, metadata)
}

type Data = StoredEvent['data']
type Metadata = StoredEvent['metadata']

/** An event whose JSON is parsed when it is asked for. */
class Recorded implements UnparsedEvent {
  readonly type: string
  readonly eventId: string
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
  readonly #data: MessageReader
  readonly #metadata: MessageReader
  #parsedData: Data | undefined
  #parsedMetadata: Metadata | undefined

  constructor(event: Omit<StoredEvent, 'data' | 'metadata'>, data: MessageReader, metadata: MessageReader) {
    this.type = event.type
    this.eventId = event.eventId
    this.stream = event.stream
    this.revision = event.revision
    this.position = event.position
    this.#data = data
    this.#metadata = metadata
  }

  get data(): Data {
    this.#parsedData ??= jsonIn(this.#data) as Data
    return this.#parsedData
  }

  get metadata(): Metadata {
    this.#parsedMetadata ??= (jsonIn(this.#metadata) ?? {}) as Metadata
    return this.#parsedMetadata
  }

  get size(): number {
    return this.#data.left
  }

  get stored(): { readonly data: Buffer; readonly metadata: Buffer } {
    return { data: this.#data.restView(), metadata: this.#metadata.restView() }
  }

  forget(): void {
    this.#parsedData = undefined
    this.#parsedMetadata = undefined
  }
}

const parsed = ({ type, data, metadata, eventId, stream, revision, position }: Recorded): StoredEvent => {
  return { type, data, metadata, eventId, stream, revision, position }
}

function textIn(message: MessageReader, field: number): string {
  let text = ''
  while (message.next()) {
    if (message.field === field) text = message.string()
    else message.skip()
  }
  return text
}

/** Reads an entry of the system metadata into the object, when that has its key, which usually comes first. */
function readEntry(entry: MessageReader, into: Record<string, string>): void {
  let key: string | undefined
  let value = ''
  while (entry.next()) {
    if (entry.field === 1) key = entry.string()
    else if (entry.field === 2 && (key === undefined || key in into)) value = entry.string()
    else entry.skip()
  }
  if (key !== undefined && key in into) into[key] = value
}

/** The JSON value of the bytes, or `null` where they hold none. */
function jsonIn(bytes: MessageReader): unknown {
  const text = bytes.rest()
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
