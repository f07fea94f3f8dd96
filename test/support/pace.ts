/**
 * How slow the machine is at present, so that limits of time in tests mean work, not seconds: `npm test` must not turn
 * red because other programs run beside it. Mocha's main process times a fixed piece of work when it starts and every
 * few seconds after, and writes the result where every process of the run reads it. Mocha's time-outs follow it by
 * themselves; a test that waits or measures by itself says `patient(<limit on a quiet machine>)`.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Mocha from 'mocha'
import { loadConfig } from '../../infra/config.ts'

/** What the work takes on a quiet machine like the one that the limits of the tests were chosen for. */
const QUIET_MS = { compute: 5, write: 20, timer: 12 }
const ROUNDS = 4_000
const WRITES = 4
const TIMER_MS = 10
const MEASURES_AT_START = 3
const MEASURE_EVERY_MS = 4_000
/** The middle one of the latest measures counts, because a single one may have been unlucky. */
const MEASURES_KEPT = 5
/** No limit grows beyond this, so that a run ends on any machine. */
const PACE_MAX = 15

/** How many times slower the machine is than a quiet one, at least 1; 1 where `KOGI_TEST_PACE` is empty. */
export function pace(): number {
  const { KOGI_TEST_PACE: file } = process.env
  if (!file) return 1
  // The file may just be empty, because it is written anew.
  return Math.max(1, Number(readFileSync(file, 'utf8')))
}

/** A limit of time on a quiet machine, in any unit, as it is on this one at present. */
export const patient = (limit: number): number => Math.round(limit * pace())

/** Settings that have the system wait as patiently for its engines as tests wait for it. */
export function patientSettings(): Record<string, string> {
  const { appendTimeoutMs, databaseConnectTimeoutMs, databaseStatementTimeoutMs, readQueueMs } = loadConfig({})
  return {
    KOGI_APPEND_TIMEOUT_MS: `${patient(appendTimeoutMs)}`,
    KOGI_DATABASE_CONNECT_TIMEOUT_MS: `${patient(databaseConnectTimeoutMs)}`,
    KOGI_DATABASE_STATEMENT_TIMEOUT_MS: `${patient(databaseStatementTimeoutMs)}`,
    KOGI_READ_QUEUE_MS: `${patient(readQueueMs)}`,
  }
}

/** Measures, for all processes that this one starts, until what it returns is called; a run inside a run need not. */
export async function measurePace(): Promise<() => void> {
  if (process.env.KOGI_TEST_PACE !== undefined) return () => {}
  const folder = mkdtempSync(path.join(tmpdir(), 'kogi-pace-'))
  const file = path.join(folder, 'pace')
  const latest: number[] = []
  const measure = async () => {
    latest.push(await slowness(path.join(folder, 'probe')))
    if (latest.length > MEASURES_KEPT) latest.shift()
    const middle = latest.toSorted((a, b) => a - b)[Math.floor(latest.length / 2)]!
    writeFileSync(file, Math.min(PACE_MAX, Math.max(1, middle)).toFixed(2))
  }
  await slowness(path.join(folder, 'probe')) // The first one also compiles the code.
  for (let n = 0; n < MEASURES_AT_START; n += 1) await measure()
  process.env.KOGI_TEST_PACE = file
  const timer = setInterval(() => void measure(), MEASURE_EVERY_MS).unref()
  return () => {
    clearInterval(timer)
    rmSync(folder, { recursive: true, force: true })
    delete process.env.KOGI_TEST_PACE
  }
}

/** Time that processor, disk and timers take now, by what they take on a quiet machine: the slowest of the three. */
async function slowness(file: string): Promise<number> {
  const begun = performance.now()
  let text = ''
  for (let n = 0; n < ROUNDS; n += 1) text = createHash('sha256').update(text).digest('hex')
  const computed = performance.now()
  const probe = openSync(file, 'w')
  for (let n = 0; n < WRITES; n += 1) {
    writeSync(probe, text)
    fdatasyncSync(probe)
  }
  closeSync(probe)
  const written = performance.now()
  await sleep(TIMER_MS)
  const woken = performance.now()
  const { compute, write, timer } = QUIET_MS
  return Math.max((computed - begun) / compute, (written - computed) / write, (woken - written) / timer)
}

/** Makes the time-outs of mocha in this process follow the machine, also while a test runs. */
export function followPace(): void {
  const runnable = Mocha.Runnable.prototype as unknown as Runnable
  const { timeout } = runnable
  Object.assign(runnable, {
    timeout(this: Runnable, ...limit: [] | [number]) {
      return limit.length > 0 ? timeout.call(this, ...limit) : patient(timeout.call(this))
    },
    resetTimeout(this: Runnable) {
      const begun = performance.now()
      this.clearTimeout()
      const look = () => {
        const limit = this.timeout()
        const left = limit - (performance.now() - begun)
        if (limit === 0) return
        if (left > 0) {
          this.timer = setTimeout(look, left)
          return
        }
        this.callback(this._timeoutError(limit))
        this.timedOut = true
      }
      look()
    },
  })
}

/** What mocha's own `resetTimeout` uses. */
type Runnable = {
  timer: unknown
  timedOut: boolean
  timeout(...limit: [] | [number]): number
  clearTimeout(): void
  callback(error: Error): void
  _timeoutError(ms: number): Error
}
