/** WebSockets through the gateway: which upgrades are passed on, and how both sides are joined and end. */
import { type IncomingHttpHeaders, type IncomingMessage, request as send } from 'node:http'
import type { Duplex } from 'node:stream'
import { urlToHttpOptions } from 'node:url'
import { hasBody } from '../http/body.ts'
import { answerTo, httpError } from '../http/errors.ts'
import { API_BASE } from '../http/server.ts'
import { faultOf, originForm } from '../http/well-formed.ts'
import type { Upstream } from './upstream.ts'

/** Throws `invalid_request` for an upgrade other than that of the API's WebSocket. */
export function mustBeSocket(request: IncomingMessage): void {
  const fault = faultOf(request)
  if (fault) throw fault
  const { method, url, headers } = request
  const [path] = originForm(url!).split('?')
  const isSocket = headers.upgrade?.toLowerCase() === 'websocket' && path === `${API_BASE}/ws`
  if (isSocket && method === 'GET' && !hasBody(request)) return
  const details = [{ field: 'Upgrade', message: `is for GET ${API_BASE}/ws alone, to websocket, without a body` }]
  throw httpError('invalid_request', details)
}

type Opened = { readonly socket: Duplex; readonly head: Buffer }

/**
 * Joins the client of a WebSocket with the read API; a refusal of that is passed on as it is. Each side ends with the
 * other, at any time.
 */
export function tunnel(
  { url, timeoutMs }: Pick<Upstream, 'url' | 'timeoutMs'>,
  request: IncomingMessage,
  headers: IncomingHttpHeaders,
  { socket, head }: Opened,
): void {
  if (socket.destroyed) return
  const { hostname, port } = urlToHttpOptions(new URL(url))
  const path = originForm(request.url!)
  const sent = send({ hostname, port, path, headers: { ...headers, connection: 'Upgrade', upgrade: 'websocket' } })
  const timer = setTimeout(() => sent.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
  // A client says nothing until it is answered (RFC 6455, 4.1). One that does, or ends, is gone; without a look at what
  // it says, nobody would see that.
  const leave = () => {
    sent.destroy()
    socket.destroy()
  }
  const signs = ['data', 'end', 'close']
  for (const sign of signs) socket.on(sign, leave)
  sent.once('close', () => clearTimeout(timer))
  sent.once('upgrade', (answer, other, first) => {
    clearTimeout(timer)
    for (const sign of signs) socket.off(sign, leave)
    for (const [from, to] of [
      [socket, other],
      [other, socket],
    ] as const) {
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
    if (socket.destroyed) return void other.destroy()
    socket.write(headOf(answer, () => true))
    if (first.length > 0) socket.write(first)
    if (head.length > 0) other.write(head)
    socket.pipe(other)
    other.pipe(socket)
  })
  sent.once('response', answer => {
    clearTimeout(timer)
    // The body is passed on without its coding, until the connection ends.
    socket.write(headOf(answer, name => name !== 'connection' && name !== 'transfer-encoding', 'Connection: close'))
    answer.on('error', () => socket.destroy())
    answer.pipe(socket)
  })
  sent.on('error', () => refuse(socket, httpError('engine_unavailable')))
  sent.end()
}

function headOf(answer: IncomingMessage, keeps: (name: string) => boolean, ...more: readonly string[]): string {
  const { statusCode, statusMessage, rawHeaders } = answer
  const lines = rawHeaders.flatMap((name, at) =>
    at % 2 === 0 && keeps(name.toLowerCase()) ? [`${name}: ${rawHeaders[at + 1]}`] : [],
  )
  return [`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines, ...more, '', ''].join('\r\n')
}

/** Answers an upgrade that is not passed on, and ends the connection. */
export function refuse(socket: Duplex, error: unknown): void {
  const { status, code, message, details } = answerTo(error)
  const body = JSON.stringify({ error: { code, message, details }, meta: { timestamp: new Date().toISOString() } })
  const lines = [
    `HTTP/1.1 ${status} ${code}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  if (socket.writable) socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}
