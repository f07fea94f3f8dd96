/** What the CLI shows to people: progress and tables. */
import { SingleBar } from 'cli-progress'
import Table from 'cli-table3'

export type Progress = {
  readonly advance: (by?: number) => void
  /** Ends it at the present count; a second call does nothing. */
  readonly stop: () => void
  /** Ends it at the full count. */
  readonly finish: () => void
}

/** Time between two plain lines where there is no terminal. */
const PLAIN_EVERY_MS = 5_000

/** The ends of all progress that is shown. */
const bars = new Set<() => void>()

/** Ends every progress that is shown, so that the cursor is visible again and the next text begins a line. */
export function stopBars(): void {
  for (const stop of bars) stop()
}

/** A bar with rate and time left on a terminal, plain lines otherwise; always on standard error. */
export function progress(what: string, total: number, unit = 'events'): Progress {
  const started = Date.now()
  let done = 0
  let most = total
  const perSecond = () => done / Math.max(0.001, (Date.now() - started) / 1000)
  const figures = () => ({ what, unit, done, total: most, perSecond: perSecond() })
  const end = () => {
    if (!bars.delete(end)) return
    shown.stop()
    process.off('exit', end)
    for (const signal of SIGNALS) process.off(signal, whole)
  }
  // Another handler of the signal decides whether the process ends; without one, the signal ends it.
  const whole = (signal: NodeJS.Signals) => {
    end()
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  }
  bars.add(end)
  process.on('exit', end)
  for (const signal of SIGNALS) process.on(signal, whole)
  // The bar hides the cursor, so the handlers that show it again must be there before.
  const shown = total === 0 ? NOTHING : process.stderr.isTTY ? bar(figures) : plainLines(figures)
  const advance = (by = 1) => {
    if (!bars.has(end)) return
    done += by
    most = Math.max(most, done)
    shown.update()
  }
  return {
    advance,
    stop: end,
    finish() {
      advance(most - done)
      end()
    },
  }
}

const NOTHING = { update: () => {}, stop: () => {} }
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

type Figures = {
  readonly what: string
  readonly unit: string
  readonly done: number
  readonly total: number
  readonly perSecond: number
}

function bar(figures: () => Figures) {
  const { what, unit, total } = figures()
  const format = `${what} {bar} {percentage}% | {value}/{total} ${unit} | {rate}/s | {eta_formatted} left`
  const shown = new SingleBar({ format, stream: process.stderr, hideCursor: true, etaBuffer: 100 })
  shown.start(total, 0, { rate: 0 })
  return {
    update() {
      const { done, total, perSecond } = figures()
      if (total !== shown.getTotal()) shown.setTotal(total)
      shown.update(done, { rate: Math.round(perSecond) })
    },
    stop: () => shown.stop(),
  }
}

function plainLines(figures: () => Figures) {
  let shownAt = Date.now()
  let shownDone = -1
  const line = () => {
    if (figures().done === shownDone) return
    shownDone = figures().done
    shownAt = Date.now()
    process.stderr.write(`${progressLine(figures())}\n`)
  }
  return {
    update() {
      if (Date.now() - shownAt >= PLAIN_EVERY_MS) line()
    },
    stop: line,
  }
}

/** `folding the log: 300 of 1200 events, 100/s, 9 s left`. */
export function progressLine({ what, unit, done, total, perSecond }: Figures): string {
  const left = done > 0 && done < total ? `, ${Math.ceil((total - done) / perSecond)} s left` : ''
  return `${what}: ${done} of ${total} ${unit}, ${Math.round(perSecond)}/s${left}`
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
