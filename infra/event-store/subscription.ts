/**
 * A subscription to `$all` without a gRPC library in between: the projector's whole day is spent here, and grpc-js
 * spends more on handing a message over than all of its decoding takes. Which node to ask is still decided by the
 * client, and the connection string means what it means there.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import { readFileSync } from 'node:fs'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type SecureClientSessionOptions } from 'node:http2'
import type { EventStoreDBClient } from '@eventstore/db-client'
import { parseConnectionString } from '@eventstore/db-client/dist/Client/parseConnectionString.js'
import { framed } from '../embedded/event-store/wire/call.ts'
import { Writer } from '../wire/protobuf.ts'
import { MessageSplitter } from '../wire/splitter.ts'
import { type Received, received } from './recorded.ts'

/** Events that the filter looks at in one go, and after how many such windows without a match it tells where it is. */
const WINDOW_EVENTS = 32
const MARK_INTERVAL = 32
const READ = '/event_store.client.streams.Streams/Read'
/** Bytes that the server may send ahead of what was taken. */
const STREAM_WINDOW_BYTES = 1024 * 1024
const CONNECTION_WINDOW_BYTES = 2 * STREAM_WINDOW_BYTES
const OK = '0'

export type SubscriptionOptions = {
  readonly url: string
  /** Answers which node to ask. */
  readonly client: EventStoreDBClient
  /** Prefixes of the names of the streams whose events are wanted. */
  readonly prefixes: readonly string[]
  /** The first event is the one after this position; `0n` is the start. */
  readonly after: bigint
  /** How long a node may take to answer, and to a ping. */
  readonly timeoutMs: number
  /** `false` when no more is wanted for now: what has arrived is delivered still, then `resume` is awaited. */
  readonly onMessage: (message: Received) => boolean
  /** Called once, with what ended the subscription, unless it was closed. */
  readonly onEnd: (error: Error) => void
}

export type Subscription = { readonly resume: () => void; readonly close: () => void }

/** Begins at once. Whatever goes wrong is told through `onEnd`; nothing is tried again here. */
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
    const { tls = true, defaultCredentials: user } = parseConnectionString(url)
    const opened = connect(`${tls ? 'https' : 'http'}://${node}`, connectionOptions(url))
    session = opened
    opened.on('connect', () => {
      if (!over) opened.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    })
    session.on('error', error => end(inWords(error)))
    session.on('close', () => end(new Error('the event store closed the connection')))
    // What is still to come on it would come without pings: nobody would notice if it never did.
    session.on('goaway', () => end(new Error('the event store is about to close the connection')))
    stream = session.request({
      ':method': 'POST',
      ':path': READ,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(tls &&
        user && { authorization: `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}` }),
    })
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

/** Delivers what arrives, message by message, and tells how it ended. */
function receive(stream: ClientHttp2Stream, { onMessage }: SubscriptionOptions, end: (error: Error) => void): void {
  const splitter = new MessageSplitter()
  let status: string | undefined
  let reason = ''
  const note = (headers: Readonly<Record<string, unknown>>) => {
    if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status'])
    if (headers['grpc-message'] !== undefined) reason = unescaped(String(headers['grpc-message']))
  }
  stream.on('response', headers => {
    note(headers)
    if (headers[':status'] !== 200) end(new Error(`the event store answered with HTTP status ${headers[':status']}`))
  })
  stream.on('trailers', note)
  stream.on('data', (chunk: Buffer) => {
    try {
      let wanted = true
      for (const message of splitter.push(chunk)) {
        if (stream.destroyed) return
        wanted = onMessage(received(message)) && wanted
      }
      if (!wanted) stream.pause()
    } catch (error) {
      end(error as Error)
    }
  })
  stream.on('error', end)
  stream.on('close', () => {
    const ended = status === undefined ? 'broke off the subscription' : 'ended the subscription'
    const how = status === undefined || status === OK ? ended : `answered with gRPC status ${status}`
    end(new Error(`the event store ${how}${reason && `: ${reason}`}`))
  })
}

/** Ends what a node leaves without an answer: the beginning, or one of the pings that are sent all the time. */
function watch(
  session: ClientHttp2Session,
  stream: ClientHttp2Stream,
  timeoutMs: number,
  end: (error: Error) => void,
): NodeJS.Timeout[] {
  const silent = () => end(new Error(`the event store did not answer within ${timeoutMs} ms`))
  const answer = setTimeout(silent, timeoutMs)
  stream.once('response', () => clearTimeout(answer))
  let pinged = false
  const ping = setInterval(() => {
    if (pinged) return silent()
    pinged = session.ping(() => {
      pinged = false
    })
  }, timeoutMs)
  ping.unref()
  return [answer, ping]
}

/** Where every address of a name was tried in vain the error has no words of its own. */
const inWords = (error: Error): Error =>
  error instanceof AggregateError && error.message === ''
    ? new Error(error.errors.map(each => (each as Error).message).join(', '), { cause: error })
    : error

/** Percent-encoded text, or the text itself where it is not. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function connectionOptions(url: string): SecureClientSessionOptions {
  const { tlsCAFile, userCertFile, userKeyFile } = parseConnectionString(url)
  return {
    settings: { initialWindowSize: STREAM_WINDOW_BYTES },
    ...(tlsCAFile && { ca: readFileSync(tlsCAFile) }),
    ...(userCertFile && { cert: readFileSync(userCertFile) }),
    ...(userKeyFile && { key: readFileSync(userKeyFile) }),
  }
}

/** `ReadReq` of a subscription to `$all`, by prefixes of stream names. Source: streams.proto of EventStoreDB 23.10. */
function request({ prefixes, after }: SubscriptionOptions): Buffer {
  const names = new Writer()
  for (const prefix of prefixes) names.string(2, prefix)
  const filter = new Writer().message(1, names).uint(3, WINDOW_EVENTS).uint(5, MARK_INTERVAL)
  const position = new Writer().uint(1, after).uint(2, after)
  const from = after === 0n ? new Writer().empty(2) : new Writer().message(1, position)
  const idsAsText = new Writer().empty(2)
  const options = new Writer().message(2, from).empty(6).message(7, filter).message(9, idsAsText)
  return new Writer().message(1, options).finish()
}
