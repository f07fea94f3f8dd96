/** `POST /kse/memory/search`: the search as clients of the memory service know it, with one object of conditions. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import { type Json, toWire } from '../../domain/kernel/json.ts'
import type { ApiRequest, Route } from '../../domain/kernel/route.ts'
import { integer, object, text } from '../../domain/kernel/schema.ts'
import { IN_WORDS } from '../../domain/record/words.ts'
import { storedMemories } from '../../projections/memory/stored-memories.ts'
import { quoted, tableOf } from '../../projections/rows/tables.ts'
import { asOfErrors, wantedOf } from '../as-of.ts'
import { readErrors } from '../consistency.ts'
import { inQuery, queriesOf, tokenParameters, whole } from '../parameters.ts'
import { filterIn, filterSchema } from './filter.ts'
import {
  AFTER_MAX,
  asOfOfLegs,
  HITS_DEFAULT,
  HITS_MAX,
  hitSchema,
  profileParameter,
  SEARCH_TYPES,
  type SearchDeps,
  search,
} from './search.ts'

const TYPES = SEARCH_TYPES.filter(type => type !== 'text')
const query = text(1000)
const searchType = z.enum(TYPES)

const body = object({
  query: query.optional(),
  search_type: searchType.default('hybrid'),
  limit: integer(1, HITS_MAX).default(HITS_DEFAULT),
  filter: filterSchema.optional(),
  profile: (profileParameter.schema as z.ZodType<string>).optional().meta({ description: 'the same as the parameter' }),
  as_of: (asOfOfLegs.schema as z.ZodType<string>).optional().meta({ description: 'the same as the parameter' }),
  after: z.string().max(AFTER_MAX).optional().meta({ description: 'the `next` of the page before' }),
}).meta({
  examples: [{ query: 'when to meet', search_type: 'hybrid', limit: 5, filter: { tags: { or: ['habits'] } } }],
})

const parameters = [
  inQuery('query', query, 'what to look for, where the body does not say it'),
  inQuery('search_type', searchType, 'how to look for it'),
  inQuery('limit', whole(1, HITS_MAX, HITS_DEFAULT), 'most results to answer with'),
  asOfOfLegs,
  profileParameter,
  ...tokenParameters,
]

const result = hitSchema.extend({
  memory_id: hitSchema.shape.subject,
  memory_type: z.string().meta({ description: 'the type that it was stored as, or what kind of thing it is of' }),
  content: z.string().meta({ description: 'its text, or what it is called where it has none' }),
  metadata: z.record(z.string(), z.unknown()).optional(),
})

export const seedSearchRoute = (deps: SearchDeps): Route => ({
  method: 'POST',
  isRead: true,
  path: '/kse/memory/search',
  permission: 'memory.memories.read',
  operationId: 'searchMemory',
  summary:
    'Search what the organization remembers, narrowed by type, tags, period, actor, source, session and subject.',
  tag: 'kse',
  parameters,
  body,
  response: z.strictObject({ results: z.array(result), count: z.int() }),
  errors: { ...asOfErrors, ...readErrors },
  async handle(request) {
    const inUrl = queriesOf(request, parameters)
    const given = parsed({
      ...(request.body as object | undefined),
      ...(inUrl.query !== undefined && { query: inUrl.query }),
      ...(inUrl.search_type !== undefined && { search_type: inUrl.search_type }),
      ...(inUrl.limit !== undefined && { limit: Number(inUrl.limit) }),
    })
    if (given.query === undefined) throw invalid([{ field: 'query', message: 'is required' }])
    const { search_type: type, limit, after, as_of } = given
    const asOf = inUrl.as_of ?? as_of
    const wanted = await wantedOf(deps, request, {
      ...inUrl,
      ...(asOf !== undefined && { as_of: asOf }),
      ...(after !== undefined && { after }),
    })
    const profile = inUrl.profile ?? given.profile
    const asked = { q: given.query, type, limit, after, wanted, profile, ...filterIn(given.filter) }
    const { hits, ...answer } = await search(deps, request, asked)
    const ids = hits.filter(({ kind }) => kind === 'memory').map(({ subject }) => subject)
    const metadata = await metadataOf(deps, request, ids)
    const results = hits.map(hit => {
      const known = hit.kind === 'memory' ? metadata.get(hit.subject) : undefined
      return {
        memory_id: hit.subject,
        memory_type: hit.traits?.type ?? hit.kind,
        content: hit.text ?? hit.title,
        ...(known && { metadata: known }),
        ...hit,
      }
    })
    return { data: { results: results.map(each => toWire(each)), count: results.length }, ...answer }
  },
})

const invalid = (details: readonly { readonly field: string; readonly message: string }[]) =>
  new KogiError('invalid_body', 'The body does not have the form of this operation; see details.', details)

function parsed(given: unknown): z.output<typeof body> {
  const { success, data, error } = body.safeDecode(given as never, IN_WORDS)
  if (success) return data
  throw invalid(
    error.issues.slice(0, 10).map(({ path, message }) => ({ field: path.map(String).join('.') || 'body', message })),
  )
}

const METADATA = `select id, metadata from ${quoted(tableOf(storedMemories))} where org = $1 and id = any($2::text[])`

async function metadataOf({ pool }: SearchDeps, { principal }: ApiRequest, ids: readonly string[]) {
  if (ids.length === 0) return new Map<string, Json>()
  const { rows } = await pool.query({ text: METADATA, values: [principal.org, ids], rowMode: 'array' })
  return new Map(rows.flatMap(([id, metadata]) => (metadata === null ? [] : [[String(id), metadata as Json] as const])))
}
