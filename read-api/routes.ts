/** The routes of the read side: of each resource its list, its summary and the single thing where it has a name. */
import { z } from 'zod'
import type { Route } from '../domain/kernel/route.ts'
import { isProvable } from '../projections/rows/proved.ts'
import { asOfErrors, noHistoryErrors } from './as-of.ts'
import { causesRoute } from './audit/causes.ts'
import { changesField } from './audit/changes.ts'
import { csvOf } from './audit/csv.ts'
import { differencesRoute } from './audit/differences.ts'
import { disclosureRoute, exportContentRoute } from './audit/export-content.ts'
import { type OperationDeps, operationsRoute } from './audit/operations.ts'
import type { PersonDeps } from './audit/person.ts'
import { personRoutes } from './audit/person-routes.ts'
import { type ProofDeps, proofRoutes } from './audit/proofs.ts'
import { type RefusalDeps, refusalsRoute } from './audit/refusals.ts'
import { proofErrors } from './audit/row-proof.ts'
import { type NoteRead, noting, type SensitiveReadDeps, sensitiveReadsRoute } from './audit/sensitive-reads.ts'
import { bookRoutes } from './briefcase/books.ts'
import { catalogRoute } from './briefcase/catalog.ts'
import { dashboardRoutes } from './briefcase/dashboard.ts'
import { type FileDeps, fileContentRoute } from './briefcase/file-content.ts'
import { valueRoute } from './briefcase/value.ts'
import { questionRoute } from './center/question.ts'
import { centerRoutes } from './center/routes.ts'
import { complianceRoutes } from './compliance/routes.ts'
import { readErrors } from './consistency.ts'
import { matchesQuestion } from './exchange/matches.ts'
import { filtersOf } from './filters.ts'
import { type ActivityDeps, activityRoute } from './hub/activity.ts'
import { notificationRoutes } from './hub/notifications.ts'
import { listHandler, listParameters } from './list.ts'
import { type InsightDeps, insightsRoute } from './memory/insights.ts'
import { receiptRoute } from './memory/receipt.ts'
import { type SearchDeps, searchRoute } from './memory/search.ts'
import { seedSearchRoute } from './memory/seed-search.ts'
import { benefitRoute } from './office/benefits.ts'
import { calendarRoutes } from './office/calendars.ts'
import { contactRoutes } from './office/contacts.ts'
import type { Resource, ResourceDeps } from './resource.ts'
import { conditionErrors, conditions, isOfOneThing } from './revision.ts'
import { roomExportQuestion } from './rooms/export.ts'
import { outsideSchemaOf } from './rows.ts'
import { knowsThePast, pathParameters } from './scope.ts'
import { singleHandler, singleParameters } from './single.ts'
import { summaryHandler, summaryParameters, summaryRow } from './summary.ts'
import { versionsRoutes } from './thing-versions.ts'
import { booksRoute } from './wallet/books/route.ts'
import { budgetRoute } from './wallet/budget.ts'
import { exchangeRoute } from './wallet/exchange.ts'
import { netWorthRoute } from './wallet/net-worth.ts'
import { cashFlowRoutes } from './wallet/reports/cash-flow.ts'
import { reportRoutes } from './wallet/reports/routes.ts'
import { statementRoutes } from './wallet/statement.ts'
import { unclearedRoute } from './wallet/uncleared.ts'
import { valuationRoute } from './wallet/valuation.ts'

/** What the read side needs from outside; the composition root implements it. */
export type ReadDeps = ResourceDeps &
  SearchDeps &
  InsightDeps &
  ActivityDeps &
  ProofDeps &
  FileDeps &
  RefusalDeps &
  SensitiveReadDeps &
  PersonDeps &
  OperationDeps & { readonly noteRead: NoteRead }

/**
 * Every route of the read side. A fixed segment of a path wins over a parameter, and such routes stand first: commands
 * refuse the names `statement`, `end-of-day` and `summary`, and a test looks for more of them.
 */
