/**
 * Builds the tables of a projection anew beside those that are read, and puts the new ones in their place once they
 * stand at the same positions. Until then readers and writers notice nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { readCheckpoints } from '../ownership/checkpoints.ts'
import { forgetCheckpoints } from '../ownership/fencing.ts'
import { holdServed } from '../ownership/serving.ts'
import type { EventLog } from '../ports.ts'
import { greatest, least } from '../rows/positions.ts'
import type { AnyProjection } from '../rows/projection.ts'
import { quoted, tableOf, tablesOf } from '../rows/tables.ts'
import { ensureIndexes, ensureTables } from '../runner/build.ts'
import type { RunnerOptions } from '../runner/options.ts'
import { Runner } from '../runner/runner.ts'
import { logWentBack } from '../runner/watch.ts'
import { cannotTake, oldOf, type SwapOptions, type Swapped, swap } from './swap.ts'

export type RebuildOptions = Pick<RunnerOptions, 'events' | 'pool' | 'decode' | 'log' | 'id' | 'batch' | 'onBatch'> & {
  readonly projection: AnyProjection
} & Pick<SwapOptions, 'signal' | 'onSwapped'>

const POLL_MS = 100
// Namespace of our advisory locks; the value itself has no meaning.
const REBUILDING = 720_311_561
/** How near the new tables must be before writers are made to wait for the rest, in positions of the log. */
const NEAR = 1_000_000n

/** The projection under another name: its tables and checkpoints stand beside those that are read. */
const besideOf = (projection: AnyProjection): AnyProjection => ({ ...projection, name: `${projection.name}__rebuild` })

/**
 * Rebuilds one projection. Throws `rebuild_running` where another process does that now, `event_refused` where an event
 * cannot be taken, `log_went_back` where the stored rows are of another log, and the reason of an abort; it leaves
 * nothing behind then, and nothing has changed.
 */
export async function rebuild(options: RebuildOptions): Promise<Swapped> {
  const beside = besideOf(options.projection)
  const guard = await options.pool.connect()
  try {
    // Between its runner and the swap no projector runs the new tables: a prune must not take them for left-overs.
    await holdServed(guard, [beside])
    const lock = 'select pg_try_advisory_lock($1, hashtext($2)) as free'
    const { rows } = await guard.query<{ free: boolean }>(lock, [REBUILDING, tableOf(beside)])
    if (!rows[0]!.free) {
      const { name } = options.projection
      throw new KogiError('rebuild_running', `${name} is being rebuilt already: wait for the end of that.`)
    }
    return await build(options, beside)
  } finally {
    // The end of the session would free them as well, but some time after this.
    await guard.query('select pg_advisory_unlock_all()').catch(() => {})
    guard.release(true)
  }
}

async function build(options: RebuildOptions, beside: AnyProjection): Promise<Swapped> {
  const { projection, pool, events, log } = options
  const gate = new Gate(options)
  await dropLeftOvers(pool, projection, beside)
  await ensureTables(pool, [projection])
  await refuseOtherLog(options)
  const runner = new Runner({ ...options, projections: [beside], events: gate.events })
  try {
    await nearlyCaughtUp(options, beside, gate)
    await ensureIndexes(pool, [beside])
    await runner.close()
    return await swap({ ...options, beside, skips: await gate.events.skips([]), events })
  } finally {
    await runner.close()
    await dropLeftOvers(pool, projection, beside).catch(error =>
      log.warn(
        { err: error },
        'tables that are not read were left behind: the next rebuild of this projection drops them',
      ),
    )
  }
}

/** Rows that were made of another log cannot be brought to the same positions. */
async function refuseOtherLog({ events, pool, projection, signal }: RebuildOptions): Promise<void> {
  // In this order: a checkpoint may pass a head that was looked at before it.
  const [checkpoints, head] = [await readCheckpoints(pool, [projection]), await events.head(signal)]
  const furthest = greatest(checkpoints.map(({ position }) => position))
  if (furthest > head) throw new KogiError('log_went_back', `${logWentBack(head, furthest)}.`)
}

/** Holds back events that the old tables do not have yet, so that both can be brought to the same positions. */
class Gate {
  limit = 0n
  readonly events: EventLog

  constructor({ events, projection }: RebuildOptions) {
    this.events = {
      head: events.head,
      read: events.read,
      follow: options => this.#follow(events.follow(options), options.signal),
      // Skips are written under the projection's own name.
      skips: async () => {
        const skips = await events.skips([projection.name])
        return new Map([[besideOf(projection).name, skips.get(projection.name) ?? new Set<bigint>()]])
      },
    }
  }

  async *#follow(lists: AsyncIterable<readonly StoredEvent[]>, signal: AbortSignal) {
    for await (const list of lists) {
      for (let rest = list; rest.length > 0 && !signal.aborted; ) {
        const allowed = rest.filter(({ position }) => position <= this.limit)
        rest = rest.slice(allowed.length)
        if (allowed.length > 0) yield allowed
        else await sleep(POLL_MS, undefined, { signal }).catch(() => {})
      }
    }
  }
}

async function nearlyCaughtUp({ pool, projection, signal }: RebuildOptions, beside: AnyProjection, gate: Gate) {
  for (;;) {
    signal?.throwIfAborted()
    const [old, fresh] = [await readCheckpoints(pool, [projection]), await readCheckpoints(pool, [beside])]
    const stalled = fresh.find(({ state }) => state === 'stalled')
    if (stalled) throw cannotTake(stalled.error!)
    gate.limit = least(old.map(({ position }) => position))
    if (fresh.length > 0 && least(fresh.map(({ position }) => position)) + NEAR >= gate.limit) return
    await sleep(POLL_MS)
  }
}

/** Drops what was built beside, and tables that have been replaced. */
async function dropLeftOvers(pool: Pool, projection: AnyProjection, beside: AnyProjection): Promise<void> {
  const tables = [...tablesOf(beside), ...tablesOf(projection).map(oldOf)]
  await pool.query(`drop table if exists ${tables.map(quoted).join(', ')}`)
  await forgetCheckpoints(pool, beside)
}
