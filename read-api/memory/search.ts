import { createHash } from 'node:crypto'
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import { toWire } from '../../domain/kernel/json.ts'
import type { ApiRequest, Parameter, Principal, Route } from '../../domain/kernel/route.ts'
import { text } from '../../domain/kernel/schema.ts'
import type { MemoryHit, MemoryIndex, SearchOptions, SearchType } from '../../projections/memory/index.ts'
import { memoryRow } from '../../projections/memory/memories.ts'
import type { Place } from '../../projections/memory/rank.ts'
import { LEGS } from '../../projections/memory/recall/legs.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { noHistoryErrors } from '../as-of.ts'
import type { CheckpointSignal } from '../checkpoint-signal.ts'
import { atLeast, positioned, readErrors, tokenOf } from '../consistency.ts'
import { cursorOf, placeOf } from '../cursor.ts'
import { inQuery, invalidParameter, type Queries, queriesOf, tokenParameters, whole } from '../parameters.ts'
import type { ReadPool } from '../pool.ts'
import { type Guards, granteesOf, readable } from '../readers.ts'
import type { Versions } from '../versions.ts'

/** Searches the memories of an org by words, best first; says which position its index has reached. */
export type MemorySearch = MemoryIndex['search']

const { kind, subject, source, title, body, at, position } = memoryRow.shape

const HITS_DEFAULT = 10
const HITS_MAX = 100
/** Most hits of one page behind others that are private. */
const PAGE_MAX = 2_000
/** A cursor has a number for each word of its query, which has up to 1000 characters. */
const AFTER_MAX = 12_000

/** How memories are searched; `text` where nothing is said. */
const SEARCH_TYPES = ['text', 'hybrid', ...LEGS] as const satisfies readonly SearchType[]

const legScore = z.strictObject({
  raw: z.number().meta({ description: "in the leg's own terms" }),
  normalised: z.number().meta({ description: 'in parts of the best raw score of the leg' }),
  part: z.number().meta({ description: 'the normalised score times the weight of the leg' }),
})

const hitSchema = z.strictObject({
  kind,
  subject,
  source,
  title: title.unwrap(),
  text: body,
  at,
  position,
  score: z.number().meta({ description: 'compares only within one answer' }),
  matched: z
    .array(
      z.strictObject({
        word: z.string().meta({ description: 'a word of the query, its case and accents folded' }),
        as: z.enum(['exact', 'prefix', 'near']).meta({
          description:
            '`exact`: the text has the word, in any English inflection; `prefix`: it has a word that begins so, ' +
            'looked for where this is the last word of the query and has three letters or more; `near`: it has a ' +
            'word with one letter wrong, missing, added or swapped, looked for from five letters on where no text ' +
            'has the word itself',
        }),
      }),
    )
    .meta({
      description: 'the words of the query that were found, in their order; exact ones count most, near ones least',
    }),
  legs: z
    .partialRecord(z.enum(LEGS), legScore)
    .optional()
    .meta({ description: 'where legs searched: what each gave; the parts of all legs add up to the score' }),
  path: z.array(z.string()).optional().meta({
    description: 'where legs searched: from an entity of the query to one that the memory names, if there is a way',
  }),
})

const parametersOf = (kinds: readonly string[]): readonly Parameter[] => [
  { ...inQuery('q', text(1000).meta({ examples: ['invoice'] }), 'words to look for'), required: true },
  inQuery('kind', z.enum(kinds as [string]), 'only memories of this kind'),
  inQuery('limit', whole(1, HITS_MAX, HITS_DEFAULT), 'most hits to answer with'),
  inQuery(
    'after',
    z.string().max(AFTER_MAX),
    'the `next` of the page before: what has not changed is neither lost nor doubled',
  ),
  inQuery(
    'search_type',
    z.enum(SEARCH_TYPES).meta({ default: 'text' }),
    '`text`: by words; `hybrid`: by all legs, whose weights are in `meta.legs`; or one leg: `lexical` (words, ' +
      'each text in its language), `neural` (texts like those that have the words), `conceptual` (on dimensions ' +
      'that the query mentions), `knowledge` (from the entities that it names)',
  ),
  ...tokenParameters,
]

export type SearchDeps = {
  readonly search: MemorySearch
  /** The read model that is searched. */
  readonly memories: AnyProjection
  /** The permission that finding memories of a kind needs: search opens nothing that is closed elsewhere. */
  readonly memoryPermissions: ReadonlyMap<string, string>
  readonly signal: CheckpointSignal
  readonly versions: Versions
  readonly pool: ReadPool
  readonly guards: Guards
  readonly allows: (principal: Principal, permission: string) => boolean
}

