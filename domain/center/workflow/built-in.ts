/** The workflows that come with the system. Their names and statuses are stored: add, never rename or take away. */

/**
 * How far work of a status is: what counts in boards, burn-downs and forecasts. What is cancelled is left no more, but
 * it was not done: it counts in no progress, velocity or throughput.
 */
export const STAGES = ['todo', 'doing', 'done', 'cancelled'] as const
export type Stage = (typeof STAGES)[number]

/** The stages of work that is left. */
export const LEFT: readonly Stage[] = ['todo', 'doing']

/** The statuses of things of a kind; the first one is that of a new thing. */
export type Statuses = readonly {
  readonly name: string
  readonly stage: Stage
  /** Statuses that may come next. */
  readonly next: readonly string[]
}[]

/** The workflow in which any words are statuses, and any may follow any. */
export const FREE = 'free'

/** Types of projects, each with the phases that its work goes through. */
const PHASES = {
  organizational: ['active', 'review'],
  creative: ['concept', 'production', 'review'],
  technical: ['design', 'implementation', 'testing'],
  abstract: ['exploration', 'synthesis'],
  event: ['preparation', 'announced', 'running'],
  marketing: ['preparation', 'running', 'evaluation'],
  financial: ['analysis', 'approval', 'execution'],
  research: ['study', 'analysis', 'writing', 'review'],
  ai: ['data', 'training', 'evaluation', 'deployment'],
  security: ['assessment', 'mitigation', 'verification'],
  grc: ['assessment', 'remediation', 'audit'],
  software: ['design', 'development', 'testing', 'release'],
  media: ['preproduction', 'production', 'postproduction', 'publication'],
  content: ['outline', 'drafting', 'editing', 'publication'],
} as const

/** The types of projects; those of no other type are `custom`. */
export const PROJECT_TYPES = ['custom', ...(Object.keys(PHASES) as (keyof typeof PHASES)[])] as const
export type ProjectType = (typeof PROJECT_TYPES)[number]

/**
 * A project is planned, is active or in a phase of its type, rests on hold, and is completed or cancelled in the end.
 * From a phase it goes on to the next one or back to the one before.
 */
function phased(phases: readonly string[]): Statuses {
  const last = phases.length - 1
  return [
    { name: 'planned', stage: 'todo', next: ['active', phases[0]!, 'cancelled'].filter(isFirst) },
    ...['active', ...phases].filter(isFirst).map(name => ({
      name,
      stage: 'doing' as const,
      next: [
        ...(name === 'active' ? phases.filter(phase => phase !== name) : neighbours(phases, name)),
        'on_hold',
        ...(name === 'active' || phases.indexOf(name) === last ? ['completed'] : []),
        'cancelled',
      ].filter(isFirst),
    })),
    { name: 'on_hold', stage: 'doing', next: ['active', ...phases, 'cancelled'].filter(isFirst) },
    { name: 'completed', stage: 'done', next: ['active', 'archived'] },
    { name: 'cancelled', stage: 'cancelled', next: ['planned', 'archived'] },
    { name: 'archived', stage: 'done', next: [] },
  ]
}

const neighbours = (phases: readonly string[], name: string) => {
  const at = phases.indexOf(name)
  return [phases[at - 1], phases[at + 1], 'active'].filter(phase => phase !== undefined)
}
const isFirst = (name: string, at: number, all: readonly string[]) => all.indexOf(name) === at

/** Tasks: to do, in progress, perhaps looked through, done; blocked or cancelled in between. */
function ofTasks(checks: readonly string[]): Statuses {
  const steps = ['open', 'in_progress', ...checks, 'completed']
  const middle = steps.slice(1, -1)
  return [
    { name: 'open', stage: 'todo', next: ['in_progress', 'blocked', 'completed', 'cancelled'] },
    ...middle.map((name, at) => ({
      name,
      stage: 'doing' as const,
      next: [steps[at]!, steps[at + 2]!, 'blocked', 'completed', 'cancelled'].filter(isFirst),
    })),
    { name: 'blocked', stage: 'doing', next: ['open', ...middle, 'cancelled'] },
    { name: 'completed', stage: 'done', next: ['open', ...middle] },
    { name: 'cancelled', stage: 'cancelled', next: ['open'] },
  ]
}

/** The built-in workflows, by name: one for each type of project, and those of tasks. */
export const WORKFLOWS = {
  ...(Object.fromEntries(Object.entries(PHASES).map(([type, phases]) => [type, phased(phases)])) as {
    readonly [T in keyof typeof PHASES]: Statuses
  }),
  custom: phased(['active']),
  task: ofTasks(['review']),
  development: ofTasks(['review', 'testing']),
} satisfies Readonly<Record<string, Statuses>>

export type BuiltIn = keyof typeof WORKFLOWS | typeof FREE

export const builtIn = (name: keyof typeof WORKFLOWS): Statuses => WORKFLOWS[name]

/** The workflow of the tasks of a project of a type. */
export const taskWorkflowOf = (type: ProjectType): BuiltIn =>
  type === 'software' || type === 'technical' || type === 'ai' ? 'development' : 'task'
