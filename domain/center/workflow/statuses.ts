/** Which status a project or a task can have, and which may follow which. */
import { rejected } from '../../kernel/errors.ts'
import { list, object, oneOf, refined, text } from '../../kernel/schema.ts'
import { either } from '../../record/measures.ts'
import { type BuiltIn, builtIn, FREE, STAGES, type Stage, type Statuses, WORKFLOWS } from './built-in.ts'

const status = text(64)
const own = object({
  name: refined(
    text(64),
    name => !Object.hasOwn(WORKFLOWS, name) && name !== FREE,
    'is the name of a built-in workflow',
  ),
  statuses: refined(
    list(object({ name: status, stage: oneOf(...STAGES), next: list(status, 50) }), 50, 1),
    statuses => {
      const names = statuses.map(({ name }) => name)
      return new Set(names).size === names.length && statuses.every(({ next }) => next.every(to => names.includes(to)))
    },
    'must name each status once, and in `next` only statuses that there are',
  ),
})

/** As commands, events and rows have it. */
export const workflow = either(
  oneOf(FREE, ...(Object.keys(WORKFLOWS) as [BuiltIn, ...BuiltIn[]])),
  own,
  `the name of a built-in workflow, \`${FREE}\` for any words, or statuses of one's own`,
)

export type Workflow = ReturnType<(typeof workflow)['parse']>

/** The statuses of a workflow; `undefined` where any words are statuses. */
export const statusesOf = (of: Workflow | undefined): Statuses | undefined =>
  of === undefined || of === FREE ? undefined : typeof of === 'string' ? builtIn(of) : of.statuses

/** What follows a workflow; its rejection is `<what>_status_not_allowed`. */
type Follower = 'project' | 'task'

/**
 * The status of a new thing: the one that was asked for. `usual`: the one that things have where none was asked for, in
 * whose place comes the first of the workflow where that does not know it.
 */
export function firstStatus(what: Follower, of: Workflow | undefined, wanted: string, usual: string): string {
  const statuses = statusesOf(of)
  if (!statuses || statuses.some(({ name }) => name === wanted)) return wanted
  if (wanted === usual) return statuses[0]!.name
  mustBeKnown(what, of, wanted)
  return wanted
}

/** Refuses a status that may not follow another one, and names those that may. */
export function mustFollow(what: Follower, of: Workflow | undefined, from: string, to: string): void {
  const statuses = statusesOf(of)
  if (!statuses || from === to) return
  mustBeKnown(what, of, to)
  const before = statuses.find(({ name }) => name === from)
  // A thing that was in a free status before it got its workflow may take any status of that.
  if (!before || before.next.includes(to)) return
  const allowed = before.next.join(', ') || 'none'
  throw rejected(`${what}_status_not_allowed`, `After ${from} the workflow allows ${allowed}.`, { from, to, allowed })
}

/** Refuses a status that a workflow does not have. */
export function mustBeKnown(what: Follower, of: Workflow | undefined, to: string): void {
  const statuses = statusesOf(of)
  if (!statuses || statuses.some(({ name }) => name === to)) return
  const allowed = statuses.map(({ name }) => name).join(', ')
  throw rejected(`${what}_status_not_allowed`, `The workflow has the statuses ${allowed}.`, { to, allowed })
}

/** How far work of a status is; free words are known by how they begin or end. */
export function stageOf(of: Workflow | undefined, status: string): Stage {
  return statusesOf(of)?.find(({ name }) => name === status)?.stage ?? stageOfWord(status)
}

const DONE = /^(completed?|closed?|done|resolved|finished|delivered|archived)(?![a-z])/i
const WAITING = /^(open|to[ -_]?do|backlog|new|planned|draft|queued|assigned|reopened|ready)(?![a-z])/i
const CANCELLED =
  /^(cancel(l?ed)?|rejected|declined|abandoned|discarded|withdrawn|duplicate|invalid|won'?t[ _-]?(do|fix))(?![a-z])/i

function stageOfWord(status: string): Stage {
  if (DONE.test(status)) return 'done'
  if (CANCELLED.test(status)) return 'cancelled'
  return WAITING.test(status) ? 'todo' : 'doing'
}