/** The route of the search over an org's memories. */
export function searchRoute(deps: SearchDeps): Route {
  const parameters = parametersOf([...deps.memoryPermissions.keys()])
  const kindsFor = (principal: Principal, asked: string | undefined) => {
    const kinds = [...deps.memoryPermissions].filter(([kind]) => asked === undefined || asked === kind)
    const open = kinds.filter(([, permission]) => deps.allows(principal, permission))
    if (asked === undefined || open.length > 0) return open.map(([kind]) => kind)
    const details = kinds.map(([, permission]) => ({ field: 'permission', message: permission }))
    throw new KogiError('forbidden', `You may not read what memories of the kind ${asked} are about.`, details)
  }
  return {
    method: 'GET',
    path: '/kse/memories/search',
    permission: 'memory.memories.read',
    operationId: 'searchMemories',
    summary: 'Search what the organization remembers: the words of all its things, best hits first.',
    tag: 'kse',
    parameters,
    response: z.array(hitSchema),
    errors: { ...noHistoryErrors, ...readErrors },
    async handle(request) {
      const query = queriesOf(request, parameters)
      if (query.q === undefined) throw invalidParameter('q', 'must be given')
      const limit = Number(query.limit ?? HITS_DEFAULT)
      const token = tokenOf(request, query)
      const options = {
        limit: limit + 1,
        kinds: kindsFor(request.principal, query.kind),
        type: (query.search_type ?? 'text') as SearchType,
        ...(query.after !== undefined && { after: readPlace(query.after, query) }),
      }
      await deps.versions.built([deps.memories])
      const search = () => searchReadable(deps, request, query.q!, options)
      const found = token ? await atLeast(token, deps.signal, request, search) : await search()
      const hits = found.hits.slice(0, limit)
      const next = found.hits.length > limit ? nextOf(hits.at(-1)!.place, query) : undefined
      return {
        data: hits.map(({ place: _, ...hit }) => toWire(hit)),
        pagination: { limit, has_more: next !== undefined, ...(next !== undefined && { next }) },
        headers: positioned(found.position).headers,
        meta: { ...positioned(found.position).meta, ...(found.legs && { legs: found.legs }) },
      }
    },
  }
}

/** Searches on behind hits that the caller may not read, until there are as many others as are asked for. */
export async function searchReadable(
  deps: Pick<SearchDeps, 'search' | 'pool' | 'guards'>,
  { principal, signal }: Pick<ApiRequest, 'principal' | 'signal'>,
  words: string,
  options: SearchOptions,
) {
  const { org } = principal
  const grantees = granteesOf(principal)
  const hits: MemoryHit[] = []
  // Each page ranks the whole index: behind many hits that are private, the next page is twice as long.
  for (let { after, limit } = options; ; limit = Math.max(limit, Math.min(2 * limit, PAGE_MAX))) {
    signal.throwIfAborted()
    const page = await deps.search(org, words, { ...options, limit, ...(after && { after }) })
    const things = page.hits.map(({ kind, source }) => ({ category: kind, id: source }))
    const open = await readable(deps, org, grantees, things)
    hits.push(...page.hits.filter((_, at) => open[at]))
    if (page.hits.length < limit || hits.length >= options.limit) return { ...page, hits: hits.slice(0, options.limit) }
    after = page.hits.at(-1)!.place
  }
}

const count = z.string().regex(/^[0-9]{1,9}$/)
/** What a cursor holds: tier, score and key of the last hit, and the statistics that scores are computed with. */
const PLACE = [z.enum(['0', '1']), z.string().regex(/^[0-9]{1,9}(\.[0-9]{1,6})?$/), z.string(), count, count]
const FOUND = z.string().regex(/^[0-9a-z]{0,6}(\.[0-9a-z]{0,6})*$/)

/** A cursor continues the search that made it: the same words among the same kind. */
function listOf({ q, kind: asked, search_type: type = 'text' }: Queries): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([q, asked, ...(type === 'text' ? [] : [type])]))
    .digest('base64url')
  return `memories ${digest.slice(0, 11)}`
}

function nextOf({ tier, score, key, statistics: { documents, length, found } }: Place, query: Queries): string {
  const numbers = found.map(each => (each === 0 ? '' : each.toString(36))).join('.')
  return cursorOf(listOf(query), [tier, score, key, documents, length, numbers])
}

function readPlace(after: string, query: Queries): Place {
  const [tier, score, key, documents, length, numbers] = placeOf(after, listOf(query), [...PLACE, FOUND])
  const found = numbers!.split('.').map(each => (each === '' ? 0 : Number.parseInt(each, 36)))
  return {
    tier: Number(tier),
    score: Number(score),
    key: key!,
    statistics: { documents: Number(documents), length: Number(length), found },
  }
}
