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
import { searchProfiles } from '../../projections/memory/search-profiles.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../as-of.ts'
import { atLeast, beyondHead, positioned, type ReadStore, readErrors, type Wanted } from '../consistency.ts'
import { cursorOf, placeOf } from '../cursor.ts'
import { inQuery, invalidParameter, queriesOf, tokenParameters, whole } from '../parameters.ts'
import { granteesOf, readable } from '../readers.ts'
import { filterOf, filterParameters } from './filter.ts'
import { type Profile, profileOf } from './profiles.ts'

/** Searches the memories of an org by words, best first; says which position its index has reached. */
export type MemorySearch = MemoryIndex['search']

const { kind, subject, source, title, body, at, position, actor, traits } = memoryRow.shape

export const HITS_DEFAULT = 10
export const HITS_MAX = 100
/** Most hits of one page behind others that are private. */
const PAGE_MAX = 2_000
/** A cursor has a number for each word of its query, which has up to 1000 characters. */
export const AFTER_MAX = 12_000

/** How memories are searched; `text` where nothing is said. */
export const SEARCH_TYPES = ['text', 'hybrid', ...LEGS] as const satisfies readonly SearchType[]

const legScore = z.strictObject({
  raw: z.number().meta({ description: "in the leg's own terms" }),
  normalised: z.number().meta({ description: 'in parts of the best raw score of the leg' }),
  part: z.number().meta({ description: 'the normalised score times the weight of the leg' }),
})

export const hitSchema = z.strictObject({
  kind,
  subject,
  source,
  title: title.unwrap().meta({ description: 'what it is called; of a memory that was stored as such, its type' }),
  text: body,
  at,
  position,
  actor: actor.meta({ description: 'who did it last' }),
  traits: traits.meta({ description: 'there where it was stored as a memory' }),
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

/** `as_of` where legs search. */
export const asOfOfLegs: Parameter = {
  ...asOfParameter,
  description: `for searches by legs: ${asOfParameter.description}. What was forgotten since is in no answer`,
}

export const profileParameter = inQuery(
  'profile',
  searchProfiles.row.shape.id,
  'for searches by legs: the search profile whose weights and dimensions count; `default`, where there is one',
)

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
  ...filterParameters,
  asOfOfLegs,
  profileParameter,
  ...tokenParameters,
]

export type SearchDeps = ReadStore & {
  readonly search: MemorySearch
  /** In how many places each leg of the index of an org has a memory. */
  readonly holds: MemoryIndex['holds']
  /** The read model that is searched. */
  readonly memories: AnyProjection
  /** The permission that finding memories of a kind needs: search opens nothing that is closed elsewhere. */
  readonly memoryPermissions: ReadonlyMap<string, string>
  readonly allows: (principal: Principal, permission: string) => boolean
}

/** The route of the search over an org's memories. */
export function searchRoute(deps: SearchDeps): Route {
  const parameters = parametersOf([...deps.memoryPermissions.keys()])
  return {
    method: 'GET',
    path: '/kse/memories/search',
    permission: 'memory.memories.read',
    operationId: 'searchMemories',
    summary: 'Search what the organization remembers: the words of all its things, best hits first.',
    tag: 'kse',
    parameters,
    response: z.array(hitSchema),
    errors: { ...asOfErrors, ...readErrors },
    async handle(request) {
      const query = queriesOf(request, parameters)
      if (query.q === undefined) throw invalidParameter('q', 'must be given')
      const { q, kind, limit, search_type: type = 'text', after, profile } = query
      const filter = filterOf(query)
      if (type === 'text' && (filter || query.as_of !== undefined || profile !== undefined)) {
        throw invalidParameter('search_type', 'must be one of the legs, for conditions, as_of and profiles')
      }
      const asked = {
        q,
        type: type as SearchType,
        kinds: kind === undefined ? undefined : [kind],
        filter,
        after,
        profile,
      }
      const wanted = await wantedOf(deps, request, query)
      const { hits, ...answer } = await search(deps, request, {
        ...asked,
        limit: Number(limit ?? HITS_DEFAULT),
        wanted,
      })
      return { data: hits.map(hit => toWire(hit)), ...answer }
    },
  }
}

/** A search as it was asked for, over whichever route it came. */
type Asked = {
  readonly q: string
  readonly type: SearchType
  readonly kinds: readonly string[] | undefined
  readonly filter: SearchOptions['filter'] | undefined
  readonly limit: number
  readonly after: string | undefined
  readonly wanted: Wanted
  /** The name of a search profile, and what that says. */
  readonly profile?: string | undefined
  readonly own?: Profile | undefined
}

/** A page of hits that the caller may read, with the answer around it. */
export async function search(deps: SearchDeps, request: ApiRequest, named: Asked) {
  const { type, wanted, profile } = named
  const own = type === 'text' ? undefined : await profileOf(deps, request, profile, wanted)
  const asked = { ...named, own }
  const { q, kinds, filter, limit, after } = asked
  const { token, asOf } = wanted
  const options = {
    limit: limit + 1,
    kinds: kindsFor(deps, request.principal, kinds),
    type,
    ...(filter && { filter }),
    ...(after !== undefined && { after: readPlace(after, asked) }),
    ...(asOf && { asOf: asOf.position }),
    ...own?.options,
  }
  await deps.versions.built([deps.memories])
  const ask = () => searchReadable(deps, request, q, options)
  const found = token ? await atLeast(token, deps.signal, request, ask) : await ask()
  if (asOf && asOf.position > found.position) throw beyondHead(asOf.position, found.position)
  const hits = found.hits.slice(0, limit)
  const next = found.hits.length > limit ? nextOf(hits.at(-1)!.place, asked) : undefined
  return {
    hits: hits.map(({ place: _, ...hit }) => hit),
    pagination: { limit, has_more: next !== undefined, ...(next !== undefined && { next }) },
    headers: positioned(found.position).headers,
    meta: {
      ...positioned(found.position, asOf).meta,
      ...(found.legs && { legs: found.legs, profile: own?.id ?? null, dimensions: found.dimensions ?? [] }),
    },
  }
}

/** The kinds of memories that a caller may read, of those that are asked for. */
function kindsFor(deps: SearchDeps, principal: Principal, asked: readonly string[] | undefined): readonly string[] {
  const kinds = [...deps.memoryPermissions].filter(([kind]) => asked === undefined || asked.includes(kind))
  const open = kinds.filter(([, permission]) => deps.allows(principal, permission))
  if (asked === undefined || open.length > 0) return open.map(([kind]) => kind)
  const details = kinds.map(([, permission]) => ({ field: 'permission', message: permission }))
  throw new KogiError('forbidden', `You may not read what memories of the kind ${asked.join(', ')} are about.`, details)
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
    if (page.hits.length < limit || hits.length >= options.limit) {
      return { ...page, hits: await withOpenPaths(deps, org, { grantees, options }, hits.slice(0, options.limit)) }
    }
    after = page.hits.at(-1)!.place
  }
}

