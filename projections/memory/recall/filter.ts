/** Which memories a search is about: one filter for all legs, before anything is scored. */
import type { Filter } from '../scores.ts'

/** What is known of a memory beside its texts. */
export type Traits = {
  readonly key: string
  readonly kind: string
  /** What kind of memory it was stored as, where it was stored as such. */
  readonly type?: string | undefined
  /** The event that it is of, by its position in the log. */
  readonly position: bigint
  /** When that was: RFC 3339, UTC. */
  readonly at: string
  /** The thing whose history holds it. */
  readonly source?: string | undefined
  /** Where a memory that was stored as such comes from, in the words of who stored it. */
  readonly origin?: string | undefined
  readonly subjects?: readonly string[] | undefined
  readonly tags?: readonly string[] | undefined
  readonly actor?: string | undefined
  readonly session?: string | undefined
  /** From when on, and until when, what it says holds: always, where it says neither. */
  readonly validFrom?: string | undefined
  readonly validTo?: string | undefined
}

/** Conditions that all must hold; of a list, one value must fit. */
export type RecallFilter = {
  readonly kinds?: readonly string[] | undefined
  /** What kind of memory it was stored as, or of which kind of thing it is. */
  readonly types?: readonly string[] | undefined
  /** Tags all of which a memory must have. */
  readonly allTags?: readonly string[] | undefined
  /** Tags one of which a memory must have. */
  readonly anyTag?: readonly string[] | undefined
  /** From this time on, and before the other. */
  readonly from?: string | undefined
  readonly until?: string | undefined
  readonly actors?: readonly string[] | undefined
  readonly sources?: readonly string[] | undefined
  readonly sessions?: readonly string[] | undefined
  readonly subjects?: readonly string[] | undefined
  /** A time at which what it says must hold. */
  readonly validAt?: string | undefined
}

/** Whether a memory meets all conditions. */
function passes(traits: Traits, filter: RecallFilter): boolean {
  const { at, tags = [], subjects = [], validFrom, validTo } = traits
  const fits = (allowed: readonly string[] | undefined, value: string | undefined) =>
    allowed === undefined || (value !== undefined && allowed.includes(value))
  return (
    fits(filter.kinds, traits.kind) &&
    fits(filter.types, traits.type ?? traits.kind) &&
    fits(filter.actors, traits.actor) &&
    (fits(filter.sources, traits.source) || fits(filter.sources, traits.origin)) &&
    fits(filter.sessions, traits.session) &&
    (filter.subjects === undefined || subjects.some(subject => filter.subjects!.includes(subject))) &&
    (filter.anyTag === undefined || tags.some(tag => filter.anyTag!.includes(tag))) &&
    (filter.allTags === undefined || filter.allTags.every(tag => tags.includes(tag))) &&
    (filter.from === undefined || at >= filter.from) &&
    (filter.until === undefined || at < filter.until) &&
    (filter.validAt === undefined ||
      ((validFrom === undefined || validFrom <= filter.validAt) && (validTo === undefined || filter.validAt < validTo)))
  )
}

const OPEN = Uint8Array.of(0, 1)

/** The filter by numbers of memories; `undefined` where it asks for nothing, or nothing else is there. */
export function maskOf(traits: readonly (Traits | undefined)[], filter: RecallFilter): Filter {
  if (Object.values(filter).every(condition => condition === undefined)) return undefined
  const kinds = new Uint16Array(traits.length)
  let open = 0
  for (const [number, each] of traits.entries()) {
    if (!each || !passes(each, filter)) continue
    kinds[number] = 1
    open += 1
  }
  return open === traits.length ? undefined : { kinds, open: OPEN }
}
