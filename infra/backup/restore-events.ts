/** Fills an event store with the events of a backup: as they were in an embedded one, by appends in any other. */
import { createReadStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { EventStoreDBClient } from '@eventstore/db-client'
import { uuidOf } from '../../commands/ids.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { importEvents, type Line } from '../embedded/event-store/care/transfer.ts'
import { openAppends } from './appends.ts'
import { endOfLog, eventLines } from './event-lines.ts'
import { EVENTS, isDerived, SKIPS_PREFIX } from './format.ts'

/** What became of the events. */
export type RestoredEvents = {
  readonly written: number
  /** Events that an interrupted restore of the same backup had written before. */
  readonly found: number
  /** Whether each event has the position that it had; where not, the store gave it another one. */
  readonly positionsKept: boolean
}

type Progress = (events: number) => void

/** Makes the folder of an embedded store, whole or not at all; every event keeps its position. */
export async function importStore(
  backup: string,
  target: string,
  onEvents: Progress,
  signal?: AbortSignal,
): Promise<RestoredEvents> {
  const draft = `${target}.unfinished`
  await rm(draft, { recursive: true, force: true })
  const onEvent = () => {
    signal?.throwIfAborted()
    onEvents(1)
  }
  try {
    const written = await importEvents(draft, path.join(backup, EVENTS), false, onEvent)
    await rename(draft, target)
    return { written, found: 0, positionsKept: true }
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw signal?.aborted ? signal.reason : error
  }
}

/** The stream of the first event that is not the store's own; `undefined` where there is none. */
export async function firstStream(url: string): Promise<string | undefined> {
  const client = EventStoreDBClient.connectionString(url)
  try {
    for await (const { stream } of eventLines(client, await endOfLog(client))) return stream
    return undefined
  } finally {
    await client.dispose()
  }
}

/**
 * Compares a store that has events with a backup that was imported into it: throws `not_empty` unless it holds exactly
 * the events of the backup.
 */
export async function mustHoldImported(backup: string, url: string): Promise<RestoredEvents> {
  const client = EventStoreDBClient.connectionString(url)
  const lines = linesOf(backup)
  try {
    const found = await passOver(lines, eventLines(client, await endOfLog(client)), () => {})
    if ((await lines.next()).done) return { written: 0, found, positionsKept: true }
    throw other('it ends earlier')
  } finally {
    await lines.return(undefined)
    await client.dispose()
  }
}

/** Throws `not_empty` unless the events of a store are the first ones of those that appends write. */
export async function mustHoldBeginning(backup: string, url: string): Promise<void> {
  const client = EventStoreDBClient.connectionString(url)
  const lines = withoutDerived(linesOf(backup))
  try {
    await passOver(lines, withoutDerived(eventLines(client, await endOfLog(client))), () => {})
  } finally {
    await lines.return(undefined)
    await client.dispose()
  }
}

/**
 * Appends the events of a backup in their order, under their ids, at their revisions. Snapshots and blocks of command
 * ids are left out: the write path makes them anew. The decision to skip an event names its position, so it is written
 * with the one that the event has now. A store that holds the first events of the backup is filled up from there.
 */
export async function appendToStore(
  backup: string,
  url: string,
  onEvents: Progress,
  signal?: AbortSignal,
): Promise<RestoredEvents> {
  const skipped = await skippedPositions(backup)
  const moved = new Map<number, number>()
  const client = EventStoreDBClient.connectionString(url)
  const lines = withoutDerived(linesOf(backup))
  let written = 0
  const appends = await openAppends(client, (stored, position) => {
    written += stored.length
    onEvents(stored.length)
    if (skipped.has(stored[0]!.position)) moved.set(stored[0]!.position, Number(position))
  })
  try {
    const existing = withoutDerived(eventLines(client, await endOfLog(client), signal))
    const found = await passOver(lines, existing, (line, there) => {
      onEvents(1)
      if (skipped.has(line.position)) moved.set(line.position, there.position)
    })
    for await (const line of lines) {
      signal?.throwIfAborted()
      const isSkip = line.stream.startsWith(SKIPS_PREFIX)
      if (isSkip) await appends.settle()
      await appends.add(isSkip ? withPosition(line, moved) : line, skipped.has(line.position))
    }
    await appends.settle()
    return { written, found, positionsKept: false }
  } finally {
    appends.close()
    await lines.return(undefined)
    await client.dispose()
  }
}

/** Takes the lines that a store has already, and returns how many; throws `not_empty` at an event that is another. */
async function passOver(
  lines: AsyncGenerator<Line>,
  existing: AsyncGenerator<Line>,
  onSame: (line: Line, there: Line) => void,
): Promise<number> {
  let found = 0
  for await (const there of existing) {
    const { value: line, done } = await lines.next()
    if (done) throw other(`${there.stream} at position ${there.position} is not in it`)
    const isSame = line.stream === there.stream && line.revision === there.revision
    // A skip has another id in the restored log, because its id follows from the position that it names.
    if (!isSame || (line.id !== there.id && !line.stream.startsWith(SKIPS_PREFIX)))
      throw other(`the first other one is of ${there.stream}, at position ${there.position}`)
    onSame(line, there)
    found++
  }
  return found
}

const other = (why: string) =>
  new KogiError('not_empty', 'The event store holds events, and they are not the first ones of the backup.', [
    { field: 'event store', message: why },
  ])

/** The events of a backup whose files were verified, without the last line, which counts them. */
async function* linesOf(backup: string): AsyncGenerator<Line, undefined> {
  const input = createReadStream(path.join(backup, EVENTS))
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const line = JSON.parse(text) as Line
      if (line.stream !== undefined) yield line
    }
  } finally {
    input.destroy()
  }
  return undefined
}

async function* withoutDerived(lines: AsyncGenerator<Line>): AsyncGenerator<Line, undefined> {
  for await (const line of lines) if (!isDerived(line.stream)) yield line
  return undefined
}

/** The positions that skips of the backup name. */
async function skippedPositions(backup: string): Promise<ReadonlySet<number>> {
  const found = new Set<number>()
  for await (const { stream, data } of linesOf(backup)) {
    if (stream.startsWith(SKIPS_PREFIX)) found.add(Number((JSON.parse(data!) as { position: string }).position))
  }
  return found
}

/** A skip of the event that was at a position, as `writeSkip` would write it for where the event is now. */
function withPosition(line: Line, moved: ReadonlyMap<number, number>): Line {
  const data = JSON.parse(line.data!) as { projection: string; position: string }
  const position = String(moved.get(Number(data.position)) ?? data.position)
  const id = uuidOf(['projection', data.projection, position])
  return { ...line, id, data: JSON.stringify({ ...data, position }) }
}
