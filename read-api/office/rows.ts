/** All rows of a list as a caller may read them, page by page: what the answers of the office are made of. */
import type { ApiRequest } from '../../domain/kernel/route.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { filtersOf } from '../filters.ts'
import { listHandler } from '../list.ts'
import { invalidParameter, LIMIT_MAX, requestFor } from '../parameters.ts'
import type { ResourceDeps } from '../resource.ts'

/** A row as a list answers with it. */
export type Row = Readonly<Record<string, unknown>> & { readonly id: string }

type Found = { readonly rows: readonly Row[]; readonly headers: Readonly<Record<string, string>> }
type Query = ApiRequest['query']

/** Reads the rows that a query asks for. Throws `invalid_parameter` where there are more than `max`. */
export type ReadRows = (request: ApiRequest, query: Query, max: number) => Promise<Found>

/** What of the query of a request every page is asked with. */
const SHARED = ['as_of', 'at_least', 'wait']

export function rowsOf(deps: ResourceDeps, model: AnyProjection): ReadRows {
  let made: ReturnType<typeof listHandler> | undefined
  const list = () => {
    if (made) return made
    const resource = deps.resources.find(({ projection }) => projection === model)!
    made = listHandler(resource, filtersOf(model, [...resource.filters, ...resource.walked]), deps)
    return made
  }
  return async (request, query, max) => {
    const shared = Object.fromEntries(
      SHARED.flatMap(name => (request.query[name] ? [[name, request.query[name]]] : [])),
    )
    const rows: Row[] = []
    let after: string | undefined
    for (;;) {
      const page = { ...shared, ...query, limit: String(LIMIT_MAX), ...(after !== undefined && { after }) }
      const { data, pagination, headers = {} } = await list()(requestFor(request, page))
      for (const row of data as readonly Row[]) rows.push(row)
      if (rows.length > max) throw invalidParameter('from', `must ask for less: there is more than ${max} of it`)
      after = pagination?.next
      if (after === undefined) {
        const { ETag: _, ...rest } = headers as Record<string, string>
        return { rows, headers: rest }
      }
    }
  }
}
