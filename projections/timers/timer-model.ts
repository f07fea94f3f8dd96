/**
 * Timers are rows: what is to be commanded to which thing, and when. Events set and clear them like any other row, so
 * that a rebuild makes the same ones again; the worker gives the commands of those that are due. A command that a timer
 * gives must lead to an event that clears or replaces the row, unless the row is being cleared already.
 */
import type { Categories, EventsOf } from '../../domain/kernel/categories.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { column, id, jsonObject, list, object, text, timestamp, uuid } from '../../domain/kernel/schema.ts'
import { type AnyProjection, type Handler, type Handlers, projection } from '../rows/projection.ts'

const row = object({
  org: id('org'),
  thing: id('thing'),
  /** Tells the timers of one thing apart; of each there is one at a time. */
  slot: id('timer'),
  due_at: timestamp,
  category: text(64),
  command: text(64),
  body: jsonObject,
  /** The event that set it: part of the command's key. */
  event: uuid,
  correlation: text(255),
  behalf: column(
    object({ subject: text(255), roles: list(text(255), 1_000), teams: list(id('team'), 5_000).optional() }),
    'jsonb',
  ).optional(),
})
export type TimerRow = {
  readonly org: string
  readonly thing: string
  readonly slot: string
  readonly due_at: string
  readonly category: string
  readonly command: string
  readonly body: { readonly [key: string]: never }
  readonly event: string
  readonly correlation: string
  readonly behalf?: DomainEvent['metadata']['actor'] | undefined
}

/** When a command is to be given to the thing that the event is of; `body` is in wire form. */
type Alarm = { readonly at: string; readonly command: string; readonly body?: object }

type Folded<D> = Extract<Handler<TimerRow, D>, { readonly fold: unknown }>

const DEFAULT_SLOT = 'next'

/** The event sets the thing's timer, or clears it where it answers `undefined`. */
export const sets = <D>(
  alarm: (data: D, event: DomainEvent) => Alarm | undefined,
  slot: (data: D) => string = () => DEFAULT_SLOT,
): Folded<D> => ({
  keys: ({ data, metadata: { org, id } }) => [{ org, thing: id, slot: slot(data) }],
  isOwn: true,
  fold: (before, event, { slot: name }) => {
    const { at, command, body = {} } = alarm(event.data, event) ?? {}
    if (at === undefined) return null
    return { ...timer(event, { at, command: command!, body }, String(name)), behalf: causedBy(event, before) }
  },
})

/** Who caused the event: of what a timer or a process did without saying so, who set the timer before. */
function causedBy({ metadata: { actor, behalf } }: DomainEvent, before: TimerRow | undefined) {
  return behalf ?? (actor.subject.startsWith('process:') ? before?.behalf : actor)
}

/** The event clears the thing's timer. */
export const clears = <D = unknown>(slot?: (data: D) => string): Folded<D> => sets<D>(() => undefined, slot)

const timer = ({ eventId, category, metadata }: DomainEvent, alarm: Required<Alarm>, slot: string): TimerRow => ({
  org: metadata.org,
  thing: metadata.id,
  slot,
  due_at: alarm.at,
  category,
  command: alarm.command,
  body: alarm.body as TimerRow['body'],
  event: eventId,
  correlation: metadata.$correlationId,
})

/** The timers of the things of some categories. */
export const timerModel = <C extends Categories>(definition: {
  readonly name: string
  readonly service: string
  readonly version: number
  readonly of: C
  readonly on: Handlers<TimerRow, EventsOf<C>>
}): AnyProjection =>
  projection({
    ...definition,
    history: false,
    row,
    key: ['org', 'thing', 'slot'],
    indexes: [['due_at']],
  } as AnyProjection)
