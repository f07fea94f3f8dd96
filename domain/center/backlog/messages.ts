/** The backlog's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { id, object, ref, text } from '../../kernel/schema.ts'

const name = text(255)
const description = text(10_000)
const task = id('task')
const itemType = text(50).meta({ description: 'what kind of item it is: story, bug, chore, …' })
/** The longest rank: more than a thousand things can be put one after another between the same two. */
export const RANK_MAX = 380
const rank = text(RANK_MAX).meta({ description: 'orders the items: by its bytes' })
const place = {
  after: id('task').optional().meta({ description: 'the task behind which it stands' }),
  before: id('task').optional().meta({ description: 'the task in front of which it stands; at the end without both' }),
}

export const events = {
  BacklogOpened: object({ project: id('project').optional(), name, description: description.optional() }),
  BacklogChanged: object({ name: name.optional(), description: description.nullable().optional() }),
  BacklogRemoved: object({}),
  BacklogItemAdded: object({ task, itemType, rank }),
  BacklogItemMoved: object({ task, itemType, from: rank, rank }),
  BacklogItemRemoved: object({ task, rank }),
} as const

export const commands = {
  open: object({
    id: id('backlog').optional(),
    project: ref('project').optional(),
    name,
    description: description.optional(),
  }).meta({ examples: [{ id: 'backlog-1', project: 'project-1', name: 'Ideas' }] }),
  change: object({ name: name.optional(), description: description.nullable().optional() }).meta({
    examples: [{ description: 'What we may do next.' }],
  }),
  remove: object({}),
  addItem: object({ task: ref('task'), item_type: itemType.default('task'), ...place }).meta({
    examples: [{ task: 'task-1', item_type: 'story' }],
  }),
  moveItem: object({ task, ...place }).meta({ examples: [{ task: 'task-1' }] }),
  removeItem: object({ task }).meta({ examples: [{ task: 'task-1' }] }),
} as const

export const rejections = [
  'backlog_already_opened',
  'backlog_removed',
  'backlog_full',
  'backlog_item_unknown',
  'backlog_item_already_there',
  'backlog_place_impossible',
  'backlog_place_too_narrow',
] as const
