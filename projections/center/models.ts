import type { AnyProjection } from '../rows/projection.ts'
import { centers } from './centers.ts'
import { projects } from './projects.ts'
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
  sprints,
  tasks,
  taskTimers,
  taskComments,
  timeEntries,
  taskDependencies,
]
