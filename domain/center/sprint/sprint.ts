import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { changedFields } from '../../record/merge.ts'
import { because } from '../../record/reason.ts'
import { mention, said, THING } from '../../record/said.ts'
import { commands, events, rejections } from './messages.ts'

type Fields = {
  readonly name: string
  readonly goal: string | null
  readonly start_date: string
  readonly end_date: string
}
type There = { readonly status: 'planned' | 'active' | 'completed'; readonly fields: Fields }
export type Sprint = { readonly status: 'none' } | { readonly status: 'removed' } | There

const evolve: Evolve<Sprint, typeof events> = {
  SprintPlanned: (_, { project: __, goal = null, ...fields }) => ({ status: 'planned', fields: { goal, ...fields } }),
  SprintChanged(sprint, { reason: _, ...changes }) {
    const before = there(sprint)
    return { ...before, fields: { ...before.fields, ...changes } as Fields }
  },
  SprintStarted: sprint => ({ ...there(sprint), status: 'active' }),
  SprintCompleted: sprint => ({ ...there(sprint), status: 'completed' }),
  SprintRemoved: () => ({ status: 'removed' }),
}

const decide: Decide<Sprint, typeof commands, typeof events> = {
  plan(sprint, { id: _, ...fields }) {
    if ('fields' in sprint) throw rejected('sprint_already_planned', 'The sprint exists; choose another id.')
    mustNotBeReversed(fields)
    return [{ type: 'SprintPlanned', data: fields }]
  },
  change(sprint, { reason, ...wanted }) {
    const { status, fields } = there(sprint)
    const changes = changedFields(fields, wanted)
    if (Object.keys(changes).length === 0) return []
    if (status === 'completed') throw completed()
    mustNotBeReversed({ ...fields, ...changes })
    return [{ type: 'SprintChanged', data: { ...changes, ...because(reason) } }]
  },
  start(sprint) {
    const { status } = there(sprint)
    if (status === 'completed') throw completed()
    return status === 'active' ? [] : [{ type: 'SprintStarted', data: {} }]
  },
  complete(sprint, { reason }) {
    const { status } = there(sprint)
    if (status === 'completed') return []
    if (status === 'planned') throw rejected('sprint_not_active', 'Start the sprint before you complete it.')
    return [{ type: 'SprintCompleted', data: because(reason) }]
  },
  remove(sprint, { reason }) {
    if (sprint.status === 'removed') return []
    if (there(sprint).status !== 'planned') {
      throw rejected('sprint_not_planned', 'The sprint has begun: complete it, it stays in the history.')
    }
    return [{ type: 'SprintRemoved', data: because(reason) }]
  },
}

/** A span of days in which a team does what it has chosen: the tasks that are moved to it. */
export const sprint = aggregate({
  name: 'sprint',
  events,
  commands,
  api: {
    plan: ['POST /sprints', 'sprints.write', 'Plan a sprint.'],
    change: ['PATCH /sprints/:id', 'sprints.write', 'Change a sprint that is not completed.'],
    start: ['POST /sprints/:id/start', 'sprints.write', 'Start a sprint: what comes and goes from now on is counted.'],
    complete: ['POST /sprints/:id/complete', 'sprints.write', 'Complete a sprint: its scope stays as it is.'],
    remove: ['DELETE /sprints/:id', 'sprints.write', 'Remove a sprint that was not started.'],
  },
  rejections,
  initial: { status: 'none' } as Sprint,
  evolve,
  decide,
  stateSchema: 1,
  removedBy: ['SprintRemoved'],
  spellings: { project_id: 'project' },
  activity: {
    called: 'name',
    on: {
      SprintPlanned: ({ project }) => [
        ...said`planned the sprint ${THING}`,
        ...(project === undefined ? [] : said` of the project ${mention('project', project)}`),
      ],
      SprintChanged: said`changed the sprint ${THING}`,
      SprintStarted: said`started the sprint ${THING}`,
      SprintCompleted: said`completed the sprint ${THING}`,
      SprintRemoved: said`removed the sprint ${THING}`,
    },
  },
})

function there(sprint: Sprint): There {
  if (sprint.status === 'removed') throw rejected('sprint_removed', 'The sprint is removed; plan it again first.')
  return sprint.status === 'none' ? inStatus(sprint, 'none' as never) : sprint
}

const completed = () => rejected('sprint_completed', 'The sprint is completed; plan another one.')

function mustNotBeReversed({ start_date, end_date }: Pick<Fields, 'start_date' | 'end_date'>): void {
  if (end_date < start_date) throw rejected('sprint_dates_reversed', 'Let the sprint end after it starts.')
}
