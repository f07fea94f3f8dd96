/** What the memories of an org say together: counts, words that matter now, rhythms, groups, and how words move. */
import type { Traits } from '../recall/filter.ts'
import type { Recall } from '../recall/recall.ts'
import { type Cluster, clustersOf } from './clusters.ts'
import { type Concept, dominantConcepts } from './dominant.ts'
import { type Drift, driftOf } from './drift.ts'
import { type Knowledge, knowledgeOf } from './knowledge-density.ts'
import type { Member } from './member.ts'
import { type Rhythm, rhythmOf } from './rhythm.ts'

/** The time that is looked at, from its first moment and before its end; the period before is as long. */
type Period = { readonly before: string; readonly from: string; readonly until: string }

export type InsightOptions = {
  /** Which memories count; all where it is not given. */
  readonly isOpen?: (traits: Traits) => boolean
  /** Days of the period, and its end: right behind the latest memory where it is not given. */
  readonly days?: number
  readonly until?: string
  /** The word whose drift is asked for; the most dominant ones where it is not given. */
  readonly concept?: string
}

export type Insights = {
  readonly period: Period
  readonly totals: {
    readonly memories: number
    readonly in_period: number
    readonly in_period_before: number
    readonly by_kind: Readonly<Record<string, number>>
    readonly sources: number
    readonly sessions: number
    readonly first_at: string | null
    readonly last_at: string | null
  }
  readonly dominant_concepts: readonly Concept[]
  readonly knowledge: Knowledge
  readonly temporal_patterns: Rhythm
  readonly semantic_clusters: readonly Cluster[]
  readonly concept_drift: readonly Drift[]
}

const DAYS = 30
const DAY_MS = 86_400_000
/** Dominant concepts whose drift is said where none is named. */
const DRIFTING = 3

/** The same memories give the same insights, in whatever order they came. */
export function insightsOf(recall: Recall, options: InsightOptions = {}): Insights {
  const { isOpen = () => true, days = DAYS, concept } = options
  const members: Member[] = []
  recall.each((number, traits) => {
    if (isOpen(traits)) members.push({ number, traits })
  })
  const totals = totalsOf(members)
  const period = periodOf(options.until ?? behind(totals.last_at), days)
  const now = members.filter(({ traits: { at } }) => at >= period.from && at < period.until)
  const before = members.filter(({ traits: { at } }) => at >= period.before && at < period.from)
  const dominant_concepts = dominantConcepts(recall, now, before)
  const drifting = concept === undefined ? dominant_concepts.slice(0, DRIFTING).map(each => each.concept) : [concept]
  return {
    period,
    totals: { ...totals, in_period: now.length, in_period_before: before.length },
    dominant_concepts,
    knowledge: knowledgeOf(recall, members),
    temporal_patterns: rhythmOf(members),
    semantic_clusters: clustersOf(recall, members),
    concept_drift: drifting.map(each => driftOf(recall, each, members)),
  }
}

function totalsOf(members: readonly Member[]) {
  const kinds = new Map<string, number>()
  const [sources, sessions] = [new Set<string>(), new Set<string>()]
  let [first, last]: [string | null, string | null] = [null, null]
  for (const { traits } of members) {
    const { kind, source, session, at } = traits
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    if (source !== undefined) sources.add(`${kind} ${source}`)
    if (session !== undefined) sessions.add(session)
    if (first === null || at < first) first = at
    if (last === null || at > last) last = at
  }
  return {
    memories: members.length,
    by_kind: Object.fromEntries([...kinds].sort(([a], [b]) => (a < b ? -1 : 1))),
    sources: sources.size,
    sessions: sessions.size,
    first_at: first,
    last_at: last,
  }
}

function periodOf(until: string, days: number): Period {
  const end = Date.parse(until)
  const back = (periods: number) => new Date(end - periods * days * DAY_MS).toISOString()
  return { before: back(2), from: back(1), until: back(0) }
}

/** The first millisecond behind a time; of no memory the beginning of 1970. */
const behind = (last: string | null) => new Date(last === null ? 0 : Date.parse(last) + 1).toISOString()
