import { z } from 'zod'
import type { Json } from '../domain/kernel/json.ts'
import { toWire } from '../domain/kernel/json.ts'
import type { Parameter, Route } from '../domain/kernel/route.ts'
import type { CheckpointSignal } from './checkpoint-signal.ts'
import { atLeast, positioned, tokenOf } from './consistency.ts'
import { inQuery, invalidParameter, queriesOf, tokenParameters, whole } from './parameters.ts'

/** Searches the memories of an org by words, best first; says which position its index has reached. */
export type MemorySearch = (
  org: string,
  query: string,
  options: { readonly kind?: string; readonly limit: number; readonly minPosition?: bigint },
) => Promise<{ readonly position: bigint; readonly hits: readonly object[] }>

const HITS_DEFAULT = 10
const HITS_MAX = 100

const parameters: readonly Parameter[] = [
  inQuery('q', z.string().regex(/^[^\0\p{Cs}]{1,1000}$/u), 'words to look for'),
  inQuery('kind', z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/), 'only memories of this kind: entry, item, task'),
  inQuery('limit', whole(1, HITS_MAX, HITS_DEFAULT), 'most hits to answer with'),
  inQuery('search_type', z.literal('text'), '`text`, the only type of search: by words'),
  ...tokenParameters,
]

/** The route of the search over an org's memories. */
export function searchRoute(deps: { readonly memories: MemorySearch; readonly signal: CheckpointSignal }): Route {
  return {
    method: 'GET',
    path: '/kse/memories/search',
    permission: 'memory.memories.read',
    operationId: 'searchMemories',
    summary: 'Search what the organization remembers: the words of its entries, items and tasks, best hits first.',
    tag: 'kse',
    parameters,
    response: z.array(z.record(z.string(), z.json())),
    errors: { 503: ['not_yet_visible', 'projection_stalled'] },
    async handle(request) {
      const query = queriesOf(request, parameters)
      if (query.q === undefined) throw invalidParameter('q', 'must be given')
      const limit = Number(query.limit ?? HITS_DEFAULT)
      const token = tokenOf(request, query)
      const search = () =>
        deps.memories(request.principal.org, query.q!, {
          limit,
          ...(query.kind !== undefined && { kind: query.kind }),
          ...(token && { minPosition: token.position }),
        })
      const found = token ? await atLeast(token, deps.signal, request.signal, search) : await search()
      return { data: found.hits.map(toWire) as Json, ...positioned(found.position) }
    },
  }
}
