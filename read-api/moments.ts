/**
 * Finds where times lie in the log of an org. The times of events rise with their positions except where clocks
 * disagree, so that only a walk over the events finds the first one later than a time. Marks are kept along the way:
 * each process walks the events of an org once, and after that only those between two marks.
 */
import { LRUCache } from 'lru-cache'
import { auditLog } from '../projections/audit/audit-log.ts'
import { marksAfter } from '../projections/audit/times.ts'
import { tableOf } from '../projections/rows/tables.ts'
import type { ReadPool } from './pool.ts'
import { absent } from './versions.ts'

/** Events between two marks, and events that one statement walks. */
const STEP = 5_000
const WALK = 100_000
/** Orgs whose marks are kept; those that were asked about longest ago are forgotten first. */
const ORGS_MAX = 1_000

/** No event of the org up to `position` is later than `latest`, in the form of the log. */
type Mark = { readonly position: bigint; readonly latest: string }
type Walk = { readonly marks: Mark[]; walking?: Promise<void> | undefined }

export type Moments = {
  /** A position of the org up to which no event is later than the instant, a few thousand events from the first. */
  readonly before: (org: string, instant: string) => Promise<bigint>
}

/** Keeps the marks of a process. Events are immutable, so a mark is true for ever. */
export function keepMoments(pool: ReadPool, { step = STEP, walk = WALK } = {}): Moments {
  const orgs = new LRUCache<string, Walk>({ max: ORGS_MAX })
  let exists = false

  function walkOf(org: string): Walk {
    const walk = orgs.get(org) ?? { marks: [] }
    orgs.set(org, walk)
    return walk
  }
  /** Whether there is a table to walk: before a projector has made it, the read itself answers that. */
  async function tableExists(): Promise<boolean> {
    exists ||= (await absent(pool, [tableOf(auditLog)])).length === 0
    return exists
  }
  /** Walks on until a mark is later than the instant, or to the end. */
  async function extend(org: string, { marks }: Walk, instant: string): Promise<void> {
    if (!(await tableExists())) return
    for (;;) {
      const last = marks.at(-1)
      if (last && last.latest > instant) return
      const query = {
        text: marksAfter('$1', '$2', step, walk),
        values: [org, last?.position ?? 0n],
        rowMode: 'array' as const,
      }
      const { rows } = await pool.query(query)
      let highest = last?.latest ?? ''
      for (const [position, latest] of rows as [bigint | string, string][]) {
        if (latest > highest) highest = latest
        marks.push({ position: BigInt(position), latest: highest })
      }
      if (rows.length < Math.floor(walk / step)) return
    }
  }
  return {
    async before(org, instant) {
      const own = walkOf(org)
      // Questions about an org share one walk: ten walks would hold every connection.
      while (own.walking) await own.walking
      const last = own.marks.at(-1)
      if (!last || last.latest <= instant) {
        own.walking = extend(org, own, instant).finally(() => {
          own.walking = undefined
        })
        await own.walking
      }
      return own.marks.findLast(({ latest }) => latest <= instant)?.position ?? 0n
    },
  }
}
