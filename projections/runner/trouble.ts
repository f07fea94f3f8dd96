import type { StoredEvent } from '../../domain/kernel/event.ts'
import { type Partition, partitionName } from '../ownership/partitions.ts'
import type { ProjectorLog } from '../ports.ts'

const BACKOFF_MIN_MS = 50
const BACKOFF_MAX_MS = 5_000

/** The failures of a runner's engines: how many there were in a row, and when to try again. */
export class Trouble {
  readonly #log: ProjectorLog
  #attempts = 0
  #last: Error | undefined
  #notBefore = 0
  #inBatches = false

  constructor(log: ProjectorLog) {
    this.#log = log
  }

  /** The last error of an engine, while it does not answer. */
  get last(): Error | undefined {
    return this.#attempts > 0 ? this.#last : undefined
  }

  /** How long to wait before the next try, in milliseconds. */
  get waitMs(): number {
    return this.#attempts > 0 ? Math.max(0, this.#notBefore - performance.now()) : 0
  }

  /** A round of decisions could not be taken. */
  roundFailed(error: unknown): void {
    this.#failed(error, 'the projector cannot reach an engine')
  }

  roundDone(): void {
    if (!this.#inBatches) this.#attempts = 0
  }

  batchFailed(error: unknown): void {
    this.#inBatches = true
    this.#failed(error, 'a batch could not be written')
  }

  /** A reader tries again by itself. */
  readerFailed(error: Error, attempt: number, delayMs: number): void {
    this.#inBatches = true
    this.#attempts = Math.max(1, this.#attempts)
    this.#last = error
    this.#log.warn({ err: error, attempt, delay_ms: delayMs }, 'the event store does not answer')
  }

  /** A batch was written, or a reader has delivered all there is. */
  recovered(): void {
    if (this.#attempts > 0) this.#log.info({}, 'the projector goes on')
    this.#inBatches = false
    this.#attempts = 0
  }

  #failed(error: unknown, message: string): void {
    this.#attempts += 1
    this.#last = error instanceof Error ? error : new Error(String(error))
    const delayMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** this.#attempts)
    this.#notBefore = performance.now() + delayMs
    this.#log.warn({ err: error, delay_ms: delayMs, attempt: this.#attempts }, message)
  }
}

/** When partitions that an event has stopped are tried again. */
export class Retries {
  readonly #delaysMs: readonly number[]
  readonly #at = new Map<string, number>()

  constructor(delaysMs: readonly number[]) {
    this.#delaysMs = delaysMs
  }

  /** How often an event is tried before its partition counts as stalled. */
  get triesMax(): number {
    return this.#delaysMs.length + 1
  }

  /** Whether a partition may run now: a stopped one waits for its next try, a stalled one for an operator. */
  isDue(partition: Partition): boolean {
    const { state, fault } = partition
    const name = partitionName(partition)
    const at = this.#at.get(name)
    if (state !== 'retrying' || (at !== undefined && performance.now() >= at)) {
      this.#at.delete(name)
      return state !== 'stalled'
    }
    if (at === undefined) {
      const delay = this.#delaysMs[Math.min((fault?.attempts ?? 1) - 1, this.#delaysMs.length - 1)] ?? 0
      this.#at.set(name, performance.now() + delay)
    }
    return false
  }
}

type Refusal = { readonly events: readonly StoredEvent[]; readonly stood: ReadonlyMap<string, bigint> }

/** Batches that the database refused, and where the partitions stood before them, until the event at fault is found. */
export class Refusals {
  readonly #refusals: Refusal[] = []

  get size(): number {
    return this.#refusals.length
  }

  note(events: readonly StoredEvent[], partitions: readonly Partition[]): void {
    const running = partitions.filter(({ state }) => state === 'running')
    const stood = new Map(running.map(partition => [partitionName(partition), partition.committed]))
    this.#refusals.push({ events, stood })
  }

  /** Whether a batch of a partition was refused: to find its event is part of the same try, and waits for no other. */
  has(partition: Partition): boolean {
    return this.#refusals.some(refusal => stoodThere(refusal, partition))
  }

  /** Hands out the refused batches, each with the partitions that stand where it began: others would lack events. */
  take(partitions: ReadonlySet<Partition>) {
    const left = new Set(partitions)
    return this.#refusals.splice(0).flatMap(refusal => {
      const own = [...left].filter(partition => stoodThere(refusal, partition))
      for (const partition of own) left.delete(partition)
      return own.length > 0 ? [{ events: refusal.events, own }] : []
    })
  }
}

const stoodThere = ({ stood }: Refusal, partition: Partition) =>
  stood.get(partitionName(partition)) === partition.committed

/** Logs that an event has stopped a partition. */
export function noteFault(log: ProjectorLog, partition: Partition): void {
  const { position, stream, type, error, attempts } = partition.fault!
  const fields = { partition: partitionName(partition), position, stream, type, fault: error, attempts }
  if (partition.state === 'stalled') log.error(fields, 'a projection is stalled by an event')
  else log.warn(fields, 'a projection could not take an event')
}
