/**
 * Where times lie in the log of an org. The times of events rise with their positions but for what clocks disagree, so
 * that nothing but a walk tells where the first later event is. Marks are kept along the way: each process walks the
 * events of an org once, and from then on only those between two marks.
 */
import { auditLog } from '../projections/audit/audit-log.ts'
import { marksAfter } from '../projections/audit/times.ts'
import { tableOf } from '../projections/rows/tables.ts'
import type { ReadPool } from './pool.ts'
import { absent } from './versions.ts'

/** Every so many events there is a mark, and so many are walked in one statement. */
const STEP = 5_000
const WALK = 100_000
/** Orgs whose marks are kept; the one that nobody asked about for longest goes first. */
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
  const orgs = new Map<string, Walk>()
  let there = false

  function walkOf(org: string): Walk {
    const known = orgs.get(org) ?? { marks: [] }
    orgs.delete(org)
    orgs.set(org, known)
    if (orgs.size > ORGS_MAX) orgs.delete(orgs.keys().next().value!)
    return known
  }
  /** Before a projector has made the table there is nothing to walk; the read says so. */
  async function isThere(): Promise<boolean> {
    there ||= (await absent(pool, [tableOf(auditLog)])).length === 0
    return there
  }
  /** Walks on until a mark is later than the instant, or to the end. */
  async function extend(org: string, { marks }: Walk, instant: string): Promise<void> {
    if (!(await isThere())) return
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
      // One walk for all that wait for it: ten of them would hold every connection.
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
