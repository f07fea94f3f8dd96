import type { Route } from '../domain/kernel/route.ts'
import { type SearchDeps, searchRoute } from './memory/search.ts'
import { type Resource, type ResourceDeps, routesOf } from './resource.ts'
import { statementRoutes } from './wallet/statement.ts'

/** What the read side needs from outside; the composition root implements it. */
export type ReadDeps = ResourceDeps & SearchDeps & { readonly resources: readonly Resource[] }

/**
 * Every route of the read side. The order matters where paths overlap: the statement of an account comes before the
 * account in a currency, so no currency can be called `statement` or `end-of-day` in a path.
 */
export const readRoutes = (deps: ReadDeps): Route[] => [
  ...statementRoutes(deps),
  ...deps.resources.flatMap(resource => routesOf(resource, deps)),
  searchRoute(deps),
]
