import { aggregate, type Context, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'

/** Marks that are remembered to answer `[]` where a notification is marked again; later ones push out older ones. */
const MARKS_MAX = 100

type Open = {
  readonly status: 'open'
  readonly marks: readonly string[]
  readonly readTo: bigint
  /** What was said of kinds on channels, by `<kind> <channel>`; all else is wanted. */
  readonly preferences: Readonly<Record<string, boolean>>
}

export type Inbox = { readonly status: 'none' } | Open

const evolve: Evolve<Inbox, typeof events> = {
  InboxOpened: () => ({ status: 'open', marks: [], readTo: 0n, preferences: {} }),
  NotificationRead(inbox, { notification }) {
    const open = inStatus(inbox, 'open')
    return { ...open, marks: [...open.marks, notification].slice(-MARKS_MAX) }
  },
  NotificationsRead: (inbox, { upTo }) => ({ ...inStatus(inbox, 'open'), readTo: upTo }),
  NotificationPreferenceChanged(inbox, { kind, channel, wanted }) {
    const open = inStatus(inbox, 'open')
    return { ...open, preferences: { ...open.preferences, [`${kind} ${channel}`]: wanted } }
  },
}

const decide: Decide<Inbox, typeof commands, typeof events> = {
  open(inbox, _, context) {
    mustBeOwn(context)
    return inbox.status === 'open' ? [] : [{ type: 'InboxOpened', data: {} }]
  },
  read(inbox, { notification }, context) {
    const { marks } = own(inbox, context)
    return marks.includes(notification) ? [] : [{ type: 'NotificationRead', data: { notification } }]
  },
  readAll(inbox, { up_to: upTo }, context) {
    return upTo <= own(inbox, context).readTo ? [] : [{ type: 'NotificationsRead', data: { upTo } }]
  },
  prefer(inbox, preference, context) {
    const { preferences } = own(inbox, context)
    const { kind, channel, wanted } = preference
    const before = preferences[`${kind} ${channel}`] ?? true
    return before === wanted ? [] : [{ type: 'NotificationPreferenceChanged', data: preference }]
  },
}

/** What a user has read of their notifications, and which of them they want: its id is the subject of the user. */
export const inbox = aggregate({
  name: 'inbox',
  events,
  commands,
  api: {
    open: ['POST /inboxes', 'inbox.write', 'Open the inbox of the caller, whose subject is its id.'],
    read: ['POST /inboxes/:id/read', 'inbox.write', 'Mark a notification as read.'],
    readAll: ['PUT /inboxes/:id/read-up-to', 'inbox.write', 'Mark all notifications up to a position as read.'],
    prefer: [
      'PUT /inboxes/:id/preferences',
      'inbox.write',
      'Say whether notifications of a kind are wanted on a channel.',
    ],
  },
  rejections,
  initial: { status: 'none' } as Inbox,
  evolve,
  decide,
  stateSchema: 1,
  activity,
})

function mustBeOwn({ id, actor }: Context): void {
  if (id !== actor) throw rejected('inbox_of_another', 'The inbox is of another user: its id is not your subject.')
}

function own(inbox: Inbox, context: Context): Open {
  mustBeOwn(context)
  return inStatus(inbox, 'open')
}
