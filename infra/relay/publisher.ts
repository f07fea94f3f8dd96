/**
 * Publishes to JetStream with one subscription for all acknowledgements. The stock client makes an error with its stack
 * for every message, for the case that no answer comes: a quarter of the time that a message takes.
 */
import { createInbox, headers, type Msg, type NatsConnection } from 'nats'
import { type BusMessage, BusMovedError } from './bus.ts'

type Stored = { readonly sequence: number; readonly isDuplicate: boolean }

/** A message whose acknowledgement has not come. */
type Waiting = {
  readonly resolve: (stored: Stored) => void
  readonly reject: (error: Error) => void
  readonly until: number
}

/** An acknowledgement of JetStream (ADR-1 of the NATS architecture): where it was stored, or why not. */
type Acknowledgement = {
  readonly seq?: number
  readonly duplicate?: boolean
  readonly error?: { readonly err_code?: number; readonly description?: string }
}

/** Error code of JetStream for a message that comes behind another one than the last. */
const WRONG_LAST_SEQUENCE = 10_071
/** Status of the answer where no stream takes the subject. */
const NO_RESPONDERS = 503

export class Publisher {
  readonly #connection: NatsConnection
  readonly #stream: string
  readonly #timeoutMs: number
  readonly #inbox = createInbox()
  /** By number, oldest first: the order of their deadlines. */
  readonly #waiting = new Map<string, Waiting>()
  #numbers = 0
  #deadline: NodeJS.Timeout | undefined

  constructor(connection: NatsConnection, stream: string, timeoutMs: number) {
    this.#connection = connection
    this.#stream = stream
    this.#timeoutMs = timeoutMs
    connection.subscribe(`${this.#inbox}.*`, { callback: (error, message) => !error && this.#answered(message) })
  }

  /** Stores a message behind the one with the sequence `after`. Throws `BusMovedError` where that is not the last. */
  publish({ subject, id, body }: BusMessage, after: number): Promise<Stored> {
    const number = String(++this.#numbers)
    const head = headers()
    head.set('Nats-Msg-Id', id)
    head.set('Nats-Expected-Stream', this.#stream)
    head.set('Nats-Expected-Last-Sequence', String(after))
    return new Promise((resolve, reject) => {
      this.#connection.publish(subject, body, { headers: head, reply: `${this.#inbox}.${number}` })
      this.#waiting.set(number, { resolve, reject, until: performance.now() + this.#timeoutMs })
      this.#deadline ??= setTimeout(this.#expire, this.#timeoutMs)
    })
  }

  close(): void {
    clearTimeout(this.#deadline)
    for (const { reject } of this.#waiting.values()) reject(new Error('the event bus is closed'))
    this.#waiting.clear()
  }

  #answered(message: Msg): void {
    const number = message.subject.slice(this.#inbox.length + 1)
    const waiting = this.#waiting.get(number)
    if (!waiting) return
    this.#waiting.delete(number)
    const { seq, duplicate = false, error } = acknowledgementIn(message)
    if (seq !== undefined && !error) waiting.resolve({ sequence: seq, isDuplicate: duplicate })
    else if (error?.err_code === WRONG_LAST_SEQUENCE) waiting.reject(new BusMovedError(error.description ?? ''))
    else waiting.reject(new Error(`the event bus stores nothing: ${error?.description ?? 'it says nothing of it'}`))
  }

  readonly #expire = (): void => {
    this.#deadline = undefined
    for (const [number, { until, reject }] of this.#waiting) {
      const left = until - performance.now()
      if (left > 0) {
        this.#deadline = setTimeout(this.#expire, left)
        return
      }
      this.#waiting.delete(number)
      reject(new Error(`the event bus did not answer in ${this.#timeoutMs} ms`))
    }
  }
}

function acknowledgementIn({ data, headers: head }: Msg): Acknowledgement {
  if (head?.code === NO_RESPONDERS) return { error: { description: 'no stream takes the subject' } }
  try {
    return JSON.parse(Buffer.from(data).toString('utf8')) as Acknowledgement
  } catch {
    return { error: { description: 'it answered in a form that is not known' } }
  }
}
