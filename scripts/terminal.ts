/** What the CLI shows to people: progress, tables, and errors that say what to do. */
import { SingleBar } from 'cli-progress'
import Table from 'cli-table3'
import { KogiError } from '../domain/kernel/errors.ts'
import { ConfigError } from '../infra/config.ts'

export type Progress = { readonly advance: (by?: number) => void; readonly stop: () => void }

/** Plain lines where there is no terminal: one now and then, and the last. */
const PLAIN_EVERY_MS = 5_000

/** A bar with rate and time left on a terminal, plain lines otherwise; always on standard error. */
export function progress(what: string, total: number, unit = 'events'): Progress {
  const started = Date.now()
  let done = 0
  const rate = () => Math.round(done / Math.max(0.001, (Date.now() - started) / 1000))
  if (process.stderr.isTTY) {
    const format = `${what} {bar} {percentage}% | {value}/{total} ${unit} | {rate}/s | {eta_formatted} left`
    const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, etaBuffer: 100 })
    bar.start(total, 0, { rate: 0 })
    return {
      advance(by = 1) {
        done += by
        bar.update(done, { rate: rate() })
      },
      stop: () => bar.stop(),
    }
  }
  let shown = started
  const line = () => process.stderr.write(`${what}: ${done} of ${total} ${unit}, ${rate()}/s\n`)
  return {
    advance(by = 1) {
      done += by
      if (Date.now() - shown < PLAIN_EVERY_MS) return
      shown = Date.now()
      line()
    },
    stop: line,
  }
}

/** A table for people; numbers right-aligned where `right` names the column. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], right: readonly string[] = []) {
  const drawn = new Table({
    head: [...head],
    colAligns: head.map(name => (right.includes(name) ? 'right' : 'left')),
    style: { head: process.stdout.isTTY ? ['bold'] : [], border: [], compact: true },
  })
  drawn.push(...rows.map(row => [...row]))
  return drawn.toString()
}

/** Minor units as people write them: `12345` in two places is `123.45`. */
export function decimal(minorUnits: string | bigint, places: number): string {
  const value = BigInt(minorUnits)
  const digits = String(value < 0n ? -value : value).padStart(places + 1, '0')
  const whole = digits.slice(0, digits.length - places)
  return `${value < 0n ? '-' : ''}${whole}${places > 0 ? `.${digits.slice(-places)}` : ''}`
}

/** What the machine refuses, not we: the message says what and where. */
const SYSTEM_CODES = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'ENOENT'])

/** Ends a verb that failed: an expected error is its message, a fault is its stack; the status says which. */
export function fail(error: unknown): never {
  const { code } = error as NodeJS.ErrnoException
  const expected = error instanceof KogiError || error instanceof ConfigError || SYSTEM_CODES.has(String(code))
  const text = expected || !(error instanceof Error) ? String((error as Error)?.message ?? error) : error.stack
  process.stderr.write(`kogi: ${text}\n`)
  if (error instanceof KogiError)
    for (const { field, message } of error.details) process.stderr.write(`  ${field}: ${message}\n`)
  process.exit(expected ? 1 : 70)
}
