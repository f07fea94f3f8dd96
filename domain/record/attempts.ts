/** What is tried until it succeeds or has failed so often that it is parked: rules of deliveries and of mails. */
import { integer, text, timestamp } from '../kernel/schema.ts'

const latencyMs = integer(0, 3_600_000).meta({ description: 'milliseconds until the answer, or until it was given up' })
const attempt = integer(1, 1_000_000)

/** Fields of events and commands about an attempt. */
export const attemptFields = { attempt, latencyMs }
export const failureFields = {
  attempt,
  failure: text(64).meta({ description: 'what went wrong: `status`, `timeout`, `connection_failed`, …' }),
  latencyMs,
  /** When it is tried again; left out, it is parked. */
  dueAt: timestamp.optional(),
}

/** `attempts`: all so far; `tries`: those since it was requested or replayed. */
export type Attempts = {
  readonly status: 'waiting' | 'delivered' | 'parked' | 'omitted'
  readonly attempts: number
  readonly tries: number
  readonly dueAt: string
}

type Failed = { readonly attempt: number; readonly dueAt?: string | undefined }

/** It waits for its first attempt. */
export const requested = (dueAt: string): Attempts => ({ status: 'waiting', attempts: 0, tries: 0, dueAt })

/** It has failed once more, and is tried again or parked. */
export function failed<A extends Attempts>(before: A, { attempt, dueAt }: Failed): A {
  const tried = { ...before, attempts: attempt, tries: before.tries + 1 }
  return dueAt === undefined ? { ...tried, status: 'parked' } : { ...tried, dueAt }
}

/** Whether an attempt is the one that it waits for: others were noted already, or come too late. */
export const isNext = ({ status, attempts }: Attempts, { attempt }: { readonly attempt: number }): boolean =>
  status === 'waiting' && attempt === attempts + 1
