import { aggregate, type Context, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import type { Sealed } from '../../kernel/schema.ts'
import { changedFields } from '../../record/merge.ts'
import { isZone } from '../../time/zone.ts'
import { activity } from './activity.ts'
import { type Digest, nextDigest } from './email.ts'
import { commands, events, rejections } from './messages.ts'

/** Marks that are remembered to answer `[]` where a notification is marked again; later ones push out older ones. */
const MARKS_MAX = 100

type Open = {
  readonly status: 'open'
  readonly marks: readonly string[]
  readonly readTo: bigint
  /** What was said of kinds on channels, by `<kind> <channel>`; all else is wanted. */
  readonly preferences: Readonly<Record<string, boolean>>
  /** Where e-mails go, whose data that is, and the permissions that they held who said so. */
  readonly user?: string
  readonly email?: Sealed
  readonly grants?: readonly string[]
  /** When e-mails come together, and the next time. */
  readonly digest?: Digest
  readonly next?: string
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
  InboxEmailSet: (inbox, set) => ({ ...inStatus(inbox, 'open'), ...set }),
  InboxEmailRemoved(inbox) {
    const { email: _, user: __, grants: ___, ...open } = inStatus(inbox, 'open')
    return open
  },
  InboxDigestSet: (inbox, { next, ...digest }) => ({ ...inStatus(inbox, 'open'), digest, next }),
  InboxDigestStopped(inbox) {
    const { digest: _, next: __, ...open } = inStatus(inbox, 'open')
    return open
  },
  InboxDigestDue: (inbox, { next }) => ({ ...inStatus(inbox, 'open'), next }),
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
  setEmail(inbox, { email }, context) {
    const open = own(inbox, context)
    const grants = context.permissions.filter(name => name.endsWith('.read') || name.endsWith('*'))
    const before = { email: open.email, grants: open.grants }
    return Object.keys(changedFields(before, { email, grants })).length === 0
      ? []
      : [{ type: 'InboxEmailSet', data: { email, user: context.actor, grants } }]
  },
  removeEmail: (inbox, _, context) =>
    own(inbox, context).email === undefined ? [] : [{ type: 'InboxEmailRemoved', data: {} }],
  setDigest(inbox, digest, context) {
    const open = own(inbox, context)
    if (!isZone(digest.zone)) {
      throw rejected('inbox_zone_unknown', 'Name a time zone such as Europe/Berlin.', { zone: digest.zone })
    }
    if (Object.keys(changedFields({ ...open.digest }, { weekday: null, ...digest })).length === 0) return []
    return [{ type: 'InboxDigestSet', data: { ...digest, next: nextDigest(digest, context.at) } }]
  },
  stopDigest: (inbox, _, context) =>
    own(inbox, context).digest === undefined ? [] : [{ type: 'InboxDigestStopped', data: {} }],
  sendDigest(inbox, { due }, { at }) {
    const { digest, next } = inStatus(inbox, 'open')
    if (!digest || next !== due) return []
    const behind = [at, due].toSorted().at(-1)!
    return [{ type: 'InboxDigestDue', data: { due, next: nextDigest(digest, behind) } }]
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
    setEmail: ['PUT /inboxes/:id/email', 'inbox.write', 'Give the address that notifications are e-mailed to.'],
    removeEmail: ['DELETE /inboxes/:id/email', 'inbox.write', 'Be sent no e-mails any more.'],
    setDigest: [
      'PUT /inboxes/:id/digest',
      'inbox.write',
      'Be sent e-mails together, every day or week at an hour of a time zone, in the place of single ones.',
    ],
    stopDigest: ['DELETE /inboxes/:id/digest', 'inbox.write', 'Be sent an e-mail for each notification again.'],
    sendDigest: 'internal',
  },
  rejections,
  initial: { status: 'none' } as Inbox,
  evolve,
  decide,
  stateSchema: 1,
  subjectOf: state => ('user' in state ? state.user : undefined),
  activity,
})

function mustBeOwn({ id, actor }: Context): void {
  if (id !== actor) throw rejected('inbox_of_another', 'The inbox is of another user: its id is not your subject.')
}

function own(inbox: Inbox, context: Context): Open {
  mustBeOwn(context)
  return inStatus(inbox, 'open')
}
