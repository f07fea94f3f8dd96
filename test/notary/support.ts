/** A log in memory that tests fill, copy and change, and notaries that work on it. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { startEventStore } from '../../infra/embedded/event-store/index.ts'
import { commandStore } from '../../infra/event-store/command-store.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { silentLog } from '../../infra/log.ts'
import { Notary, type NotaryOptions } from '../../infra/notary/notary.ts'
import type { Signer } from '../../projections/notary/note.ts'

export const ORIGIN = 'example.com/kogi'
export const signer = (): Signer => ({ name: ORIGIN, privateKey: generateKeyPairSync('ed25519').privateKey })

/** An event as tests write it: enough of one for the notary, which reads no data. */
export type Written = {
  readonly org: string
  readonly thing: string
  readonly data: { readonly [key: string]: string }
}

export type TestLog = Awaited<ReturnType<typeof openLog>>

/** A new log, with events appended one by one. */
export async function openLog(events: readonly Written[] = []) {
  const server = await startEventStore({ memory: true })
  const store = commandStore(server.url)
  const log = eventLog({ url: server.url, prefixes: ['item-'] })
  const append = async (written: readonly Written[]) => {
    for (const { org, thing, data } of written) {
      const metadata = { org, id: thing, at: '2026-01-31T12:00:00.000Z' }
      const event = { id: randomUUID(), type: 'ItemAdded', data, metadata }
      await store.append(`item-${thing}`, BigInt((await store.read(`item-${thing}`, 0n, 1_000)).length) - 1n, [event])
    }
  }
  await append(events)
  return {
    url: server.url,
    store,
    log,
    append,
    events: async () => {
      const found = []
      for await (const list of log.read({ after: 0n, to: await log.head(), max: 500 })) found.push(...list)
      return found
    },
    close: async () => {
      await log.close()
      await store.close()
      await server.close()
    },
  }
}

type Options = {
  readonly signers: readonly Signer[]
  readonly origin?: string
  readonly anchors?: readonly string[]
  readonly sealMs?: number
  readonly mayBeNew?: boolean
  readonly witnesses?: NotaryOptions['witnesses']
}

/** Starts a notary on a log; `settle` waits until it has sealed everything, or says why it does not. */
export function startNotary({ log, store }: TestLog, options: Options) {
  const { signers, origin = ORIGIN, anchors = [], sealMs = 10, mayBeNew = false, witnesses } = options
  const notary = new Notary({
    events: log,
    store,
    origin,
    signers: async () => signers,
    anchors,
    log: silentLog,
    now: () => new Date().toISOString(),
    sealMs,
    mayBeNew,
    ...(witnesses && { witnesses }),
  })
  const stop = new AbortController()
  const ended = notary.run(stop.signal).catch((error: unknown) => error as Error)
  return {
    notary,
    ended,
    async settle(size: number) {
      while (notary.sealed?.size !== size && notary.trouble === undefined) await sleep(5)
      return notary.trouble
    },
    async untilTrouble() {
      while (notary.trouble === undefined) await sleep(5)
      return notary.trouble
    },
    async close() {
      stop.abort()
      return ended
    },
  }
}
