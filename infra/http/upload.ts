/** Bodies of `multipart/form-data` (RFC 7578) with one file, which goes on as it comes. */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import busboy from 'busboy'
import type { ReceiveFile } from '../../domain/kernel/route.ts'
import { ClientGone, whenRefused } from './body.ts'
import { httpError } from './errors.ts'

/** What else a form may hold beside its file. */
const FIELDS_MAX = 20
const FIELD_BYTES_MAX = 10_000

/**
 * Makes the function with which a route takes the file of a request. Whatever goes wrong rejects its promise alone: a
 * body that is cut off, a client that leaves, a file that is too large, and a form without a file.
 */
export const receiveFile =
  (request: IncomingMessage, bytesMax: number): ReceiveFile =>
  store =>
    new Promise((resolve, reject) => {
      let stored: Promise<unknown> | undefined
      let incoming: Readable | undefined
      const fail = (error: unknown) => {
        request.unpipe(parser)
        // The rest of the body is read and thrown away, because a client reads the answer only once it has sent all.
        request.resume()
        reject(error)
      }
      const malformed = (message: string) => fail(httpError('invalid_body', [{ field: 'body', message }]))
      const parser = parserOf(request, bytesMax)
      if (!parser) {
        const details = [{ field: 'Content-Type', message: 'must be multipart/form-data with a boundary' }]
        request.resume()
        reject(httpError('unsupported_media_type', details))
        return
      }
      parser.on('file', (field, bytes, { filename }) => {
        // It may break off before anything reads it: an error without a listener ends the process.
        bytes.on('error', () => {})
        if (field !== 'file' || stored) {
          bytes.resume()
          malformed('has another file than `file`')
          return
        }
        incoming = bytes
        stored = store({ name: filename ?? 'file', bytes: limited(bytes, bytesMax) })
        stored.catch(error => {
          bytes.resume()
          fail(error)
        })
      })
      parser.on('filesLimit', () => malformed('has more than one file'))
      parser.on('error', error => malformed(error instanceof Error ? error.message : String(error)))
      parser.on('close', () => {
        if (!stored) malformed('has no part `file` with a file name')
        else stored.then(value => resolve(value as never), fail)
      })
      const breakOff = (error: Error) => {
        incoming?.destroy(error)
        parser.destroy()
        fail(error)
      }
      const gone = () => request.complete || breakOff(new ClientGone())
      whenRefused(request, breakOff)
      request.on('error', gone)
      request.on('close', gone)
      request.pipe(parser)
    })

function parserOf({ headers }: IncomingMessage, bytesMax: number) {
  if (!/^multipart\/form-data\s*;/i.test(headers['content-type'] ?? '')) return undefined
  try {
    const limits = { files: 1, fields: FIELDS_MAX, fieldSize: FIELD_BYTES_MAX, fileSize: bytesMax + 1 }
    return busboy({ headers, limits, defParamCharset: 'utf8' })
  } catch {
    return undefined
  }
}

/** The bytes of a file. Throws `body_too_large` where there are more than allowed. */
async function* limited(bytes: Readable, bytesMax: number): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of bytes as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > bytesMax) {
      const message = `larger than ${bytesMax} bytes`
      throw httpError('body_too_large', [{ field: 'file', message }], `The file is ${message}.`)
    }
    yield chunk
  }
}
