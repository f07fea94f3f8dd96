/** The channels of the WebSocket: which things belong to one, and what the messages about them are called. */
import { items } from '../../projections/briefcase/items.ts'
import { projects } from '../../projections/center/projects.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { wantedNotifications } from '../../projections/hub/notifications.ts'
import { notifyingCategories } from '../../projections/hub/rules.ts'
import { notes } from '../../projections/office/notes.ts'
import { messages } from '../../projections/rooms/messages.ts'
import { rooms } from '../../projections/rooms/rooms.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import type { ReadPool } from '../pool.ts'
import type { Announced, Notice } from './announced.ts'
import { linksSql } from './statements.ts'

/** The kinds of channels, `<kind>:<id>`; `user` has the notifications of a user, who alone may listen to it. */
const KINDS = ['briefcase', 'project', 'room', 'user'] as const
type Kind = (typeof KINDS)[number]

type Member = {
  readonly kind: Kind
  readonly category: string
  readonly model: AnyProjection
  /** The column that holds the id of the channel; `id` where the thing is what the channel is about. */
  readonly column: string
  /** The events that make a thing, and those after which it is gone; all others change it. */
  readonly created: readonly string[]
  readonly deleted: readonly string[]
}

/** A thing that belongs to channels is a line here. */
export const MEMBERS: readonly Member[] = [
  member('briefcase', items, 'owner', { created: ['ItemAdded'], deleted: ['ItemArchived'] }),
  member('project', projects, 'id', { created: ['ProjectAdded'], deleted: ['ProjectRemoved'] }),
  member('project', tasks, 'project', { created: ['TaskCreated'], deleted: ['TaskRemoved'] }),
  member('room', rooms, 'id', { created: ['RoomOpened'], deleted: [] }),
  member('room', messages, 'room', { created: ['MessageSent'], deleted: ['MessageDeleted'] }),
  member('project', notes, 'project', { created: ['NoteAdded'], deleted: ['NoteRemoved'] }),
]

function member(kind: Kind, model: AnyProjection, column: string, types: Pick<Member, 'created' | 'deleted'>): Member {
  return { kind, model, column, category: Object.keys(model.of)[0]!, ...types }
}

const CHANNEL = /^([a-z]+):([^\s\p{Cc}\p{Cs}].{0,127})$/u

/** The channel of a user's notifications. */
export const userChannel = (user: string): string => `user:${user}`
export const isUserChannel = (channel: string): boolean => channel.startsWith(userChannel(''))

/** The categories whose things belong to a channel; `undefined` for a text that names no channel. */
export function categoriesOf(channel: string): readonly string[] | undefined {
  const kind = CHANNEL.exec(channel)?.[1]
  if (!(KINDS as readonly (string | undefined)[]).includes(kind)) return undefined
  return kind === 'user'
    ? notifyingCategories
    : MEMBERS.filter(each => each.kind === kind).map(({ category }) => category)
}

/** The type of the message about an event: `task.created`, `item.deleted`, `project.updated`. */
export function messageTypeOf({ category, type }: Pick<Announced, 'category' | 'type'>): string {
  const known = MEMBERS.find(each => each.category === category)
  const change = known?.created.includes(type) ? 'created' : known?.deleted.includes(type) ? 'deleted' : 'updated'
  return `${category}.${change}`
}

/** Adds to events of an org the channels that they belong to: by one statement for each column that says so. */
export async function withChannels(
  pool: ReadPool,
  org: string,
  events: readonly Announced[],
): Promise<readonly Announced[]> {
  const channels = events.map(() => new Set<string>())
  for (const { kind, category, model, column } of MEMBERS) {
    const found = [...events.entries()].filter(([, event]) => event.category === category)
    if (found.length === 0) continue
    if (column === 'id') for (const [at, { id }] of found) channels[at]!.add(`${kind}:${id}`)
    else {
      const ids = found.map(([, { id }]) => id)
      const positions = found.map(([, { position }]) => String(position))
      const text = linksSql(model, column)
      const { rows } = await pool.query({ text, values: [org, ids, positions], rowMode: 'array' })
      for (const [n, ...values] of rows) {
        for (const value of values) if (value !== null) channels[found[Number(n) - 1]![0]]!.add(`${kind}:${value}`)
      }
    }
  }
  const notices = await noticesOf(pool, org, events)
  return events.map((event, at) => {
    const notifications = notices.get(event.position) ?? []
    return {
      ...event,
      notifications,
      channels: [...channels[at]!, ...notifications.map(each => userChannel(each.user))],
    }
  })
}

const NOTICES = `select n.position, n.id, n.kind, n."user" from ${wantedNotifications('in_app')}
  where n.org = $1 and n.position = any($2::bigint[])`

/** The notifications that events made, by their positions. */
async function noticesOf(
  pool: ReadPool,
  org: string,
  events: readonly Announced[],
): Promise<ReadonlyMap<bigint, readonly Notice[]>> {
  const notices = new Map<bigint, Notice[]>()
  const positions = events.filter(({ category }) => notifyingCategories.includes(category)).map(each => each.position)
  if (positions.length === 0) return notices
  const { rows } = await pool.query({ text: NOTICES, values: [org, positions.map(String)], rowMode: 'array' })
  for (const [position, id, kind, user] of rows as unknown as readonly (readonly string[])[]) {
    const at = BigInt(position!)
    notices.set(at, [...(notices.get(at) ?? []), { id: id!, kind: kind!, user: user! }])
  }
  return notices
}
