import { z } from 'zod'
import { STAGES, WORKFLOWS } from '../../domain/center/workflow/built-in.ts'
import type { Route } from '../../domain/kernel/route.ts'
import { object, oneOf, text } from '../../domain/kernel/schema.ts'
import { noHistoryErrors } from '../as-of.ts'
import type { ReadStore } from '../consistency.ts'
import { calendarQuestion, tableQuestion } from './files.ts'
import { cycleTimesQuestion, flowQuestion, workloadQuestion } from './flow.ts'
import { forecastQuestion } from './forecast.ts'
import { operationsQuestion, tacticsQuestion } from './operations.ts'
import { analyticsQuestion, projectBudgetQuestion, riskMatrixQuestion } from './overview.ts'
import { planQuestion } from './plan.ts'
import { type Question, questionRoute } from './question.ts'
import { burndownQuestion, velocityQuestion } from './sprint.ts'

const questions = (): readonly Question[] => [
  planQuestion(),
  flowQuestion,
  cycleTimesQuestion,
  workloadQuestion,
  forecastQuestion,
  operationsQuestion,
  tacticsQuestion,
  burndownQuestion,
  velocityQuestion,
  analyticsQuestion,
  projectBudgetQuestion,
  riskMatrixQuestion,
  calendarQuestion,
  tableQuestion,
]

/** The routes of the center that are no lists of rows. */
export const centerRoutes = (deps: ReadStore): readonly Route[] => [
  ...questions().map(question => questionRoute(deps, question)),
  workflowsRoute,
]

const workflowsRoute: Route = {
  method: 'GET',
  path: '/kctr/workflows',
  operationId: 'listWorkflows',
  summary: 'The built-in workflows: their statuses, and which may come next.',
  permission: 'center.projects.read',
  tag: 'kctr',
  parameters: [],
  response: z.array(
    object({
      name: text(64),
      statuses: z.array(object({ name: text(64), stage: oneOf(...STAGES), next: z.array(text(64)) })),
    }),
  ),
  errors: noHistoryErrors,
  handle: async () => ({ data: Object.entries(WORKFLOWS).map(([name, statuses]) => ({ name, statuses })) }),
}
