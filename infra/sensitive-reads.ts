import { randomUUID } from 'node:crypto'
import type { EventStore } from '../commands/ports.ts'
import { type Json, toWire } from '../domain/kernel/json.ts'
import type { NoteRead, SensitiveRead } from '../read-api/audit/sensitive-reads.ts'
import { type Log, reasonOf } from './log.ts'

/** How long reads are gathered before they are written. */
const GATHERED_MS = 2_000
/** Different reads of one event: a number of a note is that of its event, times this, and its place in it. */
const AT_ONCE = 500
/** Events that are read together. */
const EVENTS_AT_ONCE = 50
/** Different reads that wait in memory while the event store is away; what comes then is counted as lost. */
const WAITING_MAX = 20_000
/** For how long notes are kept: a year, as auditors ask for, and the month in which they come. */
const KEPT_SECONDS = 400 * 86_400

const streamOf = (org: string): string => `access-${org}`

type Gathered = Omit<SensitiveRead, 'number'>
type Store = Pick<EventStore, 'appendDerived' | 'readDerived' | 'keepFor'>

export type SensitiveReads = {
  readonly note: NoteRead
  /** Writes what waits. */
  readonly close: () => Promise<void>
}

/**
 * Notes who read what in `access-<org>`. No read waits for its note: reads are gathered by caller, operation and path,
 * and written every two seconds, so that what a process has not written is lost with it. Notes go after 400 days.
 */
export function sensitiveReads(store: Store, log: Pick<Log, 'warn'>, now: () => string): SensitiveReads {
  let waiting = new Map<string, Map<string, Gathered>>()
  let size = 0
  let lost = 0
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  const known = new Set<string>()

  const add = (org: string, read: Gathered) => {
    const key = [read.actor, read.operation, read.path].join('\0')
    const ofOrg = waiting.get(org) ?? new Map<string, Gathered>()
    const before = ofOrg.get(key)
    if (!before && size >= WAITING_MAX) {
      lost += 1
      return
    }
    if (!before) size += 1
    const moments = [read, ...(before ? [before] : [])].flatMap(({ at, until }) => [at, until]).sort()
    const times = read.times + (before?.times ?? 0)
    ofOrg.set(key, { ...read, at: moments[0]!, until: moments.at(-1)!, times })
    waiting.set(org, ofOrg)
  }
  const later = () => {
    timer ??= setTimeout(() => void write(), GATHERED_MS).unref()
  }
  const writeOrg = async (org: string, reads: readonly Gathered[]) => {
    let from = 0
    try {
      if (!known.has(org)) await store.keepFor(streamOf(org), KEPT_SECONDS)
      known.add(org)
      for (; from < reads.length; from += AT_ONCE) {
        const data = { reads: toWire(reads.slice(from, from + AT_ONCE)) as Json }
        await store.appendDerived(streamOf(org), [{ id: randomUUID(), type: 'DataRead', data, metadata: { org } }])
      }
    } catch (error) {
      log.warn({ org, reason: reasonOf(error) }, 'sensitive reads could not be noted, trying again')
      for (const read of reads.slice(from)) add(org, read)
      later()
    }
  }
  const writeAll = async () => {
    const all = waiting
    waiting = new Map()
    size = 0
    for (const [org, reads] of all) await writeOrg(org, [...reads.values()])
    if (lost > 0) log.warn({ lost }, 'sensitive reads were not noted: the event store was away for too long')
    lost = 0
  }
  const write = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    writing = writing.then(writeAll)
    return writing
  }
  return {
    note({ principal: { org, subject: actor }, correlationId }, read) {
      const at = now()
      add(org, { ...read, actor, times: 1, at, until: at, correlation_id: correlationId })
      later()
    },
    async close() {
      await write()
      clearTimeout(timer)
    },
  }
}

/** The sensitive reads of an org that were noted, the latest first, from a number on. */
export async function notedReads(
  store: Pick<EventStore, 'readDerived'>,
  org: string,
  limit: number,
  from?: bigint,
): Promise<readonly SensitiveRead[]> {
  const places = BigInt(AT_ONCE)
  const found: SensitiveRead[] = []
  for (let next = from === undefined ? undefined : from / places; found.length < limit && (next ?? 0n) >= 0n; ) {
    const events = await store.readDerived(streamOf(org), 'backwards', EVENTS_AT_ONCE, next)
    for (const { revision, data } of events) {
      const { reads } = data as unknown as { readonly reads: readonly Gathered[] }
      const numbered = reads.map((read, at) => ({ number: revision * places + BigInt(at), ...read }))
      found.push(...numbered.filter(({ number }) => from === undefined || number <= from).reverse())
    }
    if (events.length < EVENTS_AT_ONCE) break
    next = events.at(-1)!.revision - 1n
  }
  return found.slice(0, limit)
}
