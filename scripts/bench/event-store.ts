import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Figure, paired } from './figure.ts'
import {
  anonymousMb,
  type Bench,
  bareLmdb,
  batchAppends,
  type Fill,
  positionReads,
  rawDrain,
  singleAppends,
  startServer,
  stockDrain,
  streamReads,
} from './store-load.ts'

/** The embedded event store against bare operations of the same run; the server is a process of its own. */

/** KOGI_BENCH_EVENTS=1000000 shows what a large store costs; it is measured at each power of ten on the way. */
const EVENTS = Number(process.env.KOGI_BENCH_EVENTS ?? 100_000)
const FIRST_EVENTS = 10_000
const SINGLE_APPENDS = 6000
const ROUNDS = 3
/** Of the comparison that a busy neighbour disturbs most. */
const APPEND_ROUNDS = 8
const ANONYMOUS_MB_MAX = 200
const OPENING_MS_MAX = 2000

export async function eventStoreBench(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kogi-bench-'))
  try {
    return [await appendFigure(folder), ...(await logFigures(folder))]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Single appends at 64 in flight, synced, against the same code that keeps nothing: one client, two servers, in turn,
 * each first in every other round.
 */
async function appendFigure(folder: string): Promise<Figure> {
  const durable = await startServer(join(folder, 'single'))
  const memory = await startServer(undefined)
  try {
    const rounds: { value: number; bare: number }[] = []
    for (const server of [memory, durable]) await singleAppends(server, SINGLE_APPENDS)
    for (let round = 0; round < APPEND_ROUNDS; round++) {
      const rates = new Map<Bench, number>()
      for (const server of round % 2 ? [durable, memory] : [memory, durable])
        rates.set(server, await singleAppends(server, SINGLE_APPENDS))
      rounds.push({ bare: rates.get(memory)!, value: rates.get(durable)! })
    }
    return paired('store_synced_appends_against_memory', 'appends/s', rounds)
  } finally {
    await durable.stop()
    await memory.stop()
  }
}

/** The sizes that costs are measured at. */
function sizes(): number[] {
  const found = [FIRST_EVENTS]
  while (found.at(-1)! < EVENTS) found.push(Math.min(EVENTS, found.at(-1)! * 10))
  return found
}

async function logFigures(folder: string): Promise<Figure[]> {
  const path = join(folder, 'log')
  const small = await startServer(join(folder, 'small'))
  const figures: Figure[] = []
  let server = await startServer(path)
  try {
    const smallFill = await batchAppends(small, FIRST_EVENTS)
    let filled = 0
    let written = 0
    for (const size of sizes()) {
      const fill = await batchAppends(server, size - filled)
      filled = size
      written = fill.rate
      figures.push(
        ...(await costFigures(size, [server, fill], [small, smallFill])),
        limited(`memory_at_${size}`, 'MB', anonymousMb(server), ANONYMOUS_MB_MAX),
      )
      await server.stop()
      server = await startServer(path)
      figures.push(limited(`opening_at_${size}`, 'ms', server.startMs, OPENING_MS_MAX))
    }
    const drains: { value: number; bare: number }[] = []
    for (let round = 0; round < ROUNDS; round++)
      drains.push({ bare: await stockDrain(server, EVENTS), value: await rawDrain(server.url) })
    const drain = paired('store_drain_not_decoded_against_stock_client', 'events/s', drains)
    figures.push(
      drain,
      figure('batches_of_1000_against_stock_drain', 'events/s', written, drain.bare!),
      figure('batches_of_1000_against_bare_lmdb', 'events/s', written, await bareLmdb(join(folder, 'bare'), EVENTS)),
    )
    return figures
  } finally {
    await server.stop()
    await small.stop()
  }
}

type Filled = readonly [server: Bench, fill: Fill]

/** What single operations cost in a store of some size, against the same in a small one at the same time. */
async function costFigures(size: number, large: Filled, small: Filled): Promise<Figure[]> {
  const against = async (name: string, unit: string, measure: (...filled: Filled) => Promise<number>) => {
    // The larger store was opened a moment ago: its code and its pages are cold.
    for (const filled of [small, large]) await measure(...filled)
    const rounds: { value: number; bare: number }[] = []
    for (let round = 0; round < ROUNDS; round++)
      rounds.push({ bare: await measure(...small), value: await measure(...large) })
    return paired(`store_${name}_at_${size}_against_${FIRST_EVENTS}`, unit, rounds)
  }
  return [
    await against('append', 'appends/s', server => singleAppends(server, SINGLE_APPENDS)),
    await against('read_of_a_stream', 'reads/s', streamReads),
    await against('read_by_position', 'reads/s', positionReads),
  ]
}

/** A figure that must stay below a limit: its ratio below 1. */
function limited(name: string, unit: string, value: number, limit: number): Figure {
  return figure(`${name}_against_limit`, unit, value, limit)
}

function figure(name: string, unit: string, value: number, bare: number): Figure {
  return { name: `store_${name}`, value, unit, bare, ratio: value / bare }
}
