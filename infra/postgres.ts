import pg from 'pg'
import { KogiError } from '../domain/kernel/errors.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** A pool whose connections parse values as `typeParser` says and whose failures are `engine_unavailable`. */
export type Pool = pg.Pool
/** A connection of a pool, inside a transaction. */
export type Connection = pg.PoolClient

export type TransactionOptions = {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  readonly readOnly?: boolean
}

/**
 * Opens a pool on a database. `name` (`read`, `keys`) is its label in metrics and logs. Values come as bigint where
 * they are whole (`int8`, and `numeric` without a fraction), as ISO 8601 text for dates and times, as parsed JSON for
 * `jsonb`. A server that does not answer is a `KogiError` `engine_unavailable`, from `connect` and `query` alike; the
 * pool connects again by itself.
 */
export function createPool(options: {
  url: string
  name: string
  log: Log
  metrics?: Metrics
  max?: number
  /** Connections that stay open though nothing uses them: to open one costs more than some seconds of rest. */
  kept?: number
  connectTimeoutMs?: number
  /** Name of its connections in `pg_stat_activity`; `kogi-<name>` by default. */
  applicationName?: string
  /** 0 sets no limit and sends no start-up parameter, as poolers between may want it. */
  statementTimeoutMs?: number
}): Pool {
  const { url, name, log, metrics, max = 10, kept = 0, connectTimeoutMs = 5_000, statementTimeoutMs = 0 } = options
  const pool = new pg.Pool({
    connectionString: url,
    max,
    min: kept,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    application_name: options.applicationName ?? `kogi-${name}`,
    types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
    ...(statementTimeoutMs > 0 ? { statement_timeout: statementTimeoutMs } : {}),
  })
  const active = metrics?.dbConnections.labels(name)
  active?.set(0)
  pool.on('acquire', () => active?.inc())
  pool.on('release', () => active?.dec())
  pool.on('error', error => log.warn({ err: error, database: name }, 'lost an idle PostgreSQL connection'))
  const observe = observer(name, metrics)
  pool.on('connect', client => {
    client.on('error', () => {}) // The pool or the broken query reports the same error.
    client.query = settled(client.query.bind(client), observe) as typeof client.query
  })
  pool.connect = settled(pool.connect.bind(pool), undefined, unavailable) as typeof pool.connect
  return pool
}

/**
 * Runs `fn` inside one transaction: commits what it returns, rolls back what it throws. When the connection breaks
 * during the commit the error is `engine_unavailable` and the outcome unknown: find out before repeating.
 */
export async function withTransaction<T>(
  pool: Pool,
  fn: (connection: Connection) => Promise<T>,
  { isolation, readOnly }: TransactionOptions = {},
): Promise<T> {
  const connection = await pool.connect()
  let broken: Error | undefined
  try {
    await connection.query(`BEGIN${isolation ? ` ISOLATION LEVEL ${isolation}` : ''}${readOnly ? ' READ ONLY' : ''}`)
    const result = await fn(connection)
    await connection.query('COMMIT')
    return result
  } catch (error) {
    await connection.query('ROLLBACK').catch(failure => {
      broken = failure
    })
    throw asEngineError(error)
  } finally {
    connection.release(broken)
  }
}

const NETWORK_CODES = new Set(
  'ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH EHOSTDOWN'.split(
    ' ',
  ),
)
// Connection exceptions, wrong credentials, no such database, no room or disk, operator intervention (timeouts too).
const SQLSTATE = /^(08|28|53|57|58|3D)[0-9A-Z]{3,4}$/
const DRIVER_MESSAGE =
  /^(Connection terminated|timeout exceeded when trying|Client (has encountered|was closed)|Query read timeout)/

/**
 * Turns an error of the driver that means "the engine does not answer now" into `engine_unavailable`, whose cause it
 * becomes; returns any other error as it is.
 */
export function asEngineError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof KogiError) return error
  const code = String((error as { code?: unknown }).code ?? '')
  const isAway = NETWORK_CODES.has(code) || SQLSTATE.test(code) || DRIVER_MESSAGE.test(error.message)
  return isAway ? unavailable(error) : error
}

/** Any failure to connect is one: a server may refuse in many words (no such role, no right, no more connections). */
function unavailable(error: unknown): unknown {
  if (error instanceof KogiError) return error
  return new KogiError('engine_unavailable', 'The database does not answer at the moment. Try again shortly.', [], {
    cause: error,
  })
}

type Observe = (seconds: number, failed: boolean) => void
type Callback = (error: unknown, ...rest: unknown[]) => void

/** Wraps a driver function of promise and callback form: translates its failures and measures how long it took. */
function settled(fn: (...args: never[]) => unknown, observe?: Observe, translated = asEngineError) {
  return (...args: unknown[]): unknown => {
    const start = performance.now()
    const end = (failed: boolean) => observe?.((performance.now() - start) / 1000, failed)
    const callback = args.at(-1)
    if (typeof callback === 'function') {
      args[args.length - 1] = (error: unknown, ...rest: unknown[]) => {
        end(Boolean(error))
        ;(callback as Callback)(error && translated(error), ...rest)
      }
    }
    const result = fn(...(args as never[]))
    if (!(result instanceof Promise)) return result
    return result.then(
      value => {
        end(false)
        return value
      },
      error => {
        end(true)
        throw translated(error)
      },
    )
  }
}

function observer(database: string, metrics: Metrics | undefined): Observe | undefined {
  if (!metrics) return undefined
  const duration = metrics.dbDuration.labels(database)
  const [succeeded, failed] = ['ok', 'error'].map(outcome => metrics.dbQueries.labels(database, outcome))
  return (seconds, wrong) => {
    duration.observe(seconds)
    ;(wrong ? failed : succeeded)!.inc()
  }
}

const { builtins } = pg.types
/** The array parser of the driver, whose declared type belongs to another version. */
const arrayParser = pg.types.arrayParser as unknown as {
  create<T>(source: string, transform: (entry: string) => T): { parse(): T[] }
}

/** `numeric` may have a fraction, which stays text: a float would round it. */
const whole = (text: string) => (/^-?\d+$/.test(text) ? BigInt(text) : text)

/** PostgreSQL's `2026-01-12 10:30:00.5+00` as ISO 8601: `2026-01-12T10:30:00.5Z`. */
const isoTime = (text: string) =>
  text.replace(' ', 'T').replace(/(\d)([+-]\d\d)(:\d\d)?$/, (_, digit, hours, minutes) => {
    return digit + (hours === '+00' && !minutes ? 'Z' : hours + (minutes ?? ':00'))
  })

const arrayOf =
  <T>(parse: (text: string) => T) =>
  (text: string) =>
    arrayParser.create(text, parse).parse()
const asText = (text: string) => text

const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [builtins.INT8]: BigInt,
  [builtins.NUMERIC]: whole,
  [builtins.TIMESTAMPTZ]: isoTime,
  [builtins.TIMESTAMP]: isoTime,
  [builtins.DATE]: asText,
  [builtins.INTERVAL]: asText,
  1016: arrayOf(BigInt),
  1231: arrayOf(whole),
  1185: arrayOf(isoTime),
  1115: arrayOf(isoTime),
  1182: arrayOf(asText),
}

function typeParser(oid: number, format?: 'text' | 'binary') {
  return (format !== 'binary' && PARSERS[oid]) || pg.types.getTypeParser(oid, format)
}
