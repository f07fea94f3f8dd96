import type { AnyProjection } from '../rows/projection.ts'
import { backlogItems, backlogs } from './backlogs.ts'
import { centers } from './centers.ts'
import { keyResults } from './keyresults.ts'
import { measurements } from './measurements.ts'
import { metrics } from './metrics.ts'
import { objectives } from './objectives.ts'
import { pages } from './pages.ts'
import { strategicPlans } from './plans.ts'
import { projects } from './projects.ts'
import { resources } from './resources.ts'
import { risks } from './risks.ts'
import { sprints } from './sprints.ts'
import { taskDependencies } from './task-dependencies.ts'
import { taskComments, timeEntries } from './task-parts.ts'
import { taskTimers } from './task-timers.ts'
import { tasks } from './tasks.ts'
import { projectTemplates } from './templates.ts'

export const centerModels: readonly AnyProjection[] = [
  centers,
  projectTemplates,
  projects,
  resources,
  sprints,
  tasks,
  taskTimers,
  taskComments,
  timeEntries,
  taskDependencies,
  backlogs,
  backlogItems,
  risks,
  metrics,
  measurements,
  strategicPlans,
  objectives,
  keyResults,
  pages,
]
