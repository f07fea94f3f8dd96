/** What failures of the event store are to the write side. */
import {
  CancelledError,
  DeadlineExceededError,
  MaxAppendSizeExceededError,
  NotLeaderError,
  TimeoutError,
  UnavailableError,
  UnknownError,
  WrongExpectedVersionError,
} from '@eventstore/db-client'
import { LostRaceError } from '../../commands/ports.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { Status } from '../wire/grpc.ts'
import { within } from '../within.ts'

/** Errors of the client for a server that is not there, changes its leader or breaks the call off. */
const AWAY = [UnavailableError, CancelledError, DeadlineExceededError, TimeoutError, NotLeaderError, UnknownError]
/** The same as gRPC statuses: the client hands them through when it asks for the server's features. */
const AWAY_STATUS: ReadonlySet<unknown> = new Set([Status.cancelled, Status.deadlineExceeded, Status.unavailable])

export const unavailable = (cause: unknown) =>
  new KogiError('engine_unavailable', 'The event store cannot be reached.', [], { cause: cause as Error })

export const unanswered = (ms: number) =>
  new KogiError('engine_unavailable', `The event store did not answer in ${ms} ms.`)

export const tooLarge = () => new KogiError('body_too_large', 'The command makes events larger than one append may be.')

/** An error of the client in the terms of the port. */
export function asKogiError(error: unknown): unknown {
  if (error instanceof WrongExpectedVersionError) return new LostRaceError(error.message, { cause: error })
  if (error instanceof MaxAppendSizeExceededError) return tooLarge()
  const isAway = AWAY.some(kind => error instanceof kind) || AWAY_STATUS.has((error as { code?: unknown }).code)
  return isAway ? unavailable(error) : error
}

/** Waits for an answer, but not longer than `ms`. */
export const answered = <T>(ms: number, promise: Promise<T>): Promise<T> => within(ms, promise, () => unanswered(ms))
