/** Watches the lean reader of `$all`: what it delivers, how it ends, and which sockets and timers it leaves. */
import { Socket } from 'node:net'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { EventStoreDBClient } from '@eventstore/db-client'
import { expect } from 'chai'
import { eventLog } from '../../infra/event-store/reader.ts'
import type { Received } from '../../infra/event-store/recorded.ts'
import { type SubscriptionOptions, subscribeToAll } from '../../infra/event-store/subscription.ts'
import { patient } from '../support/pace.ts'
import { POSITIONS } from './fake-node.ts'

/** How long an answer is waited for that will come. */
export const PATIENCE_MS = 5_000
/** How long a reader may take to follow past its faults: less than the time of a test, so that it ends with it. */
const FOLLOW_MS = 20_000
const prefixes = ['task-']
type Seen = {
  readonly positions: bigint[]
  readonly ends: string[]
  readonly close: () => void
  readonly resume: () => void
}

/** Subscribes and notes what comes. */
export function watched(url: string, more: Partial<SubscriptionOptions> = {}): Seen {
  const positions: bigint[] = []
  const ends: string[] = []
  const onMessage = (message: Received) => {
    if (message.kind === 'event') positions.push(message.event.position)
    return true
  }
  const client = EventStoreDBClient.connectionString(url)
  const onEnd = (error: Error) => void ends.push(error.message)
  const options = { url, client, prefixes, after: 0n, timeoutMs: patient(PATIENCE_MS), onMessage, onEnd, ...more }
  return { positions, ends, ...subscribeToAll(options) }
}

/** How many sockets this process has towards a port, those that are still connecting included. */
export function socketsTo(port: number): number {
  const handles = (process as unknown as { _getActiveHandles: () => readonly unknown[] })._getActiveHandles()
  return handles.filter(handle => handle instanceof Socket && handle.remotePort === port).length
}
export const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + patient(2 * PATIENCE_MS)
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited too long for: ${what}`)
    await sleep(2)
    // The timer of `sleep` counts among the timers until its turn of the event loop is over.
    await turn()
  }
}

export const matches = (text: string, says: string | RegExp) =>
  typeof says === 'string' ? text === says : says.test(text)

export async function expectNothingLeft(port: number, timersBefore: number): Promise<void> {
  await until(() => socketsTo(port) === 0, 'the socket to be gone')
  await until(() => timers() <= timersBefore, 'the timers to be gone')
}

/** Follows to the last event, and answers the errors on the way. */
export async function followPast(url: string, timeoutMs = patient(PATIENCE_MS)): Promise<string[]> {
  const log = eventLog({ url, prefixes, timeoutMs })
  const found: bigint[] = []
  const wrong: string[] = []
  const abort = new AbortController()
  const lists = log.follow({
    after: 0n,
    max: () => 10,
    signal: AbortSignal.any([abort.signal, AbortSignal.timeout(patient(FOLLOW_MS))]),
    onStatus: status => {
      if (status.state === 'retrying') wrong.push(status.error.message)
    },
  })
  for await (const list of lists) {
    found.push(...list.map(({ position }) => position))
    if (found.length >= POSITIONS.length) abort.abort()
  }
  await log.close()
  expect(found).to.deep.equal(POSITIONS)
  return wrong
}
