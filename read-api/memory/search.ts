import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import { toWire } from '../../domain/kernel/json.ts'
import type { Parameter, Principal, Route } from '../../domain/kernel/route.ts'
import { text } from '../../domain/kernel/schema.ts'
import type { MemoryIndex } from '../../projections/memory/index.ts'
import { memoryRow } from '../../projections/memory/memories.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { noHistoryErrors } from '../as-of.ts'
import type { CheckpointSignal } from '../checkpoint-signal.ts'
import { atLeast, positioned, readErrors, tokenOf } from '../consistency.ts'
import { inQuery, invalidParameter, queriesOf, tokenParameters, whole } from '../parameters.ts'
import type { Versions } from '../versions.ts'

/** Searches the memories of an org by words, best first; says which position its index has reached. */
export type MemorySearch = MemoryIndex['search']

const { kind, subject, source, title, body, at, position } = memoryRow.shape

const HITS_DEFAULT = 10
const HITS_MAX = 100

const hitSchema = z.strictObject({
  kind,
  subject,
  source,
  title: title.unwrap(),
  text: body,
  at,
  position,
  score: z.number().meta({ description: 'compares only within one answer' }),
})

const parametersOf = (kinds: readonly string[]): readonly Parameter[] => [
  { ...inQuery('q', text(1000), 'words to look for'), required: true },
  inQuery('kind', z.enum(kinds as [string]), 'only memories of this kind'),
  inQuery('limit', whole(1, HITS_MAX, HITS_DEFAULT), 'most hits to answer with'),
  inQuery('search_type', z.literal('text'), '`text`, the only type of search: by words'),
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
        ...(token && { minPosition: token.position }),
      }
      await deps.versions.built([deps.memories])
      const search = () => deps.search(request.principal.org, query.q!, options)
      const found = token ? await atLeast(token, deps.signal, request, search) : await search()
      return {
        data: found.hits.slice(0, limit).map(toWire),
        pagination: { limit, has_more: found.hits.length > limit },
        ...positioned(found.position),
      }
    },
  }
}
