import type { IncomingMessage } from 'node:http'
import { httpError } from './errors.ts'
import { parseJson } from './json.ts'

/** Bytes beyond the limit that are read and discarded, because a client reads the answer only once it has sent all. */
const DISCARD_BYTES_MAX = 16 * 1024 * 1024

/** The client closed the connection before its request was whole, so that no answer can be sent. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

const FAULT = Symbol('fault')
const REFUSE = Symbol('refuse')
/** A request with the fault of its body, and with what ends the reading of it. */
type Read = IncomingMessage & { [FAULT]?: Error; [REFUSE]?: (error: Error) => void }

/** Makes the reading of a body fail, now or when it begins: the parser has refused the bytes of it. */
export function refuseBody(request: Read, error: Error): void {
  request[FAULT] = error
  request[REFUSE]?.(error)
}

/** Calls back when the parser refuses the bytes of a body, at once where it has done so before. */
export function whenRefused(request: Read, listener: (error: Error) => void): void {
  request[REFUSE] = listener
  if (request[FAULT]) listener(request[FAULT])
}

/** True where a request announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/** Reads the body of a request that announces one: JSON, or, where that may be, the fields of a form. */
export async function readBody(request: IncomingMessage, limitBytes: number, form?: true): Promise<unknown> {
  const [essence] = (request.headers['content-type'] ?? '').toLowerCase().split(';')
  if (!form || essence!.trim() !== 'application/x-www-form-urlencoded') return readJson(request, limitBytes)
  const bytes = await readBytes(request, limitBytes)
  if (bytes === undefined) throw tooLarge(limitBytes)
  const fields = [...new URLSearchParams(bytes.toString('utf8'))].filter(([, value]) => value !== '')
  const twice = fields.find(([name], n) => fields.findIndex(([other]) => other === name) !== n)
  // RFC 6749, 3.2: no parameter is given twice.
  if (twice) throw httpError('invalid_body', [{ field: twice[0].slice(0, 200), message: 'is there twice' }])
  return Object.fromEntries(fields)
}

/** Reads the JSON body of a request that announces one; `undefined` where it turns out to be empty. */
async function readJson(request: IncomingMessage, limitBytes: number): Promise<unknown> {
  const unsupported = mediaTypeFault(request)
  const bytes = await readBytes(request, unsupported ? 0 : limitBytes)
  if (unsupported) throw httpError('unsupported_media_type', [unsupported])
  if (bytes === undefined) throw tooLarge(limitBytes)
  return bytes.length === 0 ? undefined : parseJson(bytes)
}

function tooLarge(limitBytes: number) {
  const message = `larger than ${limitBytes} bytes`
  return httpError('body_too_large', [{ field: 'body', message }], `The body is ${message}.`)
}

function mediaTypeFault({ headers }: IncomingMessage) {
  const { 'content-type': type, 'content-encoding': encoding } = headers
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return { field: 'Content-Encoding', message: 'compressed bodies are not accepted' }
  }
  if (type === 'application/json') return undefined
  if (type === undefined) return { field: 'Content-Type', message: 'must be application/json' }
  const [essence, ...parameters] = type
    .toLowerCase()
    .split(';')
    .map(part => part.trim())
  if (!/^application\/([\w.-]+\+)?json$/.test(essence!)) {
    return { field: 'Content-Type', message: 'must be application/json' }
  }
  const charset = parameters.find(parameter => parameter.startsWith('charset='))
  if (charset === undefined || /^charset="?utf-?8"?$/.test(charset)) return undefined
  return { field: 'Content-Type', message: 'the charset must be utf-8' }
}

/** The whole body, `undefined` when it is over the limit. */
function readBytes(request: Read, limitBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limitBytes) chunks.push(chunk)
      else if (size > limitBytes + DISCARD_BYTES_MAX) resolve(undefined)
    })
    request.on('end', () => {
      if (size > limitBytes) resolve(undefined)
      else resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
    })
    whenRefused(request, reject)
    // Behind every error comes this; without a listener of its own an error of a request is not thrown.
    request.on('close', () => request.complete || reject(new ClientGone()))
  })
}
