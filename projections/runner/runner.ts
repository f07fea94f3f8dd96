/**
 * Runs projections: it takes its share of the partitions, starts a lane for those that stand near each other and
 * another for those that lag, and brings lanes together once all have caught up. Every 1.5 s, and whenever a lane
 * ends, a round compares what should run with what runs, if anything has changed. Only rounds take decisions.
 */
import type { PoolClient } from 'pg'
import { adopt } from '../ownership/adoption.ts'
import { FencedError, unlessFenced } from '../ownership/checkpoints.ts'
import {
  beat,
  fairShare,
  forgetSilent,
  type HeldCheckpoint,
  heldBy,
  keyName,
  markOf,
  type PartitionKey,
  release,
  takeShare,
  unregister,
} from '../ownership/leases.ts'
import { type Partition, partitionName } from '../ownership/partitions.ts'
import { isSharedBeyond, leaveShared, separate } from '../ownership/sharing.ts'
import type { ReaderStatus } from '../ports.ts'
import { allBuckets } from '../rows/bucket.ts'
import type { AnyProjection } from '../rows/projection.ts'
import { Waker } from '../waker.ts'
import { ensureTables, IndexBuilder } from './build.ts'
import { type BatchFigures, DEFAULT_BATCH, Lane, RefusedBatchError } from './lane.ts'
import type { RunnerOptions } from './options.ts'
import { noteFault, Refusals, Retries, Trouble } from './trouble.ts'
import { groupsOf, startCareful, type Worker } from './workers.ts'

const LEASE_MS = 5_000
const RETRY_MS = [250, 1_000, 4_000]
/** A round that waits longer than this for a lock has failed, and is tried again. */
const LOCK_TIMEOUT_MS = 5_000

/** Decisions are taken this often even if nothing that they follow from has changed. */
const DECIDE_MS = 120_000

