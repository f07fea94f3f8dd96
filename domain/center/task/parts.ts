/** Parts of a task: its checklist, comments, and the time that was worked. */
import type { Decide, Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, membersOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { isSame } from '../../record/merge.ts'
import { type commands, type events, PARTS_MAX } from './messages.ts'
import { mustBePresent, type Present, presentOf, type Task, type TimeEntry } from './state.ts'

type PartEvents =
  | 'TaskChecklistSet'
  | 'TaskCommented'
  | 'TaskCommentChanged'
  | 'TaskCommentRemoved'
  | 'TimeLogged'
  | 'TimeCorrected'
  | 'TimeRemoved'
  | 'TimePostingRequested'
  | 'TimePosted'
  | 'TimePostingRefused'
type PartCommands =
  | 'setChecklist'
  | 'tick'
  | 'comment'
  | 'changeComment'
  | 'removeComment'
  | 'logTime'
  | 'correctTime'
  | 'removeTime'
  | 'postTime'
  | 'recordPosting'
  | 'refusePosting'
  | 'askPostingAgain'

export const evolveParts: Pick<Evolve<Task, typeof events>, PartEvents> = {
  TaskChecklistSet: (task, { items }) => ({ ...presentOf(task), checklist: items }),
  TaskCommented: (task, { comment, author }) => withPart(task, { comments: [comment, author] }),
  TaskCommentChanged: task => task,
  TaskCommentRemoved(task, { comment }) {
    const present = presentOf(task)
    return { ...present, comments: withoutMember(present.comments, comment), parts: present.parts - 1 }
  },
  TimeLogged: (task, { entry, ...time }) => withPart(task, { times: [entry, timeOf(time)] }),
  TimeCorrected(task, { entry, minutesBefore: _, ...time }) {
    const before = memberOf(presentOf(task).times, entry)!
    return withTime(presentOf(task), entry, { ...timeOf({ ...time, user: before.user }), posting: before.posting })
  },
  TimeRemoved(task, { entry }) {
    const present = presentOf(task)
    return { ...present, times: withoutMember(present.times, entry), parts: present.parts - 1 }
  },
  TimePostingRequested: (task, { entry }) => postingOf(task, entry, 'asked'),
  TimePosted: (task, { entry }) => postingOf(task, entry, 'posted'),
  TimePostingRefused: (task, { entry }) => postingOf(task, entry, 'none'),
}

export const decideParts: Pick<Decide<Task, typeof commands, typeof events>, PartCommands> = {
  setChecklist(task, { items }, { newId }) {
    const { checklist } = mustBePresent(task)
    const named = items.map((each, n) => ({ ...each, item: each.item ?? newId(n) }))
    if (new Set(named.map(({ item }) => item)).size < named.length) {
      throw rejected('task_checklist_item_unknown', 'Name each item of the checklist once.')
    }
    return isSame(checklist, named) ? [] : [{ type: 'TaskChecklistSet', data: { items: named } }]
  },
  tick(task, { item, done }) {
    const { checklist } = mustBePresent(task)
    const found = checklist.find(each => each.item === item)
    if (!found) throw rejected('task_checklist_item_unknown', 'The checklist has no such item.', { item })
    if (found.done === done) return []
    const items = checklist.map(each => (each === found ? { ...each, done } : each))
    return [{ type: 'TaskChecklistSet', data: { items } }]
  },
  comment(task, { text }, { actor, newId }) {
    mustHaveRoom(mustBePresent(task))
    return [{ type: 'TaskCommented', data: { comment: newId(0), author: actor, text } }]
  },
  changeComment(task, { comment, text }, { actor }) {
    mustBeAuthor(mustBePresent(task), comment, actor)
    return [{ type: 'TaskCommentChanged', data: { comment, text } }]
  },
  removeComment(task, { comment }, { actor }) {
    mustBeAuthor(mustBePresent(task), comment, actor)
    return [{ type: 'TaskCommentRemoved', data: { comment } }]
  },
  logTime(task, { user, worked_on: workedOn, ...time }, { actor, newId }) {
    mustHaveRoom(mustBePresent(task))
    return [{ type: 'TimeLogged', data: { entry: newId(0), user: user ?? actor, workedOn, ...time } }]
  },
  correctTime(task, { entry, worked_on: workedOn, ...time }) {
    const before = openTime(mustBePresent(task), entry)
    const corrected = timeOf({ ...time, workedOn, user: before.user })
    if (isSame(comparable(corrected), comparable(before))) return []
    return [{ type: 'TimeCorrected', data: { entry, workedOn, ...time, minutesBefore: before.minutes } }]
  },
  removeTime(task, { entry }) {
    const { minutes } = openTime(mustBePresent(task), entry)
    return [{ type: 'TimeRemoved', data: { entry, minutes } }]
  },
  postTime(task, { entry, counterparty = 'external:work', ...to }, { id }) {
    const present = mustBePresent(task)
    const { rate, currency, minutes, user } = openTime(present, entry)
    if (rate === null || currency === null) {
      throw rejected('time_entry_without_rate', 'Give the time entry a rate and a currency first.', { entry })
    }
    const amount = amountOf(rate, minutes)
    const description = `${minutes} minutes of ${user} for the task ${id}`
    const { project } = present.details
    const said = { amount, currency, description, ...(project !== null && { project }) }
    return [{ type: 'TimePostingRequested', data: { entry, counterparty, ...to, ...said } }]
  },
  recordPosting: (task, { entry }) => (isAsked(task, entry) ? [{ type: 'TimePosted', data: { entry } }] : []),
  refusePosting: (task, refusal) =>
    isAsked(task, refusal.entry) ? [{ type: 'TimePostingRefused', data: refusal }] : [],
  askPostingAgain: (task, data) => (isAsked(task, data.entry) ? [{ type: 'TimePostingRequested', data }] : []),
}

/** What so many minutes cost at a rate for an hour, in minor units, rounded to the nearest; at least one. */
export function amountOf(rate: bigint, minutes: number): bigint {
  const rounded = (rate * BigInt(minutes) * 2n + 60n) / 120n
  return rounded > 0n ? rounded : 1n
}

type Time = {
  readonly minutes: number
  readonly user: string
  readonly workedOn: string
  readonly note?: string | undefined
  readonly rate?: bigint | undefined
  readonly currency?: string | undefined
}

const timeOf = ({ minutes, user, workedOn, note, rate, currency }: Time): TimeEntry => ({
  minutes,
  user,
  workedOn,
  note: note ?? null,
  rate: rate ?? null,
  currency: currency ?? null,
  posting: 'none',
})

const comparable = ({ rate, posting: _, ...time }: TimeEntry) => ({ ...time, rate: String(rate) })

type Part = { readonly comments?: readonly [string, string]; readonly times?: readonly [string, TimeEntry] }

function withPart(task: Task, { comments, times }: Part): Present {
  const present = presentOf(task)
  return {
    ...present,
    comments: comments ? withMember(present.comments, ...comments) : present.comments,
    times: times ? withMember(present.times, ...times) : present.times,
    parts: present.parts + 1,
  }
}

function withTime(task: Present, entry: string, time: TimeEntry): Present {
  return { ...task, times: withMember(task.times, entry, time) }
}

/** A process ends the posting of a task that may be removed by then. */
function postingOf(task: Task, entry: string, posting: TimeEntry['posting']): Task {
  const time = timeIn(task, entry)
  if (!time) return task
  return { ...task, times: withMember(timesOf(task), entry, { ...time, posting }) } as Task
}

const timesOf = (task: Task): Keyed<TimeEntry> => ('times' in task ? task.times : undefined) ?? noneKeyed
const timeIn = (task: Task, entry: string) => memberOf(timesOf(task), entry)

const isAsked = (task: Task, entry: string) => timeIn(task, entry)?.posting === 'asked'

function mustHaveRoom({ parts }: Present): void {
  if (parts < PARTS_MAX) return
  throw rejected('task_full', 'The task has as many comments and time entries as it can; go on in another one.')
}

/** Time of a removed task that is being posted: the answer of the wallet is about that one, not one made anew. */
export function mustHaveNoOpenPosting(task: Task): void {
  if (task.status !== 'removed' || !membersOf(timesOf(task)).some(({ posting }) => posting === 'asked')) return
  throw rejected('task_time_being_posted', 'Time of the removed task is being posted; try again in a moment.')
}

function mustBeAuthor({ comments }: Present, comment: string, actor: string): void {
  const author = memberOf(comments, comment)
  if (author === undefined) throw rejected('task_comment_unknown', 'The task has no such comment.', { comment })
  if (author !== actor) throw rejected('task_comment_of_another', 'Only who wrote a comment may change it.')
}

function openTime({ times }: Present, entry: string): TimeEntry {
  const time = memberOf(times, entry)
  if (!time) throw rejected('time_entry_unknown', 'The task has no such time entry.', { entry })
  if (time.posting !== 'none') throw rejected('time_entry_posted', 'The time entry is posted to a wallet.', { entry })
  return time
}