export const readRoutes = (deps: ReadDeps): Route[] => noting(allRoutes(deps), deps.resources, deps.noteRead)

const allRoutes = (deps: ReadDeps): Route[] => [
  searchRoute(deps),
  seedSearchRoute(deps),
  receiptRoute(deps),
  ...statementRoutes(deps),
  booksRoute(deps),
  exchangeRoute(deps),
  ...reportRoutes(deps),
  ...cashFlowRoutes(deps),
  netWorthRoute(deps),
  valuationRoute(deps),
  budgetRoute(deps),
  ...bookRoutes(deps),
  catalogRoute(deps),
  ...dashboardRoutes(deps),
  fileContentRoute(deps),
  valueRoute(deps),
  ...centerRoutes(deps),
  questionRoute(deps, matchesQuestion),
  ...versionsRoutes(deps),
  ...contactRoutes(deps),
  ...calendarRoutes(deps),
  benefitRoute(deps),
  questionRoute(deps, roomExportQuestion),
  unclearedRoute(deps),
  ...deps.resources.flatMap(resource => routesOf(resource, deps)),
  ...proofRoutes(deps),
  exportContentRoute(deps),
  disclosureRoute(deps),
  ...withCsv(refusalsRoute(deps)),
  ...withCsv(causesRoute(deps)),
  differencesRoute(deps),
  ...withCsv(sensitiveReadsRoute(deps)),
  ...withCsv(operationsRoute(deps)),
  ...personRoutes(deps),
  ...complianceRoutes(deps),
  activityRoute(deps),
  ...notificationRoutes(deps),
  insightsRoute(deps),
]

/** A list of the manager, and the same as a file. */
const withCsv = (list: Route): Route[] => [list, csvOf(list)]

/** The routes of a resource. The summary stands before the single thing: no thing is read under the name `summary`. */
function routesOf(resource: Resource, deps: ResourceDeps): Route[] {
  const { ids, path, names, projection, permission, tag, summary, many } = resource
  const row = resource.isOfEvents ? outsideSchemaOf(projection).extend(changesField) : outsideSchemaOf(projection)
  const filters = filtersOf(projection, [...resource.filters, ...resource.walked])
  const errors = { ...(knowsThePast(resource) ? asOfErrors : noHistoryErrors), ...readErrors }
  const shared = { method: 'GET', permission, tag, errors: { ...errors, 404: ['not_found'] } } as const
  const isConditional = isOfOneThing(resource)
  const withConditions = { ...shared, errors: { ...shared.errors, ...conditionErrors } }
  const list: Route = {
    ...(isConditional ? withConditions : shared),
    path,
    operationId: `list${ids.many}`,
    summary: summary.list,
    parameters: [
      ...pathParameters(resource, []),
      ...listParameters(resource, filters),
      ...(isConditional ? conditions : []),
    ],
    response: z.array(row),
    handle: listHandler(resource, filters, deps),
  }
  const groups: Route = {
    ...shared,
    path: `${path}/summary`,
    operationId: `summarize${ids.many}`,
    summary: `Counts the ${many} by groups and adds up their numbers.`,
    parameters: [...pathParameters(resource, []), ...summaryParameters(resource, filters)],
    response: z.array(summaryRow),
    handle: summaryHandler(resource, filters, deps),
  }
  if (names.length === 0) return [...(tag === 'kmg' ? withCsv(list) : [list]), groups]
  const single: Route = {
    ...withConditions,
    ...(isProvable(projection, resource) && {
      errors: { ...withConditions.errors, 404: ['not_found', ...proofErrors[404]] },
    }),
    path: `${path}${names.map(name => `/:${name}`).join('')}`,
    operationId: `get${ids.one}`,
    summary: summary.get ?? '',
    parameters: [...pathParameters(resource, names), ...singleParameters(resource), ...conditions],
    response: row,
    handle: singleHandler(resource, deps),
  }
  return [list, groups, single]
}
