/** The sprint's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { date, id, object, ref, text } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'

const name = text(255)
const goal = text(10_000)
const why = { reason: reason.optional() }

export const events = {
  SprintPlanned: object({
    project: id('project').optional(),
    name,
    goal: goal.optional(),
    start_date: date,
    end_date: date,
  }),
  SprintChanged: object({
    name: name.optional(),
    goal: goal.nullable().optional(),
    start_date: date.optional(),
    end_date: date.optional(),
    ...why,
  }),
  SprintStarted: object({}),
  SprintCompleted: object({ ...why }),
  SprintRemoved: object({ ...why }),
} as const

export const commands = {
  plan: object({
    id: id('sprint').optional(),
    project: ref('project').optional(),
    name,
    goal: goal.optional(),
    start_date: date,
    end_date: date,
  }).meta({
    examples: [
      {
        id: 'sprint-1',
        project: 'project-1',
        name: 'Menu',
        goal: 'The menu is at the printer.',
        start_date: '2026-11-16',
        end_date: '2026-11-27',
      },
    ],
  }),
  change: object({
    name: name.optional(),
    goal: goal.nullable().optional(),
    start_date: date.optional(),
    end_date: date.optional(),
    ...why,
  }).meta({ examples: [{ goal: 'Menu and cards are at the printer.', end_date: '2026-11-30' }] }),
  start: object({}),
  complete: object({ ...why }).meta({ examples: [{ reason: 'all is at the printer' }] }),
  remove: object({ ...why }).meta({ examples: [{ reason: 'planned twice' }] }),
} as const

export const rejections = [
  'sprint_already_planned',
  'sprint_removed',
  'sprint_dates_reversed',
  'sprint_not_planned',
  'sprint_not_active',
  'sprint_completed',
] as const
