/** Processes at work on the embedded event store. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Checkpoint, readCheckpoint } from '../../../commands/processes/checkpoint.ts'
import type { AnyProcess } from '../../../commands/processes/process.ts'
import { ProcessRunner, type RunnerDeps } from '../../../commands/processes/runner.ts'
import { aggregates, codec, domainStreamPrefixes } from '../../../infra/catalogue.ts'
import { startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { commandStore } from '../../../infra/event-store/command-store.ts'
import { eventLog } from '../../../infra/event-store/reader.ts'
import { silentLog } from '../../../infra/log.ts'
import type { EventLog } from '../../../projections/ports.ts'
import { patient } from '../../support/pace.ts'
import { startProcess } from '../support.ts'

type Store = ReturnType<typeof commandStore>

/** An embedded event store for the tests of one file, with what reads and writes it. */
export function processStore(): { readonly port: Store; readonly log: EventLog } {
  let parts: { readonly port: Store; readonly log: ReturnType<typeof eventLog>; readonly close: () => Promise<void> }
  before(async () => {
    const server = await startEventStore({ memory: true })
    const [port, log] = [commandStore(server.url), eventLog({ url: server.url, prefixes: domainStreamPrefixes })]
    parts = {
      port,
      log,
      async close() {
        await Promise.all([port.close(), log.close()])
        await server.close()
      },
    }
  })
  after(() => parts?.close())
  return {
    get port() {
      return parts.port
    },
    get log() {
      return parts.log
    },
  }
}

export type RunningProcesses = {
  readonly runner: ProcessRunner
  /** Resolves when it has ended; rejects where it was overtaken. */
  readonly ended: Promise<void>
  readonly stop: () => Promise<void>
  readonly checkpoint: () => Promise<Checkpoint>
}

/** A worker that runs one process, with nothing cached. Failed steps are tried again after 5 and 10 ms. */
export function runProcess(
  { port, log }: { readonly port: Store; readonly log: EventLog },
  process: AnyProcess,
  more: Partial<RunnerDeps> = {},
): RunningProcesses {
  const runner = new ProcessRunner({
    ...startProcess(port).deps,
    aggregates: new Map(aggregates.map(aggregate => [aggregate.name, aggregate])),
    processes: [process],
    worker: `worker-${randomUUID()}`,
    follow: log.follow,
    pausesMs: [5, 10],
    saveMs: 10,
    log: silentLog,
    ...more,
  })
  const stop = new AbortController()
  const ended = runner.run(stop.signal)
  ended.catch(() => {})
  return {
    runner,
    ended,
    async stop() {
      stop.abort()
      await ended
    },
    checkpoint: async () => (await readCheckpoint(port, process.name)).checkpoint,
  }
}

/** Waits until a condition holds; fails where it does not within the time. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  for (const end = performance.now() + patient(timeoutMs); !(await condition()); await sleep(5)) {
    if (performance.now() > end) throw new Error(`this does not come true: ${condition}`)
  }
}

/** Every domain event that the log holds, in order. */
export async function allEvents(log: EventLog) {
  const found = []
  for await (const events of log.read({ after: 0n, to: await log.head(), max: 1_000 })) found.push(...events)
  return found.map(codec.decode)
}
