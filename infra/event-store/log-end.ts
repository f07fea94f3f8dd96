/** Where the log ends, asked for without a gRPC library in between, over a connection that stays. */
import type { ClientHttp2Session } from 'node:http2'
import type { EventStoreDBClient } from '@eventstore/db-client'
import { shared, streams } from '../wire/generated.ts'
import { within } from '../within.ts'
import { inWords, openSession } from './connection.ts'
import { positionOf, readMessages } from './stream-read.ts'

type Source = { readonly url: string; readonly client: EventStoreDBClient; readonly timeoutMs: number }

/** Connects lazily, and anew after every fault. */
export class LogEnd {
  readonly #source: Source
  #session: Promise<ClientHttp2Session> | undefined

  constructor(source: Source) {
    this.#source = source
  }

  /** Position of the last event of any kind, 0 where there is none. Throws where the node does not answer. */
  async position(): Promise<bigint> {
    const { url, timeoutMs } = this.#source
    this.#session ??= this.#open()
    const opening = this.#session
    const late = () => new Error(`the event store did not answer within ${timeoutMs} ms`)
    try {
      const asked = opening.then(session => readMessages(session, url, LAST_EVENT, positionOf))
      const [position = 0n] = await within(timeoutMs, asked, late)
      return position
    } catch (error) {
      if (this.#session === opening) this.close()
      throw error
    }
  }

  close(): void {
    const closing = this.#session
    this.#session = undefined
    closing?.then(session => session.destroy()).catch(() => {})
  }

  async #open(): Promise<ClientHttp2Session> {
    const { url, client } = this.#source
    // biome-ignore lint/complexity/useLiteralKeys: what is protected is reached by its name
    const session = openSession(url, await client['resolveUri']())
    const opened = this.#session
    const drop = () => {
      if (this.#session === opened) this.#session = undefined
    }
    session.on('error', drop)
    session.on('close', drop)
    session.on('goaway', drop)
    return new Promise((resolve, reject) => {
      session.once('connect', () => resolve(session))
      session.once('error', error => reject(inWords(error)))
      session.once('close', () => reject(new Error('the event store closed the connection')))
    })
  }
}

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
