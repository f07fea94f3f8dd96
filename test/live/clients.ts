/** Clients of the live API, as tests use them: they keep what came, and wait for more. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { WebSocket } from 'ws'
import { Waker } from '../../projections/waker.ts'

/** One server-sent event, or a comment. */
type Frame = { readonly event?: string; readonly id?: string; readonly data?: string; readonly comment?: string }

export type Stream = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** The body of an answer that is no stream. */
  readonly body: () => Promise<{ error: { code: string; details: { field: string; message: string }[] } }>
  /** The data of all events so far, parsed. */
  readonly events: readonly Record<string, string>[]
  readonly frames: readonly Frame[]
  readonly isOver: () => boolean
  /** Waits until a condition holds that depends on what came. */
  readonly until: (condition: () => boolean, ms?: number) => Promise<void>
  /** Stops or goes on reading from the socket. */
  readonly pause: () => void
  readonly resume: () => void
  readonly close: () => void
}

const WAIT_MS = 15_000

async function untilHolds(condition: () => boolean, waker: Waker, ms: number, what: () => string): Promise<void> {
  const deadline = performance.now() + ms
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`it did not come: ${what()}`)
    await waker.wait(Math.min(200, ms))
  }
}

/** Opens an event stream. */
export function openStream(url: string, token: string, path: string, headers: Record<string, string> = {}) {
  return new Promise<Stream>((resolve, reject) => {
    const sent: ClientRequest = request(`${url}/api/v1/events${path}`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...headers },
    })
    sent.on('error', reject)
    sent.on('response', answer => resolve(streamOf(sent, answer)))
    sent.end()
  })
}

function streamOf(sent: ClientRequest, answer: IncomingMessage): Stream {
  const frames: Frame[] = []
  const events: Record<string, string>[] = []
  const waker = new Waker()
  let text = ''
  let isOver = false
  answer.setEncoding('utf8')
  answer.on('data', chunk => {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const frame = frameOf(text.slice(0, end))
      text = text.slice(end + 2)
      frames.push(frame)
      if (frame.data !== undefined && frame.event === undefined) events.push(JSON.parse(frame.data))
    }
    waker.wake()
  })
  answer.on('error', () => {})
  answer.on('close', () => {
    isOver = true
    waker.wake()
  })
  sent.on('error', () => {})
  return {
    status: answer.statusCode!,
    headers: answer.headers,
    async body() {
      await untilHolds(
        () => isOver,
        waker,
        WAIT_MS,
        () => text,
      )
      return JSON.parse(text)
    },
    events,
    frames,
    isOver: () => isOver,
    until: (condition, ms = WAIT_MS) => untilHolds(condition, waker, ms, () => JSON.stringify(frames).slice(-1_000)),
    pause: () => answer.pause(),
    resume: () => answer.resume(),
    close: () => sent.destroy(),
  }
}

function frameOf(text: string): Frame {
  const fields = text.split('\n').map(line => /^([a-z]*): ?(.*)$/.exec(line) ?? ['', '?', line])
  return Object.fromEntries(fields.map(([, name, value]) => [name || 'comment', value]))
}

export type Message = {
  readonly type: string
  readonly channel: string
  // biome-ignore lint/suspicious/noExplicitAny: messages of any type, looked into by tests alone
  readonly data: any
  readonly timestamp: string
  readonly position: string
  readonly requestId?: string
}

export type SocketClient = {
  readonly messages: readonly Message[]
  readonly send: (message: unknown) => void
  readonly socket: WebSocket
  readonly closed: () => { readonly code: number; readonly reason: string } | undefined
  readonly until: (condition: () => boolean, ms?: number) => Promise<void>
  readonly close: () => void
}

/** Opens a WebSocket. Rejects with the status of an answer that refuses it. */
export function openSocket(url: string, headers: Record<string, string> = {}): Promise<SocketClient> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/ws`, { headers })
  const messages: Message[] = []
  const waker = new Waker()
  let closed: { code: number; reason: string } | undefined
  socket.on('message', data => {
    messages.push(JSON.parse(String(data)))
    waker.wake()
  })
  socket.on('close', (code, reason) => {
    closed = { code, reason: String(reason) }
    waker.wake()
  })
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_, answer) => reject(new Error(String(answer.statusCode))))
    socket.on('error', reject)
    socket.on('open', () =>
      resolve({
        messages,
        send: message => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
        socket,
        closed: () => closed,
        until: (condition, ms = WAIT_MS) =>
          untilHolds(condition, waker, ms, () => JSON.stringify([messages.slice(-5), closed])),
        close: () => socket.terminate(),
      }),
    )
  })
}
