import { z } from 'zod'
import type { Principal, Route } from '../../domain/kernel/route.ts'
import { text, timestamp } from '../../domain/kernel/schema.ts'
import type { MemoryIndex } from '../../projections/memory/index.ts'
import type { Insights } from '../../projections/memory/insights/insights.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../as-of.ts'
import { atLeast, beyondHead, positioned, readErrors } from '../consistency.ts'
import { inQuery, queriesOf, tokenParameters, whole } from '../parameters.ts'
import { granteesOf, readable } from '../readers.ts'
import type { SearchDeps } from './search.ts'

const DAYS_DEFAULT = 30
const DAYS_MAX = 3_660

const share = (of: string) => z.number().min(0).meta({ description: of })
const moment = z.iso.datetime()
const day = z.iso.date()

const insightsSchema = z.strictObject({
  period: z
    .strictObject({ before: moment, from: moment, until: moment })
    .meta({ description: 'from its first moment and before its end; the period before it begins at `before`' }),
  total_memories: z.int(),
  totals: z.strictObject({
    in_period: z.int(),
    in_period_before: z.int(),
    by_kind: z.record(z.string(), z.int()),
    sources: z.int(),
    sessions: z.int(),
    first_at: moment.nullable(),
    last_at: moment.nullable(),
  }),
  dominant_concepts: z
    .array(
      z.strictObject({
        concept: z.string(),
        memories: z.int(),
        memories_before: z.int(),
        share: share('part of the memories of the period that have it'),
        share_before: share('the same of the period before'),
        change: z.number().meta({
          description:
            'log-likelihood ratio of the two shares, below 0 where it became rarer: from 3.84 on, either way, one in ' +
            'twenty would be so by chance',
        }),
        weight: z.number().meta({ description: 'memories of the period times the rarity of the word in all memories' }),
      }),
    )
    .meta({ description: 'words of the period by their weight, each for all its inflections' }),
  knowledge_density: share('part of the memories that name something which another memory names too'),
  knowledge: z.strictObject({
    entities: z.int(),
    mentions: z.int(),
    mentions_per_memory: z.number(),
    most_named: z.array(z.strictObject({ entity: z.string(), memories: z.int() })),
  }),
  temporal_patterns: z.strictObject({
    by_hour: z.array(z.int()).length(24).meta({ description: 'memories of each hour of the day, in UTC' }),
    by_weekday: z.array(z.int()).length(7).meta({ description: 'memories of each weekday from Monday on, in UTC' }),
    recurring_gaps: z
      .array(
        z.strictObject({
          kind: z.string(),
          source: z.string(),
          days: z.int(),
          times: z.int(),
          gaps: z.int(),
          last_on: day,
          next_on: day,
        }),
      )
      .meta({
        description: 'things of which memories come again after about as many days, three of four times or more',
      }),
  }),
  semantic_clusters: z
    .array(
      z.strictObject({
        memories: z.int(),
        share: share('part of the memories that were grouped: of very many, a thousand'),
        words: z.array(z.string()),
        typical: z.strictObject({ kind: z.string(), source: z.string(), key: z.string(), cosine: z.number() }),
      }),
    )
    .meta({ description: 'memories about the same, each group with the memory nearest to its middle' }),
  concept_drift: z.array(
    z.strictObject({
      concept: z.string(),
      memories: z.int(),
      windows: z.array(
        z.strictObject({
          from: moment,
          until: moment,
          memories: z.int(),
          drift: z.number().meta({ description: 'distance of the texts that have it to those of the window before' }),
          drift_from_first: z.number(),
          beside: z.array(z.string()).meta({ description: 'words that stand beside it most' }),
        }),
      ),
    }),
  ),
})

const parameters = [
  inQuery('days', whole(1, DAYS_MAX, DAYS_DEFAULT), 'how long the period is; the period before it is as long'),
  inQuery('until', timestamp, 'the end of the period; right behind the latest memory where it is not given'),
  inQuery('concept', text(200), 'the words whose drift is asked for; the most dominant ones where none are given'),
  asOfParameter,
  ...tokenParameters,
]

export type InsightDeps = Omit<SearchDeps, 'search'> & { readonly insights: MemoryIndex['insights'] }

/** The route of what an org's memories say together. */
export function insightsRoute(deps: InsightDeps): Route {
  const kindsOf = (principal: Principal) => {
    const open = [...deps.memoryPermissions].filter(([, permission]) => deps.allows(principal, permission))
    return open.map(([kind]) => kind)
  }
  return {
    method: 'GET',
    path: '/kse/memory/insights',
    permission: 'memory.memories.read',
    operationId: 'memoryInsights',
    summary: 'What the memories that the caller may read say together: words, rhythms, groups, and how words move.',
    tag: 'kse',
    parameters,
    response: insightsSchema,
    errors: { ...asOfErrors, ...readErrors },
    async handle(request) {
      const query = queriesOf(request, parameters)
      const { principal } = request
      const [{ token, asOf }, grantees] = [await wantedOf(deps, request, query), granteesOf(principal)]
      await deps.versions.built([deps.memories])
      const ask = () =>
        deps.insights(principal.org, {
          kinds: kindsOf(principal),
          readable: things => readable(deps, principal.org, grantees, things),
          days: Number(query.days ?? DAYS_DEFAULT),
          ...(query.until !== undefined && { until: query.until }),
          ...(query.concept !== undefined && { concept: query.concept }),
          ...(asOf && { asOf: asOf.position }),
        })
      const { position, insights } = token ? await atLeast(token, deps.signal, request, ask) : await ask()
      if (asOf && asOf.position > position) throw beyondHead(asOf.position, position)
      return { data: named(insights), ...positioned(position, asOf) }
    },
  }
}

/** Insights by the names of the interface. */
function named({ totals: { memories, ...totals }, knowledge: { density, ...knowledge }, ...others }: Insights) {
  return { ...others, total_memories: memories, totals, knowledge_density: density, knowledge }
}