/** A runner at work. */
export class Runner {
  readonly #options: RunnerOptions
  readonly #leaseMs: number
  readonly #retries: Retries
  readonly #byName: ReadonlyMap<string, AnyProjection>
  readonly #partitions = new Map<string, Partition>()
  readonly #workers = new Set<Worker>()
  readonly #indexes: IndexBuilder
  readonly #refusals = new Refusals()
  readonly #together = new Set<string>()
  readonly #loop: Promise<void>
  readonly #trouble: Trouble
  readonly #waker = new Waker()
  #control: PoolClient | undefined
  /** The last trace, and the mark that belongs to it. */
  #seen: { readonly trace: string; readonly mark: string } | undefined
  /** The mark before the last decisions. */
  #mark: string | undefined
  #decidedAt = 0
  #roundAt = Number.POSITIVE_INFINITY
  #closing = false
  #closed: Promise<void> | undefined

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#trouble = new Trouble(options.log)
    this.#indexes = new IndexBuilder(options.pool, options.log)
    this.#leaseMs = options.leaseMs ?? LEASE_MS
    this.#retries = new Retries(options.retryMs ?? RETRY_MS)
    this.#byName = new Map(
      options.projections.map(projection => [`${projection.name}_v${projection.version}`, projection]),
    )
    this.#loop = Promise.resolve(options.after).then(() => this.#run())
  }

  /** The partitions that this process works on, or would if an event had not stopped them. */
  get partitions(): readonly Partition[] {
    return [...this.#partitions.values()]
  }

  /** The readers at work. */
  get workers(): readonly Worker[] {
    return [...this.#workers]
  }

  /** How long ago its last complete round was, in milliseconds: there is one every 1.5 seconds once it has begun. */
  get silentMs(): number {
    return Math.max(0, performance.now() - this.#roundAt)
  }

  /** Whether it has taken its share, and its readers have delivered all that was stored. */
  get hasCaughtUp(): boolean {
    return this.#mark !== undefined && [...this.#workers].every(({ live }) => live)
  }

  /** The last error of an engine that does not answer. */
  get trouble(): Error | undefined {
    return this.#trouble.last
  }

  /** Ends after the batches in flight and gives its partitions to others. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing = true
    this.#waker.wake()
    await this.#loop
    await Promise.all([...this.#workers].map(worker => worker.stop()))
    await this.#indexes.idle
    try {
      if (this.#control) await unregister(this.#control, this.#options.id)
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the leases were not given back: others take them when they end')
    }
    this.#dropControl()
  }

  async #run(): Promise<void> {
    this.#roundAt = performance.now()
    while (!this.#closing) {
      try {
        await this.#reconcile()
        this.#trouble.roundDone()
        this.#roundAt = performance.now()
      } catch (error) {
        this.#trouble.roundFailed(error)
        this.#dropControl()
      }
      if (!this.#closing) await this.#waker.wait(this.#trouble.waitMs || Math.min(1_500, this.#leaseMs / 3))
    }
  }

  async #reconcile(): Promise<void> {
    const [{ id, projections, pool }, isNew] = [this.#options, !this.#control]
    if (!this.#control) {
      await ensureTables(pool, projections)
      this.#control = await pool.connect()
      this.#control.on('error', () => this.#dropControl())
      await this.#control.query(`set lock_timeout = ${LOCK_TIMEOUT_MS}`)
    }
    const trace = await beat(this.#control, { id, projections, ttlMs: this.#leaseMs, isNew })
    if (trace !== this.#seen?.trace) this.#seen = { trace, mark: await markOf(this.#control, id) }
    if (!this.#isSettled(this.#seen.mark)) await this.#decide(this.#control, this.#seen.mark)
    if (this.#trouble.waitMs > 0) return
    await this.#merge()
    this.#buildIndexes()
  }

  /** Whether a round would decide what the last one decided: at rest it is a heartbeat and nothing else. */
  #isSettled(mark: string): boolean {
    if (mark !== this.#mark || performance.now() - this.#decidedAt > DECIDE_MS || this.#trouble.waitMs > 0) return false
    if (this.#refusals.size > 0 || this.#together.size > 0) return false
    const busy = new Set([...this.#workers].flatMap(worker => worker.partitions))
    return this.partitions.every(partition => partition.state === 'running' && busy.has(partition))
  }

  async #decide(control: PoolClient, mark: string): Promise<void> {
    const { id, projections } = this.#options
    this.#mark = undefined
    await forgetSilent(control, this.#leaseMs)
    const share = await fairShare(control, { id, projections, buckets: allBuckets })
    const held = await this.#giveUp(control, await takeShare(control, { id, share }), share)
    if (this.#trouble.waitMs > 0) return
    await this.#drop(held)
    await this.#start(await this.#adopt(held))
    this.#mark = mark
    this.#decidedAt = performance.now()
  }

  /** Gives back what falls to another projector now, and returns what is left. */
  async #giveUp(
    control: PoolClient,
    held: readonly HeldCheckpoint[],
    share: readonly PartitionKey[],
  ): Promise<readonly HeldCheckpoint[]> {
    const mine = new Set(share.map(keyName))
    const others = held.filter(key => !mine.has(keyName(key)))
    if (others.length === 0) return held
    const names = new Set(others.map(keyName))
    const partitions = this.partitions.filter(partition => names.has(partitionName(partition)))
    await this.#stopWorkersOf(partitions)
    await leaveShared(this.#options.pool, partitions.filter(isSharedBeyond(partitions))).catch(unlessFenced)
    for (const name of names) this.#partitions.delete(name)
    await release(control, this.#options.id, others)
    this.#options.log.info({ partitions: others.length }, 'gave partitions to another projector')
    return heldBy(control, this.#options.id)
  }

  /** Stops work on what is not held any more, or is held under another epoch than it was begun with. */
  async #drop(held: readonly HeldCheckpoint[]): Promise<void> {
    const epochs = new Map(held.map(checkpoint => [keyName(checkpoint), checkpoint.epoch]))
    const lost = this.partitions.filter(partition => epochs.get(partitionName(partition)) !== partition.epoch)
    await this.#stopWorkersOf(lost)
    for (const partition of lost) this.#partitions.delete(partitionName(partition))
  }

  /** The held partitions that nothing works on and that may run, as their checkpoints have them. */
  async #adopt(held: readonly HeldCheckpoint[]): Promise<readonly Partition[]> {
    const busy = new Set([...this.#workers].flatMap(worker => worker.partitions))
    const free = held.flatMap(checkpoint => {
      const name = keyName(checkpoint)
      const projection = this.#byName.get(name.slice(0, name.lastIndexOf('/')))
      const local = this.#partitions.get(name)
      // One that an event stopped is free once its checkpoint says so: before, the batch is still in flight.
      const isBusy = local && busy.has(local) && (local.state === 'running' || local.storedState === 'running')
      return projection && !isBusy ? [[projection, checkpoint] as const] : []
    })
    const { partitions, apart } = adopt(free)
    if (apart.length > 0) {
      await separate(this.#options.pool, apart).catch(unlessFenced)
      this.#waker.wake()
    }
    for (const partition of partitions) this.#partitions.set(partitionName(partition), partition)
    const idle = partitions.filter(partition => this.#refusals.has(partition) || this.#retries.isDue(partition))
    for (const partition of idle) partition.state = 'running'
    return idle
  }

  async #start(idle: readonly Partition[]): Promise<void> {
    if (idle.length === 0) return
    const { events, projections, pool, decode, batch = DEFAULT_BATCH, onBatch } = this.#options
    const skips = await events.skips(projections.map(({ name }) => name))
    const onFault = (partition: Partition) => noteFault(this.#options.log, partition)
    const { id: owner } = this.#options
    const store = { pool, decode, skips, attemptsMax: this.#retries.triesMax, onFault }
    const onCommit = (figures: BatchFigures) => {
      this.#trouble.recovered()
      onBatch?.(figures)
    }
    const onStatus = (_: Lane, status: ReaderStatus) => {
      if (status.state === 'live') {
        this.#trouble.recovered()
        this.#waker.wake()
      }
      if (status.state === 'retrying') this.#trouble.readerFailed(status.error, status.attempt, status.delayMs)
    }
    const waiting = new Set(idle)
    for (const { events, own } of this.#refusals.take(waiting)) {
      for (const partition of own) waiting.delete(partition)
      this.#watch(startCareful(store, events, own))
    }
    for (const group of groupsOf([...waiting], this.#together)) {
      this.#watch(new Lane({ ...store, owner, log: events, batch, onBatch: onCommit, onStatus }, group))
    }
    this.#together.clear()
  }

  #watch(worker: Worker): void {
    this.#workers.add(worker)
    worker.ended.then(error => {
      this.#workers.delete(worker)
      if (error instanceof RefusedBatchError) {
        this.#refusals.note(error.events, worker.partitions)
        this.#options.log.warn({ err: error }, 'the database refused a batch: looking for the event at fault')
      } else if (error instanceof FencedError) {
        this.#options.log.warn({ err: error }, 'lost partitions to another projector')
      } else if (error) this.#trouble.batchFailed(error)
      this.#waker.wake()
    })
  }

  /** Brings readers together that have all delivered what was stored. */
  async #merge(): Promise<void> {
    const live = [...this.#workers].filter(worker => worker.live)
    if (live.length < 2) return
    for (const partition of live.flatMap(worker => worker.partitions)) this.#together.add(partitionName(partition))
    await Promise.all(live.map(worker => worker.stop()))
    this.#waker.wake()
  }

  /** Indexes are built once the stored events are through: building one is cheaper than growing it. */
  #buildIndexes(): void {
    if (this.#workers.size === 0 || this.#options.leavesIndexes) return
    const busy = [...this.#workers].filter(worker => !worker.live).flatMap(worker => worker.partitions)
    const behind = new Set(busy.map(({ projection }) => projection))
    this.#indexes.build(this.#options.projections.filter(projection => !behind.has(projection)))
  }

  async #stopWorkersOf(partitions: readonly Partition[]): Promise<void> {
    const affected = [...this.#workers].filter(worker => worker.partitions.some(own => partitions.includes(own)))
    await Promise.all(affected.map(worker => worker.stop()))
  }

  #dropControl(): void {
    this.#control?.removeAllListeners('error')
    this.#control?.release(true)
    this.#control = undefined
  }
}
