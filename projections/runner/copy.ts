/** `COPY … FROM STDIN` over a `pg` client, by the submittable interface that its own queries implement. */
import type { PoolClient } from 'pg'

// What `pg` hands to a submittable; its types do not describe the copy calls.
type Connection = {
  query: (text: string) => void
  sendCopyFromChunk: (chunk: Buffer) => void
  endCopyFrom: () => void
}

// Large enough to amortise a write, small enough to keep the event loop free.
const CHUNK_LINES = 500

/**
 * Adds rows to a table in one statement, given as lines of COPY's text format. Rejects with the server's error, after
 * which the transaction is aborted as for any other statement.
 */
export function copyInto(client: PoolClient, target: string, lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let failed: Error | undefined
    const copy = {
      submit: (connection: Connection) => connection.query(`copy ${target} from stdin`),
      handleCopyInResponse: (connection: Connection) => {
        for (let from = 0; from < lines.length; from += CHUNK_LINES) {
          connection.sendCopyFromChunk(Buffer.from(`${lines.slice(from, from + CHUNK_LINES).join('\n')}\n`))
        }
        connection.endCopyFrom()
      },
      handleCommandComplete: () => {},
      handleError: (error: Error) => {
        failed = error
        // A lost connection never becomes ready for a next query; an error of the statement does, and rejects once more.
        reject(error)
      },
      handleReadyForQuery: () => (failed ? reject(failed) : resolve()),
    }
    // The client sets `callback` to time a query out and to report a closed connection.
    ;(client.query as (submittable: unknown) => void)(copy)
  })
}
