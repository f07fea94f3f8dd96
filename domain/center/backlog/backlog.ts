import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { changedFields } from '../../record/merge.ts'
import { rankBetween } from '../../record/rank.ts'
import { mention, said, THING } from '../../record/said.ts'
import { commands, events, RANK_MAX, rejections } from './messages.ts'

const ITEMS_MAX = 10_000

type Item = readonly [task: string, rank: string, itemType: string]
type Open = {
  readonly status: 'open'
  readonly name: string
  readonly description: string | null
  /** Tasks with their ranks, in order, and what kind of items they are. */
  readonly items: readonly Item[]
}
export type Backlog = { readonly status: 'none' } | { readonly status: 'removed' } | Open

const evolve: Evolve<Backlog, typeof events> = {
  BacklogOpened: (_, { name, description = null }) => ({ status: 'open', name, description, items: [] }),
  BacklogChanged: (backlog, changes) => ({ ...inStatus(backlog, 'open'), ...(changes as Partial<Open>) }),
  BacklogRemoved: () => ({ status: 'removed' }),
  BacklogItemAdded: (backlog, { task, rank, itemType }) => ranked(inStatus(backlog, 'open'), [task, rank, itemType]),
  BacklogItemMoved: (backlog, { task, rank, itemType }) =>
    ranked(without(inStatus(backlog, 'open'), task), [task, rank, itemType]),
  BacklogItemRemoved: (backlog, { task }) => without(inStatus(backlog, 'open'), task),
}

const GONE = ['backlog_removed', 'The backlog is removed; open it again first.'] as const

const decide: Decide<Backlog, typeof commands, typeof events> = {
  open(backlog, { id: _, ...fields }) {
    if (backlog.status === 'open') throw rejected('backlog_already_opened', 'The backlog exists; choose another id.')
    return [{ type: 'BacklogOpened', data: fields }]
  },
  change(backlog, wanted) {
    const { name, description } = inStatus(backlog, 'open', GONE)
    const changes = changedFields({ name, description }, wanted)
    return Object.keys(changes).length === 0 ? [] : [{ type: 'BacklogChanged', data: changes }]
  },
  remove: backlog => (backlog.status === 'open' ? [{ type: 'BacklogRemoved', data: {} }] : []),
  addItem(backlog, { task, item_type: itemType, ...place }) {
    const open = inStatus(backlog, 'open', GONE)
    if (open.items.some(([id]) => id === task)) {
      throw rejected('backlog_item_already_there', 'The task is in the backlog; move it instead.', { task })
    }
    if (open.items.length >= ITEMS_MAX) throw rejected('backlog_full', 'The backlog has as many items as it can.')
    return [{ type: 'BacklogItemAdded', data: { task, itemType, rank: rankAt(open, place) } }]
  },
  moveItem(backlog, { task, ...place }) {
    const open = inStatus(backlog, 'open', GONE)
    const [, from, itemType] = itemOf(open, task)
    const others = without(open, task)
    const at = open.items.findIndex(([id]) => id === task)
    if (placeOf(others, place) === at) return []
    return [{ type: 'BacklogItemMoved', data: { task, itemType, from, rank: rankAt(others, place) } }]
  },
  removeItem(backlog, { task }) {
    const [, rank] = itemOf(inStatus(backlog, 'open', GONE), task)
    return [{ type: 'BacklogItemRemoved', data: { task, rank } }]
  },
}

/** Tasks in an order: moving one changes the rank of that one alone. */
export const backlog = aggregate({
  name: 'backlog',
  events,
  commands,
  api: {
    open: ['POST /backlogs', 'backlogs.write', 'Open a backlog.'],
    change: ['PATCH /backlogs/:id', 'backlogs.write', 'Change the name or description of a backlog.'],
    remove: ['DELETE /backlogs/:id', 'backlogs.write', 'Remove a backlog; its tasks stay.'],
    addItem: [
      'POST /backlogs/:id/items',
      'backlogs.write',
      'Put a task into a backlog, behind or in front of another one, or at the end.',
      '/backlogs/:id/items/:rank/:task',
    ],
    moveItem: [
      'PUT /backlogs/:id/items/:task/place',
      'backlogs.write',
      'Move a task of a backlog behind or in front of another one, or to the end.',
    ],
    removeItem: ['DELETE /backlogs/:id/items/:task', 'backlogs.write', 'Take a task out of a backlog.'],
  },
  rejections,
  initial: { status: 'none' } as Backlog,
  evolve,
  decide,
  stateSchema: 1,
  removedBy: ['BacklogRemoved'],
  spellings: { project_id: 'project', task_id: 'task' },
  activity: {
    called: 'name',
    on: {
      BacklogOpened: said`opened the backlog ${THING}`,
      BacklogChanged: said`changed the backlog ${THING}`,
      BacklogRemoved: said`removed the backlog ${THING}`,
      BacklogItemAdded: ({ task }) => said`put the task ${mention('task', task)} into the backlog ${THING}`,
      BacklogItemMoved: ({ task }) => said`moved the task ${mention('task', task)} in the backlog ${THING}`,
      BacklogItemRemoved: ({ task }) => said`took the task ${mention('task', task)} out of the backlog ${THING}`,
    },
  },
})

type Place = { readonly after?: string | undefined; readonly before?: string | undefined }

function itemOf({ items }: Open, task: string): Item {
  const item = items.find(([id]) => id === task)
  if (!item) throw rejected('backlog_item_unknown', 'The backlog has no such task.', { task })
  return item
}

/** How many items stand in front of a place. */
function placeOf(open: Open, { after, before }: Place): number {
  for (const task of [after, before]) if (task !== undefined) itemOf(open, task)
  const place = (task: string) => open.items.findIndex(([id]) => id === task)
  if (after === undefined) return before === undefined ? open.items.length : place(before)
  if (before !== undefined && place(before) !== place(after) + 1) {
    throw rejected('backlog_place_impossible', 'Those two do not stand side by side; name one of them.')
  }
  return place(after) + 1
}

function rankAt(open: Open, wanted: Place): string {
  const at = placeOf(open, wanted)
  const rank = rankBetween(open.items[at - 1]?.[1] ?? '', open.items[at]?.[1])
  if (rank.length <= RANK_MAX) return rank
  throw rejected(
    'backlog_place_too_narrow',
    'Too much was put between these two: move the one behind to the end first.',
  )
}

function ranked(open: Open, item: Item): Open {
  const at = open.items.findIndex(([, other]) => other > item[1])
  const place = at < 0 ? open.items.length : at
  return { ...open, items: [...open.items.slice(0, place), item, ...open.items.slice(place)] }
}

const without = (open: Open, task: string): Open => ({ ...open, items: open.items.filter(([id]) => id !== task) })
