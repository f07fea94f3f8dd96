import type { Aggregate, EventOf, Vocabulary } from '../../kernel/aggregate.ts'
import { type RecordState, record } from '../../record/record.ts'
import { FREE, type ProjectType, taskWorkflowOf } from '../workflow/built-in.ts'
import { firstStatus, mustBeKnown, mustFollow, type Workflow } from '../workflow/statuses.ts'
import { messages } from './messages.ts'

type Values = {
  readonly status: string
  readonly type?: ProjectType | null | undefined
  readonly workflow?: Workflow | null | undefined
  readonly task_workflow?: Workflow | null | undefined
}
type Facts = readonly EventOf<Vocabulary>[]

const rules = record(messages)

/**
 * Work with an aim and an end. Its status follows its workflow, which it copies from its template or has by its type: a
 * later change of the template does not change it. A project of neither is in the workflow `free`.
 */
export const project: Aggregate<RecordState, typeof messages.commands, Vocabulary> = {
  ...rules,
  rejections: [...messages.rejections, 'project_status_not_allowed'],
  sees: {
    add: ({ template }) => (template === undefined ? undefined : { category: 'projecttemplate', id: String(template) }),
  },
  decide: {
    ...rules.decide,
    add(state, values, context) {
      const { type, workflow, task_workflow, status } = values as Values
      const template = valuesOf(context.seen)
      const chosen = {
        workflow: workflow ?? template?.workflow ?? type ?? FREE,
        task_workflow: task_workflow ?? template?.task_workflow ?? (type ? taskWorkflowOf(type) : FREE),
      }
      const first = firstStatus('project', chosen.workflow, status, 'planned')
      return rules.decide.add!(state, { ...values, ...chosen, status: first }, context)
    },
    replace(state, values, context) {
      const { workflow, task_workflow } = valuesOf(state) ?? {}
      return followed(state, rules.decide.replace!(state, { workflow, task_workflow, ...values }, context))
    },
    change: (state, values, context) => followed(state, rules.decide.change!(state, values, context)),
  },
}

const valuesOf = (state: unknown): Values | undefined =>
  (state as RecordState | undefined)?.status === 'present'
    ? ((state as RecordState & { fields: object }).fields as Values)
    : undefined

/** The facts of a change, if its status may follow the one before, and another workflow knows it. */
function followed(state: RecordState, facts: Facts): Facts {
  const before = valuesOf(state)
  const changes = facts[0]?.data as Partial<Values> | undefined
  if (!before || (changes?.status === undefined && changes?.workflow === undefined)) return facts
  const workflow = (changes.workflow === undefined ? before.workflow : changes.workflow) ?? undefined
  const status = changes.status ?? before.status
  if (changes.workflow !== undefined) mustBeKnown('project', workflow, status)
  mustFollow('project', workflow, before.status, status)
  return facts
}
