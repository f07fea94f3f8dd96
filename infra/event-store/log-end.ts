/** Where the log ends, asked for without a gRPC library in between, over a connection that stays. */
import type { ClientHttp2Session } from 'node:http2'
import type { EventStoreDBClient } from '@eventstore/db-client'
import { shared, streams } from '../wire/generated.ts'
import { within } from '../within.ts'
import { inWords, openSession } from './connection.ts'
import { positionOf, readMessages } from './stream-read.ts'

type Source = { readonly url: string; readonly client: EventStoreDBClient; readonly timeoutMs: number }

/** A connection that is made, and its end: also before it is there, however long that takes. */
type Opening = { readonly opened: Promise<ClientHttp2Session>; readonly end: () => void }

/** Connects lazily, and anew after every fault. */
export class LogEnd {
  readonly #source: Source
  #opening: Opening | undefined

  constructor(source: Source) {
    this.#source = source
  }

  /** Position of the last event of any kind, 0 where there is none. Throws where the node does not answer. */
  async position(): Promise<bigint> {
    const { url, timeoutMs } = this.#source
    this.#opening ??= this.#open()
    const opening = this.#opening
    const late = () => new Error(`the event store did not answer within ${timeoutMs} ms`)
    try {
      const asked = opening.opened.then(session => readMessages(session, url, LAST_EVENT, positionOf))
      const [position = 0n] = await within(timeoutMs, asked, late)
      return position
    } catch (error) {
      this.#drop(opening)
      throw error
    }
  }

  close(): void {
    if (this.#opening) this.#drop(this.#opening)
  }

  #drop(opening: Opening): void {
    this.#forget(opening)
    opening.end()
  }

  #forget(opening: Opening): void {
    if (this.#opening === opening) this.#opening = undefined
  }

  #open(): Opening {
    const { url, client } = this.#source
    let session: ClientHttp2Session | undefined
    let isEnded = false
    const end = () => {
      isEnded = true
      session?.destroy()
    }
    const opened = (async () => {
      // biome-ignore lint/complexity/useLiteralKeys: what is protected is reached by its name
      const node = await client['resolveUri']()
      if (isEnded) throw closed()
      session = openSession(url, node)
      return connected(session, () => this.#forget(opening))
    })()
    opened.catch(() => {})
    const opening = { opened, end }
    return opening
  }
}

/** The session once it is connected; `onGone` is called when it takes no more calls. */
function connected(session: ClientHttp2Session, onGone: () => void): Promise<ClientHttp2Session> {
  for (const event of ['error', 'close', 'goaway']) session.on(event, onGone)
  return new Promise((resolve, reject) => {
    session.once('connect', () => resolve(session))
    session.once('error', error => reject(inWords(error)))
    session.once('close', () => reject(closed()))
  })
}

const closed = () => new Error('the event store closed the connection')

const LAST_EVENT = lastEvent()

function lastEvent(): Uint8Array {
  const { Options } = streams.ReadReq
  const nothing = new shared.Empty()
  const options = new Options()
    .setAll(new Options.AllOptions().setEnd(nothing))
    .setReadDirection(Options.ReadDirection.BACKWARDS)
    .setCount('1')
    .setNoFilter(nothing)
    .setUuidOption(new Options.UUIDOption().setString(nothing))
  return new streams.ReadReq().setOptions(options).serializeBinary()
}
