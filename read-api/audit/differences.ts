/** `GET /kmg/differences`: what a thing was at one time and at another, and which fields differ. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, ApiResponse, Parameter, Principal, Route } from '../../domain/kernel/route.ts'
import { text } from '../../domain/kernel/schema.ts'
import { asOfErrors, asOfParameter } from '../as-of.ts'
import { readErrors } from '../consistency.ts'
import { inQuery, invalidParameter, queriesOf, requestFor, tokenParameters } from '../parameters.ts'
import type { Resource, ResourceDeps } from '../resource.ts'
import { knowsThePast } from '../scope.ts'
import { singleHandler } from '../single.ts'
import { changedFields, changesSchema } from './changes.ts'

export type DifferenceDeps = ResourceDeps & {
  readonly allows: (principal: Principal, permission: string) => boolean
}

const row = z.record(z.string(), z.unknown()).nullable()
const difference = z.strictObject({
  of: z.string(),
  before: row.meta({ description: 'as it stood at `from`; null where it was not there' }),
  after: row.meta({ description: 'as it stood at `to`; null where it was not there' }),
  changes: changesSchema,
})

const PATH = /^(?:\/api\/v1)?(\/[^?#]{1,1000})$/

const parameters: readonly Parameter[] = [
  {
    ...inQuery('of', text(1_000), 'the path that the thing is read at, as `/kwlt/wallets/w/accounts/main/EUR`'),
    required: true,
  },
  {
    ...inQuery(
      'from',
      asOfParameter.schema.meta({ examples: ['4711'] }),
      'the earlier position or time, as in `as_of`',
    ),
    required: true,
  },
  inQuery('to', asOfParameter.schema, 'the later one; now, where there is none'),
  ...tokenParameters,
]

/** The route of differences. */
export function differencesRoute(deps: DifferenceDeps): Route {
  const patterns = patternsOf(deps.resources).map(pattern => ({
    ...pattern,
    handle: singleHandler(pattern.resource, deps),
  }))
  return {
    method: 'GET',
    path: '/kmg/differences',
    operationId: 'getDifference',
    summary: 'What a thing was at one position or time and at another, and which of its fields differ.',
    permission: 'audit.log.read',
    tag: 'kmg',
    parameters,
    response: difference,
    errors: { ...asOfErrors, 404: ['not_found'], ...readErrors },
    async handle(request) {
      const { of, from, to, ...token } = queriesOf(request, parameters)
      if (of === undefined) throw invalidParameter('of', 'must be given')
      if (from === undefined) throw invalidParameter('from', 'must be given')
      const found = patterns.map(pattern => ({ ...pattern, params: paramsOf(pattern.parts, of) })).find(it => it.params)
      if (!found) throw invalidParameter('of', 'must be the path of one thing whose history is kept')
      mustAllow(deps, request, found.resource)
      const at = (asOf: string | undefined) =>
        found
          .handle(requestFor(request, asOf === undefined ? token : { ...token, as_of: asOf }, found.params))
          .catch(absent)
      const [before, after] = [await at(from), await at(to)]
      if (!before && !after) throw new KogiError('not_found', `There is nothing at ${of}, then or now.`)
      const rows = [rowOf(before), rowOf(after)] as const
      const { headers, meta } = (after ?? before)!
      return {
        data: { of, before: rows[0], after: rows[1], changes: changedFields(rows[0], rows[1]) },
        ...(meta && { meta }),
        ...(headers && { headers: { 'Kogi-Position': headers['Kogi-Position']! } }),
      }
    },
  }
}

function mustAllow({ allows }: DifferenceDeps, { principal }: ApiRequest, { permission }: Resource): void {
  if (allows(principal, permission)) return
  throw new KogiError('forbidden', 'The token does not allow to read this thing.', [
    { field: 'permission', message: permission },
  ])
}

/** The thing whose differences a request asks for: its read, and its path as that read has it. */
export function differenceOf(resources: readonly Resource[], { query }: ApiRequest) {
  for (const { resource, parts } of patternsOf(resources)) {
    const params = paramsOf(parts, String(query.of))
    if (!params) continue
    const path = parts.map(part => (part.startsWith(':') ? encodeURIComponent(params[part.slice(1)]!) : part))
    return { resource, path: path.join('/') }
  }
  return undefined
}

/** The things whose history is kept, each with the segments of its path. */
const patternsOf = (resources: readonly Resource[]) =>
  resources
    .filter(resource => resource.names.length > 0 && knowsThePast(resource))
    .map(resource => ({ resource, parts: [...resource.path.split('/'), ...resource.names.map(name => `:${name}`)] }))

/** The parameters of a path of a pattern, or none where it is another path. */
function paramsOf(parts: readonly string[], path: string): ApiRequest['params'] | undefined {
  const given = PATH.exec(path)?.[1]?.split('/')
  if (given === undefined || given.length !== parts.length) return undefined
  const params: Record<string, string> = Object.create(null)
  for (const [at, part] of parts.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = decoded(given[at]!)
    else if (part !== given[at]) return undefined
  }
  return params
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw invalidParameter('of', 'must be percent-encoded as a path is')
  }
}

const rowOf = (answer: ApiResponse | undefined) => (answer?.data ?? null) as Readonly<Record<string, unknown>> | null

/** A thing that was not there then. */
function absent(error: unknown): ApiResponse | undefined {
  if (error instanceof KogiError && error.code === 'not_found') return undefined
  throw error
}