type Searched = { readonly grantees: ReturnType<typeof granteesOf>; readonly options: SearchOptions }

/** Hits without the ways that lead through a memory which the caller may not read. */
async function withOpenPaths(
  deps: Pick<SearchDeps, 'pool' | 'guards'>,
  org: string,
  { grantees, options }: Searched,
  hits: readonly MemoryHit[],
): Promise<MemoryHit[]> {
  // From an entity, through a memory, to an entity; a way of one is what the hit names itself.
  const through = hits.flatMap(({ path }) => (path?.length === 3 ? [path[1]!] : []))
  if (through.length === 0) return [...hits]
  const keys = [...new Set(through)]
  const things = keys.map(key => ({ category: key.slice(0, key.indexOf('/')), id: sourceOf(key) }))
  const open = await readable(deps, org, grantees, things)
  const isOpen = ({ category }: { readonly category: string }) => options.kinds?.includes(category) ?? true
  const closed = new Set(keys.filter((_, at) => !open[at] || !isOpen(things[at]!)))
  return hits.map(hit => (hit.path?.length === 3 && closed.has(hit.path[1]!) ? { ...hit, path: [] } : hit))
}

/** The thing whose history holds a memory, by its key: kind, thing, and what part of it, behind a line feed. */
const sourceOf = (key: string): string => key.slice(key.indexOf('/') + 1).split('\n')[0]!

const count = z.string().regex(/^[0-9]{1,9}$/)
/** What a cursor holds: tier, score and key of the last hit, and the statistics that scores are computed with. */
const PLACE = [z.enum(['0', '1']), z.string().regex(/^[0-9]{1,9}(\.[0-9]{1,6})?$/), z.string(), count, count]
const FOUND = z.string().regex(/^[0-9a-z]{0,6}(\.[0-9a-z]{0,6})*$/)

/** A cursor continues the search that made it: the same words among the same memories. */
function listOf({ q, kinds, type, filter, own }: Asked): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([q, kinds, type, filter, own?.options]))
    .digest('base64url')
  return `memories ${digest.slice(0, 11)}`
}

function nextOf({ tier, score, key, statistics: { documents, length, found } }: Place, asked: Asked): string {
  const numbers = found.map(each => (each === 0 ? '' : each.toString(36))).join('.')
  return cursorOf(listOf(asked), [tier, score, key, documents, length, numbers], asked.wanted.asOf)
}

function readPlace(after: string, asked: Asked): Place {
  const [tier, score, key, documents, length, numbers] = placeOf(
    after,
    listOf(asked),
    [...PLACE, FOUND],
    asked.wanted.asOf,
  )
  const found = numbers!.split('.').map(each => (each === '' ? 0 : Number.parseInt(each, 36)))
  return {
    tier: Number(tier),
    score: Number(score),
    key: key!,
    statistics: { documents: Number(documents), length: Number(length), found },
  }
}
