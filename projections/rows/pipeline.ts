/**
 * A transaction in one round trip: every statement is sent before the first is answered (the extended query protocol of
 * PostgreSQL with a single Sync), rows to copy among them. The server works while this process folds the next batch,
 * and a transaction never waits for this process in the middle.
 */
import type { PoolClient } from 'pg'

/** A statement with its values, or a `copy … from stdin` with the messages CopyData of its text format. */
export type Statement =
  | { readonly name: string; readonly text: string; readonly values: readonly string[] }
  | { readonly copy: string; readonly messages: readonly Buffer[] }

/** The transaction was rolled back by its `statement`-th statement, counted from 0. */
export class PipelineError extends Error {
  override readonly name = 'PipelineError'
  readonly statement: number
  readonly code: string

  constructor(statement: number, cause: Error) {
    super(cause.message, { cause })
    this.statement = statement
    this.code = String((cause as { code?: unknown }).code ?? '')
  }
}

// The part of the connection that `pg` hands to a submittable query; its types do not describe it.
type Connection = {
  readonly stream: { cork: () => void; uncork: () => void; writable: boolean; write: (bytes: Buffer) => void }
  readonly parse: (query: { name: string; text: string }) => void
  readonly bind: (config: { statement: string; values: readonly unknown[] }) => void
  readonly execute: (config: { portal: string; rows: number }) => void
  readonly endCopyFrom: () => void
  readonly sync: () => void
}

const BEGIN: Statement = {
  name: '',
  text: 'begin',
  values: [],
}
// Commits do not wait for the disk: a database that crashes loses rows and checkpoints together.
const SETTINGS: readonly Statement[] = [
  { name: '', text: 'set local synchronous_commit = off', values: [] },
  { name: '', text: 'set local statement_timeout = 0', values: [] },
]
const COMMIT: Statement = { name: '', text: 'commit', values: [] }

/** The names of the statements that a connection has parsed before. */
const parsedBy = new WeakMap<PoolClient, Set<string>>()

/**
 * Runs statements in a transaction of their own. Rejects with a `PipelineError` where the server refuses one: then
 * nothing is written. Rejects with the connection's error where that breaks: then the outcome is unknown. In both cases
 * the caller must throw the connection away.
 */
export function runPipeline(client: PoolClient, statements: readonly Statement[]): Promise<void> {
  const before = 1 + SETTINGS.length
  const parsed = parsedBy.get(client) ?? new Set<string>()
  parsedBy.set(client, parsed)
  return new Promise((resolve, reject) => {
    let completed = 0
    const pipeline = {
      submit(connection: Connection): void {
        connection.stream.cork()
        for (const statement of [BEGIN, ...SETTINGS, ...statements, COMMIT]) send(connection, statement, parsed)
        connection.sync()
        connection.stream.uncork()
      },
      handleCommandComplete: () => {
        completed += 1
      },
      handleParseComplete: () => {},
      handleCopyInResponse: () => {},
      handleRowDescription: () => {},
      handleDataRow: () => {},
      handleEmptyQuery: () => {},
      handleError: (error: Error) => {
        const isRefusal = /^[0-9A-Z]{5}$/.test(String((error as { code?: unknown }).code ?? ''))
        reject(isRefusal ? new PipelineError(completed - before, error) : error)
      },
      handleReadyForQuery: () => {
        for (const statement of statements) if ('name' in statement) parsed.add(statement.name)
        resolve()
      },
    }
    ;(client.query as (submittable: unknown) => void)(pipeline)
  })
}

function send(connection: Connection, statement: Statement, parsed: ReadonlySet<string>): void {
  if ('copy' in statement) {
    connection.parse({ name: '', text: `copy ${statement.copy} from stdin` })
    connection.bind({ statement: '', values: [] })
    connection.execute({ portal: '', rows: 0 })
    for (const message of statement.messages) if (connection.stream.writable) connection.stream.write(message)
    connection.endCopyFrom()
    return
  }
  const { name, text, values } = statement
  if (name === '' || !parsed.has(name)) connection.parse({ name, text })
  connection.bind({ statement: name, values })
  connection.execute({ portal: '', rows: 0 })
}
