/** Bodies on their way through: counted, and given up with their client. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { httpError } from '../http/errors.ts'

/**
 * Sends an answer on, as it comes. One that breaks off, or grows beyond a limit other than 0, is cut off here too, so
 * that nobody takes a part for a whole.
 */
export function sendOn(answer: IncomingMessage, response: ServerResponse, bytesMax: number): void {
  if (bytesMax > 0) {
    let bytes = 0
    answer.on('data', chunk => {
      bytes += chunk.length
      if (bytes > bytesMax) response.destroy()
    })
  }
  answer.once('error', () => response.destroy())
  answer.once('close', () => {
    if (!answer.complete) response.destroy()
  })
  answer.pipe(response)
}

/**
 * Sends the body of a request on, as it comes. Throws `body_too_large` at once for a length that is over the limit; a
 * body without a length is cut off where it passes that.
 */
export function metered(request: IncomingMessage, bytesMax: number): (to: Writable) => void {
  if (bytesMax > 0 && Number(request.headers['content-length'] ?? 0) > bytesMax) throw httpError('body_too_large')
  return to => {
    let bytes = 0
    if (bytesMax > 0) {
      request.on('data', chunk => {
        bytes += chunk.length
        if (bytes > bytesMax) to.destroy(httpError('body_too_large'))
      })
    }
    request.pipe(to)
    // An end would make a whole of the part that has come.
    request.once('error', () => to.destroy())
  }
}
