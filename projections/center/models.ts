import type { AnyProjection } from '../rows/projection.ts'
import { projects } from './projects.ts'
import { taskTimers } from './task-timers.ts'
import { tasks } from './tasks.ts'

export const centerModels: readonly AnyProjection[] = [projects, tasks, taskTimers]
