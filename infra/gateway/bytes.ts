/** Bodies on their way through: counted, and given up with their client. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { httpError } from '../http/errors.ts'

/** Aborted when the client is gone before its answer is out. */
export function ended(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'))
  })
  return gone.signal
}

/**
 * Sends the body of a request on, as it comes. Throws `body_too_large` at once for a length that is over the limit; a
 * body without a length is cut off where it passes that.
 */
export function metered(request: IncomingMessage, bytesMax: number): (to: NodeJS.WritableStream) => void {
  if (bytesMax > 0 && Number(request.headers['content-length'] ?? 0) > bytesMax) throw httpError('body_too_large')
  return to => {
    let bytes = 0
    if (bytesMax > 0) {
      request.on('data', chunk => {
        bytes += chunk.length
        if (bytes > bytesMax)
          (to as unknown as { destroy: (error: Error) => void }).destroy(httpError('body_too_large'))
      })
    }
    request.pipe(to)
    request.once('error', () => to.end())
  }
}
