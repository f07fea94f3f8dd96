/**
 * A subscription to `$all` without a gRPC library in between: a projector spends its day here, and grpc-js takes longer
 * to hand a message over than all of its decoding takes. The client still decides which node to ask, and the connection
 * string means what it means there.
 */
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { EventStoreDBClient } from '@eventstore/db-client'
import { shared, streams } from '../wire/generated.ts'
import { framed, MessageSplitter, percentDecoded, Status } from '../wire/grpc.ts'
import { callHeaders, inWords, keepPinging, openSession } from './connection.ts'
import { type Received, received } from './recorded.ts'

/** Events that the filter looks at in one go. */
const WINDOW_EVENTS = 32
/** Windows without a match after which the server says how far it has looked. */
const MARK_INTERVAL = 32
const READ = '/event_store.client.streams.Streams/Read'
/** Bytes that the server may send ahead of what was taken. */
const STREAM_WINDOW_BYTES = 1024 * 1024
const CONNECTION_WINDOW_BYTES = 2 * STREAM_WINDOW_BYTES
/** Larger than any event: the server takes 16 MiB at most. */
const MESSAGE_BYTES_MAX = 17 * 1024 * 1024

export type SubscriptionOptions = {
  readonly url: string
  /** Finds the node to ask. */
  readonly client: EventStoreDBClient
  /** Prefixes of the names of the streams whose events are wanted. */
  readonly prefixes: readonly string[]
  /** The first event is the one after this position; `0n` is the start. */
  readonly after: bigint
  /** How long a node may take to answer, and to answer a ping. */
  readonly timeoutMs: number
  /** Whether events may be unparsed. */
  readonly unparsed?: boolean
  /** Answers `false` when no more is wanted for now: what has arrived is still delivered, and then `resume` awaited. */
  readonly onMessage: (message: Received, bytes: number) => boolean
  /** Called once with the error that ended the subscription, unless it was closed. */
  readonly onEnd: (error: Error) => void
}

export type Subscription = { readonly resume: () => void; readonly close: () => void }

/** Begins at once. Every fault ends the subscription through `onEnd`; nothing is tried again here. */
export function subscribeToAll(options: SubscriptionOptions): Subscription {
  const { url, client, timeoutMs, onEnd } = options
  let session: ClientHttp2Session | undefined
  let stream: ClientHttp2Stream | undefined
  let over = false
  let timers: NodeJS.Timeout[] = []
  const close = () => {
    over = true
    for (const timer of timers) clearInterval(timer)
    stream?.close()
    session?.destroy()
  }
  const end = (error: Error) => {
    if (over) return
    close()
    onEnd(error)
  }
  const open = (node: string) => {
    if (over) return
    const opened = openSession(url, node, STREAM_WINDOW_BYTES)
    session = opened
    opened.on('connect', () => {
      if (!over) opened.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    })
    session.on('error', error => end(inWords(error)))
    session.on('close', () => end(new Error('the event store closed the connection')))
    // Node stops the pings on such a connection, so that its failure would go unnoticed.
    session.on('goaway', () => end(new Error('the event store is about to close the connection')))
    stream = session.request(callHeaders(url, READ))
    receive(stream, options, end)
    stream.end(framed(request(options)))
    timers = watch(session, stream, timeoutMs, end)
  }
  // biome-ignore lint/complexity/useLiteralKeys: what is protected is reached by its name
  client['resolveUri']().then(open).catch(end)
  return {
    resume: () => stream?.resume(),
    close,
  }
}

/** Delivers each message that arrives, and reports how the stream ended. */
function receive(
  stream: ClientHttp2Stream,
  { onMessage, unparsed }: SubscriptionOptions,
  end: (error: Error) => void,
): void {
  const splitter = new MessageSplitter({ check: checkMessage })
  let status: string | undefined
  let reason = ''
  const note = (headers: Readonly<Record<string, unknown>>) => {
    if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status'])
    if (headers['grpc-message'] !== undefined) reason = percentDecoded(String(headers['grpc-message']))
  }
  stream.on('response', headers => {
    note(headers)
    if (headers[':status'] !== 200) end(new Error(`the event store answered with HTTP status ${headers[':status']}`))
  })
  stream.on('trailers', note)
  stream.on('data', (chunk: Buffer) => {
    try {
      let wanted = true
      splitter.push(chunk)
      for (let message = splitter.next(); message && !stream.destroyed; message = splitter.next())
        wanted = onMessage(received(message, unparsed), message.length) && wanted
      if (!wanted) stream.pause()
    } catch (error) {
      end(error as Error)
    }
  })
  stream.on('error', end)
  stream.on('close', () => {
    const ended = status === undefined ? 'broke off the subscription' : 'ended the subscription'
    const isFault = status !== undefined && status !== String(Status.ok)
    const how = isFault ? `answered with gRPC status ${status}` : ended
    end(new Error(`the event store ${how}${reason && `: ${reason}`}`))
  })
}

function checkMessage(length: number, isCompressed: boolean): void {
  if (isCompressed) throw new Error('the event store sent a compressed message, which nobody asked for')
  if (length > MESSAGE_BYTES_MAX) throw new Error(`the event store sent a message of ${length} bytes`)
}

/** Ends the subscription when the node does not answer the request in time, or one of the pings that follow. */
function watch(
  session: ClientHttp2Session,
  stream: ClientHttp2Stream,
  timeoutMs: number,
  end: (error: Error) => void,
): NodeJS.Timeout[] {
  const silent = () => end(new Error(`the event store did not answer within ${timeoutMs} ms`))
  const answer = setTimeout(silent, timeoutMs)
  stream.once('response', () => clearTimeout(answer))
  return [answer, keepPinging(session, timeoutMs, silent)]
}

/** The request of a subscription to `$all`, by prefixes of stream names. */
function request({ prefixes, after }: SubscriptionOptions): Uint8Array {
  const { Options } = streams.ReadReq
  const nothing = new shared.Empty()
  const position = new Options.Position().setCommitPosition(`${after}`).setPreparePosition(`${after}`)
  const all = after === 0n ? new Options.AllOptions().setStart(nothing) : new Options.AllOptions().setPosition(position)
  const filter = new Options.FilterOptions()
    .setStreamIdentifier(new Options.FilterOptions.Expression().setPrefixList([...prefixes]))
    .setMax(WINDOW_EVENTS)
    .setCheckpointintervalmultiplier(MARK_INTERVAL)
  const options = new Options()
    .setAll(all)
    .setSubscription(new Options.SubscriptionOptions())
    .setFilter(filter)
    .setUuidOption(new Options.UUIDOption().setString(nothing))
  return new streams.ReadReq().setOptions(options).serializeBinary()
}
