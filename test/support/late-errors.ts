/**
 * Errors that come when the test that caused them is over: a timed-out test goes on in the background, and what it
 * waits for may fail during a later test or between two files. Mocha listens to no error between two files, so that
 * such an error would end the worker and the next file with it. Here it is printed and, unless a test of this process
 * has timed out (the run fails then anyway), fails the file.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { EventEmitter } from 'node:events'
import type { Context } from 'mocha'
import { endChildren } from './children.ts'

type Test = { readonly file?: string | undefined; readonly timedOut?: boolean }

/** The test that runs or ran last. */
let test: Test = {}
/** The test that started the present work, also when that work goes on after the test's end. */
const origin = new AsyncLocalStorage<Test>()
/** Whether a test before it has timed out. */
let earlier = false
/** The errors of this file that no test took, by the error or by the promise that was rejected. */
const errors = new Map<unknown, string>()
const seen = new WeakSet<object>()
/** Status of gRPC for a call in flight whose client was closed: tests close clients without waiting for such calls. */
const CANCELLED = 1

/** Throws in work of a test that has timed out while another test runs, so that it changes nothing for that one. */
export function refuseLate(): void {
  const started = origin.getStore()
  if (started?.timedOut && started !== test) throw new Error('the test has timed out')
}

const hasTimedOut = () => earlier || test.timedOut === true

function note(error: unknown, key: unknown = error): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const message = `An error outside of any test, in or after ${test.file}: ${text}`
  process.stderr.write(`${message}\n`)
  errors.set(key, message)
}

function noteException(error: Error): void {
  if (hasTimedOut() || !(process as EventEmitter).emit('uncaughtException', error, 'uncaughtException')) note(error)
}

function noteRejection(reason: unknown, promise: Promise<unknown>): void {
  if (seen.has(promise)) return // Mocha emits the event again for listeners beside its own.
  seen.add(promise)
  note(reason, promise)
  if ((reason as { code?: unknown } | undefined)?.code === CANCELLED) errors.delete(promise)
}

process.on('rejectionHandled', promise => errors.delete(promise))

export const mochaHooks = {
  beforeAll(): void {
    // No listener of `uncaughtException`, because mocha removes all of those after each file.
    if (!process.hasUncaughtExceptionCaptureCallback()) process.setUncaughtExceptionCaptureCallback(noteException)
    process.on('unhandledRejection', noteRejection)
  },
  beforeEach(this: Context): void {
    earlier = hasTimedOut()
    test = this.currentTest ?? {}
    origin.enterWith(test)
  },
  afterAll(): void {
    process.off('unhandledRejection', noteRejection)
    earlier = hasTimedOut()
    if (earlier) endChildren()
    const found = earlier ? [] : [...errors.values()]
    errors.clear()
    if (found.length > 0) throw new Error(found.join('\n'))
  },
}
