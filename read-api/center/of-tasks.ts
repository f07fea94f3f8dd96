/** Which tasks a question is about: parameters, and the SQL of their condition. */
import type { Parameter } from '../../domain/kernel/route.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { inQuery } from '../parameters.ts'
import type { Asked } from './question.ts'

const COLUMNS = ['project', 'team', 'assignee', 'sprint'] as const
const { shape } = tasks.row

export const ofTasks: readonly Parameter[] = COLUMNS.map(name =>
  inQuery(name, shape[name].unwrap(), `only tasks of this ${name}`),
)

/** SQL of the condition on rows of an alias; `true` where none is asked for. */
export const isAsked = ({ query, put }: Pick<Asked, 'query' | 'put'>, alias: string): string =>
  COLUMNS.filter(name => query[name] !== undefined)
    .map(name => `${alias}."${name}" = ${put(query[name])}`)
    .join(' and ') || 'true'
