/** How fast the notary hashes a log into its trees, beside the bare SHA-256 of the same bytes. */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Hashing } from '../../infra/notary/hashing.ts'
import type { UnparsedEvent } from '../../projections/ports.ts'
import { type Figure, paired } from './figure.ts'
import { writeLog } from './log.ts'

const EVENTS = 50_000
const ROUNDS = 3
const BATCH = 500

/** Events hashed per second into the tree of the log and those of its orgs, as the notary does when it starts. */
export async function sealBench(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-bench-seal-'))
  try {
    const file = path.join(folder, 'log.ndjson')
    await writeLog(file, EVENTS)
    const lines = (await readFile(file, 'utf8')).split('\n').slice(0, EVENTS)
    const rounds: { value: number; bare: number }[] = []
    for (let round = -1; round < ROUNDS; round++) {
      const bare = perSecond(bareHashes(lines))
      const value = perSecond(await sealed(lines.map(eventIn)))
      if (round >= 0) rounds.push({ value, bare })
    }
    return [paired('sealed_events_per_second', '1/s', rounds)]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const perSecond = (ms: number) => EVENTS / (ms / 1_000)

type Line = { readonly data: string; readonly metadata: string }

/** An event as the reader of the log gives it. */
export function eventIn(line: string): UnparsedEvent {
  const { type, stream, id: eventId, revision, position, data, metadata } = JSON.parse(line)
  return {
    type,
    stream,
    eventId,
    revision: BigInt(revision),
    position: BigInt(position),
    data: JSON.parse(data),
    metadata: JSON.parse(metadata),
    stored: { data: Buffer.from(data), metadata: Buffer.from(metadata) },
  }
}

async function sealed(events: readonly UnparsedEvent[]): Promise<number> {
  const start = performance.now()
  const hashing = new Hashing([], false)
  for (let from = 0; from < events.length; from += BATCH) await hashing.add(events.slice(from, from + BATCH))
  return performance.now() - start
}

/** SHA-256 of the data and metadata of each event, as they are stored. */
function bareHashes(lines: readonly string[]): number {
  const texts = lines.map(line => {
    const { data, metadata } = JSON.parse(line) as Line
    return data + metadata
  })
  const start = performance.now()
  for (const text of texts) createHash('sha256').update(text).digest()
  return performance.now() - start
}
