/** Which memories a search is about: one filter for all legs, before anything is scored. */
import { type Filter, roomFor } from '../scores.ts'

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

type Condition = (traits: Traits) => boolean

/** What a filter asks for, each by itself. */
function conditionsOf(filter: RecallFilter): Condition[] {
  const { allTags, anyTag, from, until, types, sources, validAt } = filter
  const conditions: Condition[] = []
  const oneOf = (allowed: readonly string[] | undefined, valuesOf: (traits: Traits) => readonly string[]) => {
    if (!allowed) return
    const set = new Set(allowed)
    conditions.push(traits => valuesOf(traits).some(value => set.has(value)))
  }
  const isOneOf = (allowed: readonly string[] | undefined, traitOf: (traits: Traits) => string | undefined) => {
    if (!allowed) return
    const set = new Set<string | undefined>(allowed)
    conditions.push(traits => set.has(traitOf(traits)))
  }
  isOneOf(filter.kinds, ({ kind }) => kind)
  isOneOf(filter.actors, ({ actor }) => actor)
  isOneOf(types, ({ type, kind }) => type ?? kind)
  oneOf(sources, ({ source, origin }) => [source, origin].filter(name => name !== undefined))
  isOneOf(filter.sessions, ({ session }) => session)
  oneOf(filter.subjects, ({ subjects = [] }) => subjects)
  oneOf(anyTag, ({ tags = [] }) => tags)
  if (allTags) conditions.push(({ tags = [] }) => allTags.every(tag => tags.includes(tag)))
  if (from !== undefined) conditions.push(({ at }) => at >= from)
  if (until !== undefined) conditions.push(({ at }) => at < until)
  if (validAt !== undefined) {
    conditions.push(
      ({ validFrom = validAt, validTo }) => validFrom <= validAt && (validTo === undefined || validAt < validTo),
    )
  }
  return conditions
}

const OPEN = Uint8Array.of(0, 1)

/** The filter by numbers of memories; `undefined` where it asks for nothing, or nothing else is there. */
export function maskOf(traits: readonly (Traits | undefined)[], filter: RecallFilter): Filter {
  const conditions = conditionsOf(filter)
  if (conditions.length === 0) return undefined
  const kinds = new Uint16Array(traits.length)
  let [open, all] = [0, 0]
  for (const [number, each] of traits.entries()) {
    if (!each) continue
    all += 1
    if (!conditions.every(holds => holds(each))) continue
    kinds[number] = 1
    open += 1
  }
  return open === all ? undefined : { kinds, open: OPEN }
}

/** The kinds of memories by number, so that a filter by kinds alone looks at none of them. */
export class Kinds {
  readonly #numbers = new Map<string, number>()
  readonly #sizes: number[] = []
  #kindOf = new Uint16Array(0)

  set(number: number, kind: string): void {
    const at = this.#numbers.get(kind) ?? this.#numbers.size
    this.#numbers.set(kind, at)
    this.#sizes[at] = (this.#sizes[at] ?? 0) + 1
    this.#kindOf = roomFor(this.#kindOf, number)
    this.#kindOf[number] = at
  }

  delete(number: number): void {
    const at = this.#kindOf[number]!
    this.#sizes[at] = this.#sizes[at]! - 1
  }

  /** The filter that these kinds pass; `undefined` where there are no others. */
  maskOf(kinds: readonly string[]): Filter {
    const open = new Uint8Array(this.#numbers.size)
    for (const kind of kinds) {
      const at = this.#numbers.get(kind)
      if (at !== undefined) open[at] = 1
    }
    return this.#sizes.every((size, at) => size === 0 || open[at] === 1) ? undefined : { kinds: this.#kindOf, open }
  }
}
