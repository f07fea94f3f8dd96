import {
  aggregate,
  type Context,
  type EventOf,
  type Evolve,
  inStatus,
  type Vocabulary,
} from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type RecordState, record } from '../../record/record.ts'
import { said, THING } from '../../record/said.ts'
import { localText } from '../../time/civil.ts'
import { parseRule } from '../../time/rule.ts'
import { isZone } from '../../time/zone.ts'
import { partOf } from '../private.ts'
import { localOf, occurrencesOf, type Timed, TooMuch } from './expand.ts'
import { messages } from './messages.ts'

type Reminder = { readonly at: string; readonly occurrence: string; readonly minutes: number }
type Fields = Timed & {
  readonly status: string
  readonly reminders: readonly number[]
  readonly attendees: readonly { readonly user: string; readonly answer: string }[]
}
/** `next`: what is reminded of next. */
type State = RecordState & { readonly next?: Reminder | null }
type Decide = (
  state: State,
  command: Readonly<Record<string, unknown>>,
  context: Context,
) => readonly EventOf<Vocabulary>[]

const plain = record(messages)
const gone = ['calendarevent_removed', 'The calendar event is removed; add it again first.'] as const
const fieldsOf = (state: State) => inStatus(state as RecordState, 'present', gone).fields as unknown as Fields

const reminded = (state: State, data: object): State => ({ ...state, next: (data as { next: Reminder | null }).next })

const evolve: Evolve<State, Vocabulary> = {
  ...plain.evolve,
  CalendarEventChanged: (state, data, at) => {
    const after = plain.evolve.CalendarEventChanged!(state, data, at)
    return { ...after, next: state.next ?? null }
  },
  CalendarEventReminderSet: reminded,
  CalendarEventReminded: reminded,
}

/** The facts of a change, where it leaves an event whose times make sense, and what is reminded of from then on. */
const timed =
  (decide: Decide): Decide =>
  (state, command, context) => {
    const facts = decide(state, command, context)
    const after = facts.reduce<State>((before, { type, data }) => evolve[type]!(before, data, ''), state)
    if (facts.length === 0 || after.status !== 'present') return facts
    const fields = fieldsOf(after)
    mustBeTimed(fields)
    const next = nextReminder(fields, context.at)
    const isSame = JSON.stringify(next) === JSON.stringify(state.status === 'present' ? (state.next ?? null) : null)
    return isSame ? facts : [...facts, { type: 'CalendarEventReminderSet', data: { next } }]
  }

function mustBeTimed({ starts, ends, zone, rule, more_dates = [], changed = [] }: Fields): void {
  const parsed = rule ? parseRule(rule) : undefined
  if (typeof parsed === 'string') throw rejected('calendar_event_rule_invalid', `The rule is not valid: ${parsed}.`)
  if (zone && !isZone(zone))
    throw rejected('calendar_event_zone_unknown', 'Name a time zone such as Europe/Berlin.', { zone })
  const isDay = starts.length === 10
  const others = [ends, ...changed.flatMap(each => [each.starts, each.ends])]
  const isOther = [...(isDay ? more_dates : []), ...others].find(each => each && (each.length === 10) !== isDay)
  if (isOther || (ends && localOf(ends) < localOf(starts))) {
    throw rejected('calendar_event_times_differ', 'It ends before it starts, or one is a day and another a time.', {
      starts,
      ends: isOther ?? ends ?? '',
    })
  }
}

const YEAR_SECONDS = 366 * 86_400
const FAR = 2 * 86_400
const STEPS_MAX = 5_000

/** The first reminder behind an instant, of occurrences of the year that follows; times without a zone are in UTC. */
function nextReminder(fields: Fields, behind: string): Reminder | null {
  if (fields.status === 'cancelled' || fields.reminders.length === 0) return null
  const now = localOf(behind.slice(0, 19))
  const longest = Math.max(...fields.reminders) * 60
  let best: Reminder | null = null
  try {
    for (const { occurrence, start, change: own } of occurrencesOf(fields, now, now + longest + YEAR_SECONDS, 'UTC', {
      left: STEPS_MAX,
    })) {
      if (own?.cancelled) continue
      for (const minutes of fields.reminders) {
        const at = `${localText(start - minutes * 60)}.000Z`
        if (at > behind && (best === null || at < best.at)) best = { at, occurrence, minutes }
      }
      if (best && `${localText(start - longest)}.000Z` > best.at) break
    }
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error
  }
  return best
}

const answer: Decide = (state, { answer: said }, { actor, behalf }) => {
  const user = behalf?.subject ?? actor
  const { attendees } = fieldsOf(state)
  const own = attendees.find(each => each.user === user)
  if (!own) throw rejected('calendar_event_not_invited', 'You are not among its attendees: ask to be added first.')
  if (own.answer === said) return []
  const all = attendees.map(each => (each === own ? { user, answer: said } : each))
  return [{ type: 'CalendarEventChanged', data: { attendees: all } }]
}

const changeOccurrence = timed((state, one) => {
  const fields = fieldsOf(state)
  const occurrence = one.occurrence as string
  const at = localOf(occurrence)
  const plainly = { ...fields, changed: [] }
  const near = occurrencesOf(plainly, at - FAR, at + FAR, fields.zone ?? 'UTC', { left: STEPS_MAX })
  if (!near.some(each => each.occurrence === occurrence)) {
    const message = 'It has no such occurrence: name its start by the rule.'
    throw rejected('calendar_event_no_occurrence', message, { occurrence })
  }
  const changed = [...(fields.changed ?? []).filter(each => each.occurrence !== occurrence), one]
  return [{ type: 'CalendarEventChanged', data: { changed } }]
})

const remind: Decide = (state, command, { at }) => {
  const { reminder } = command as { reminder: Reminder }
  if (state.status !== 'present' || state.next?.at !== reminder.at) return []
  const fields = fieldsOf(state)
  const going = fields.attendees.flatMap(({ user, answer }) => (answer === 'declined' ? [] : user))
  const next = nextReminder(fields, [at, reminder.at].toSorted()[1]!)
  return [{ type: 'CalendarEventReminded', data: { reminder, to: [...new Set([state.owner, ...going])], next } }]
}

const WRITE = 'calendar-events.write'
type Commands = typeof messages.commands

/** A plain thing with times, answers and reminders. */
export const calendarEvent = aggregate<State, Commands, Vocabulary>({
  ...plain,
  events: messages.events,
  commands: messages.commands,
  api: {
    ...plain.api,
    answer: ['POST /calendar-events/:id/answer', 'calendar-events.answer', 'Say whether the caller comes.'],
    changeOccurrence: ['PUT /calendar-events/:id/occurrences', WRITE, 'Move, rename or cancel one occurrence.'],
    remind: 'internal',
  },
  rejections: messages.rejections,
  initial: plain.initial,
  partOf: partOf('calendar', 'calendar'),
  evolve,
  decide: {
    ...plain.decide,
    add: timed(plain.decide.add),
    replace: timed(plain.decide.replace),
    change: timed(plain.decide.change),
    answer,
    changeOccurrence,
    remind,
  },
  activity: {
    ...plain.activity,
    on: {
      ...plain.activity!.on,
      CalendarEventReminderSet: said`set the next reminder of ${THING}`,
      CalendarEventReminded: said`reminded of ${THING}`,
    },
  },
})
