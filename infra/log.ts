import pino from 'pino'
import { timestampNow } from './clock.ts'

/** The logger that is passed to every part that logs. */
export type Log = pino.Logger

/** Fields of the log format; all other fields of a line are put below `context`. */
const TOP_LEVEL = new Set(['trace_id', 'span_id', 'user_id', 'duration_ms'])
const SECRET_NAME = /authorization|cookie|password|passphrase|secret|token|api[_-]?key|private|jwt$/i
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]+@/gi
const BEARER = /\bBearer\s+[A-Za-z0-9._~+/=-]+/gi
const CENSORED = '[redacted]'
const MAX_DEPTH = 6
const REASON_LENGTH_MAX = 500

/**
 * A logger of JSON lines: `timestamp` (ISO 8601), `level` (a word), `service`, `trace_id` (the correlation id),
 * `user_id`, `message`, `context`, `duration_ms`. Fields named like secrets, bearer tokens and passwords inside URLs
 * are censored whatever line they come in. Writes at once, so that the last line before a crash is there.
 */
export function createLog(options: {
  service: string
  level?: string
  fd?: number
  destination?: pino.DestinationStream
}): Log {
  const { service, level = 'info', fd = 1, destination = pino.destination({ fd, sync: true }) } = options
  return pino(
    {
      level,
      base: { service },
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${timestampNow()}"`,
      formatters: { level: label => ({ level: label }), log: arranged },
      hooks: {
        logMethod(args, method) {
          const [first, ...rest] = args as unknown[]
          const line = first instanceof Error ? [{ error: first }, rest[0] ?? first.message] : args
          method.apply(this, line.map(arg => (typeof arg === 'string' ? censorText(arg) : arg)) as typeof args)
        },
      },
    },
    destination,
  )
}

/** A logger that writes nothing: for tools that have their own output. */
export const silentLog: Log = pino({ level: 'silent' })

/** What went wrong in one line: the messages of an error and of its causes, without stacks. */
export function reasonOf(error: unknown): string {
  const messages: string[] = []
  let at = error
  for (let depth = 0; at !== undefined && depth < MAX_DEPTH; depth++, at = (at as Error).cause) {
    if (!(at instanceof Error)) {
      messages.push(String(at))
      break
    }
    // The error of several addresses that refuse has no message of its own.
    const said = at.message || (at as { code?: string }).code || at.name
    if (said !== messages.at(-1)) messages.push(said)
  }
  return messages.join(': ').replaceAll(/\s+/g, ' ').slice(0, REASON_LENGTH_MAX)
}

function arranged(fields: Record<string, unknown>): Record<string, unknown> {
  const line: Record<string, unknown> = {}
  const context: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (TOP_LEVEL.has(name)) line[name] = value
    else if (name === 'context') Object.assign(context, censor(value, 0))
    else context[name === 'err' ? 'error' : name] = SECRET_NAME.test(name) ? CENSORED : censor(value, 0)
  }
  if (Object.keys(context).length > 0) line.context = context
  return line
}

function censor(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return censorText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '[deeper]'
  if (value instanceof Error) return describeError(value, depth)
  if (Array.isArray(value)) return value.map(item => censor(item, depth + 1))
  if (value instanceof Date) return value.toISOString()
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  const copy: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value)) {
    copy[name] = SECRET_NAME.test(name) ? CENSORED : censor(item, depth + 1)
  }
  return copy
}

function describeError(error: Error & { code?: unknown }, depth: number): Record<string, unknown> {
  const described: Record<string, unknown> = { type: error.name, message: censorText(error.message) }
  if (error.code !== undefined) described.code = error.code
  if (error.stack) described.stack = censorText(error.stack)
  if (error.cause !== undefined) described.cause = censor(error.cause, depth + 1)
  return described
}

function censorText(text: string): string {
  return text.replace(URL_PASSWORD, `$1:${CENSORED}@`).replace(BEARER, `Bearer ${CENSORED}`)
}
