/**
 * A worker in this process that dies at a call of its own to the log, before or after the log has done it: whatever it
 * waits for then never comes. Or it freezes there until it is thawed.
 */
import { randomUUID } from 'node:crypto'
import { type EventStore, LostRaceError } from '../../../commands/ports.ts'
import type { AnyProcess } from '../../../commands/processes/process.ts'
import { ProcessRunner } from '../../../commands/processes/runner.ts'
import { aggregates } from '../../../infra/catalogue.ts'
import { silentLog } from '../../../infra/log.ts'
import type { EventLog } from '../../../projections/ports.ts'
import { type RunningProcesses, runProcess } from '../../commands/processes/support.ts'
import { startProcess } from '../../commands/support.ts'

export class MortalWorker {
  /** Resolves when it has died or is frozen, with the call. */
  readonly died: Promise<string>
  readonly runner: ProcessRunner
  readonly ended: Promise<unknown>
  readonly #end = new AbortController()
  #left: number
  #freezes: boolean
  #frozen: Promise<void> | undefined
  #thaw = () => {}
  #tell!: (call: string) => void
  #isDead = false

  /** It dies at the call to the log with this number, or freezes there. */
  constructor(options: {
    readonly store: EventStore
    readonly log: EventLog
    readonly process: AnyProcess
    readonly calls: number
    readonly freezes: boolean
  }) {
    this.#left = options.calls
    this.#freezes = options.freezes
    this.died = new Promise(resolve => {
      this.#tell = resolve
    })
    this.runner = new ProcessRunner({
      ...startProcess(this.#mortal(options.store)).deps,
      aggregates: new Map(aggregates.map(aggregate => [aggregate.name, aggregate])),
      processes: [options.process],
      worker: `worker-${randomUUID()}`,
      follow: options.log.follow,
      pausesMs: [5, 10],
      saveMs: 3,
      log: silentLog,
    })
    this.ended = this.runner.run(this.#end.signal).catch(error => error)
  }

  /** It dies where it is. */
  kill(): void {
    this.#die('idle')
  }

  /** Lets a frozen one go on, as if no time had passed. */
  thaw(): void {
    this.#frozen = undefined
    this.#thaw()
  }

  #die(call: string): void {
    if (this.#isDead) return
    this.#isDead = true
    this.#end.abort()
    this.#tell(call)
  }

  #passes(call: string): void {
    this.#left -= 1
    if (this.#left !== 0) return
    if (!this.#freezes) {
      this.#die(call)
      return
    }
    this.#freezes = false
    this.#frozen = new Promise(resolve => {
      this.#thaw = resolve
    })
    this.#tell(`frozen ${call}`)
  }

  #mortal(store: EventStore): EventStore {
    const never = new Promise<never>(() => {})
    const wrapped = Object.entries(store).map(([name, method]) => [
      name,
      async (...args: unknown[]) => {
        this.#passes(name)
        if (this.#isDead) return never
        await this.#frozen
        const result = await (method as (...args: unknown[]) => Promise<unknown>)(...args)
        this.#passes(`${name} done`)
        if (this.#isDead) return never
        await this.#frozen
        return result
      },
    ])
    return Object.fromEntries(wrapped)
  }
}

/**
 * The worker that ends what dead ones have left. A checkpoint that was on its way when its worker died may overtake it:
 * then it begins anew, as a lease has it.
 */
export function runLast(
  store: Parameters<typeof runProcess>[0],
  process: AnyProcess,
): Pick<RunningProcesses, 'checkpoint' | 'stop'> {
  const begun = (): RunningProcesses => {
    const started = runProcess(store, process)
    started.ended.catch(error => {
      if (error instanceof LostRaceError) worker = begun()
    })
    return started
  }
  let worker = begun()
  return { checkpoint: () => worker.checkpoint(), stop: () => worker.stop() }
}
