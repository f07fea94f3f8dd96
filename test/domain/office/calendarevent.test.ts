import { expect } from 'chai'
import fc from 'fast-check'
import { calendarEvent } from '../../../domain/office/calendarevent/calendarevent.ts'
import { occurrencesOf, spanOf, type Timed, TooMuch } from '../../../domain/office/calendarevent/expand.ts'
import { eventsIn } from '../../../domain/office/calendarevent/ics.ts'
import { calendarText } from '../../../domain/office/calendarevent/ics-text.ts'
import { localText, secondsOf } from '../../../domain/time/civil.ts'
import { specFor } from '../../support/spec.ts'

const plain = {
  title: 'Proofs',
  calendar: 'printing',
  kind: 'meeting',
  starts: '2026-03-23T09:00:00',
  ends: '2026-03-23T10:00:00',
  zone: 'Europe/Berlin',
  rule: 'FREQ=WEEKLY',
  more_dates: [],
  left_out: [],
  changed: [],
  status: 'confirmed',
  busy: true,
  attendees: [{ user: 'ben', answer: 'needs_action' }],
  reminders: [],
  tags: [],
}
const added = (more: object = {}) => ({ type: 'CalendarEventAdded', data: { ...plain, ...more, owner: 'user-1' } })
const at = (text: string) => secondsOf(text)!
const starts = (event: Timed, from: string, to: string) =>
  occurrencesOf(event, at(from), at(to), 'UTC', { left: 10_000 }).map(({ start }) => localText(start))

describe('calendar event', () => {
  const { given } = specFor(calendarEvent)

  it('has times that make sense', () => {
    given().when('add', plain).then(added())
    given()
      .when('add', { ...plain, rule: 'FREQ=OFTEN' })
      .rejects('calendar_event_rule_invalid')
    given()
      .when('add', { ...plain, zone: 'Europe/Nowhere' })
      .rejects('calendar_event_zone_unknown')
    given()
      .when('add', { ...plain, ends: '2026-03-23T08:00:00' })
      .rejects('calendar_event_times_differ')
    given(added()).when('change', { starts: '2026-03-23' }).rejects('calendar_event_times_differ')
  })

  it('is answered by those who are invited', () => {
    given(added())
      .when('answer', { answer: 'accepted' }, { actor: 'ben' })
      .then({ type: 'CalendarEventChanged', data: { attendees: [{ user: 'ben', answer: 'accepted' }] } })
    given(added()).when('answer', { answer: 'accepted' }, { actor: 'eve' }).rejects('calendar_event_not_invited')
  })

  it('has single occurrences moved or cancelled', () => {
    const one = { occurrence: '2026-03-30T09:00:00', cancelled: true }
    given(added())
      .when('changeOccurrence', one)
      .then({ type: 'CalendarEventChanged', data: { changed: [one] } })
    given(added())
      .when('changeOccurrence', { ...one, occurrence: '2026-03-31T09:00:00' })
      .rejects('calendar_event_no_occurrence')
  })

  it('is reminded of before each occurrence, of what takes place, who has not declined', () => {
    const first = { at: '2026-03-23T07:45:00.000Z', occurrence: '2026-03-23T09:00:00', minutes: 15 }
    const next = { at: '2026-04-06T06:45:00.000Z', occurrence: '2026-04-06T09:00:00', minutes: 15 }
    const cancelled = [{ occurrence: '2026-03-30T09:00:00', cancelled: true }]
    const more = { reminders: [15], changed: cancelled }
    const set = { type: 'CalendarEventReminderSet', data: { next: first } }
    given()
      .when('add', { ...plain, ...more })
      .then(added(more), set)
    given(added(more), set)
      .when('remind', { reminder: first }, { at: first.at })
      .then({ type: 'CalendarEventReminded', data: { reminder: first, to: ['user-1', 'ben'], next } })
    given(added(more), set).when('remind', { reminder: next }, { at: next.at }).changesNothing()
    given(added(more), set)
      .when('change', { status: 'cancelled' })
      .then(
        { type: 'CalendarEventChanged', data: { status: 'cancelled' } },
        { type: 'CalendarEventReminderSet', data: { next: null } },
      )
  })

  it('keeps its local time over a change of the clock, and takes one that does not come by the offset before', () => {
    expect(starts(plain, '2026-03-20T00:00:00', '2026-04-01T00:00:00')).to.deep.equal([
      '2026-03-23T08:00:00',
      '2026-03-30T07:00:00',
    ])
    const daily = { starts: '2026-03-28T02:30:00', zone: 'Europe/Berlin', rule: 'FREQ=DAILY;COUNT=2' }
    expect(starts(daily, '2026-03-28T00:00:00', '2026-04-01T00:00:00')).to.deep.equal([
      '2026-03-28T01:30:00',
      '2026-03-29T01:30:00',
    ])
  })

  it('takes place only within its span', () => {
    const rules = ['FREQ=DAILY;COUNT=9', 'FREQ=WEEKLY;UNTIL=20260501T000000Z', 'FREQ=MONTHLY;BYMONTHDAY=31', undefined]
    fc.assert(
      fc.property(
        fc.constantFrom(...rules),
        fc.integer({ min: 0, max: 90_000 }),
        fc.integer({ min: -9, max: 9 }),
        (rule, lasts, moved) => {
          const begins = at('2026-03-23T09:00:00')
          const event = {
            starts: localText(begins),
            ends: localText(begins + lasts),
            ...(rule && { rule }),
            changed: [{ occurrence: localText(begins), starts: localText(begins + moved * 86_400) }],
          }
          const { from, to } = spanOf(event)
          for (const { start, end } of occurrencesOf(event, begins - 3e7, begins + 3e7, 'Pacific/Auckland', {
            left: 10_000,
          })) {
            expect(start).to.be.at.least(from)
            expect(end).to.be.at.most(to)
          }
        },
      ),
    )
  })

  it('is not expanded without an end', () => {
    const wild = { starts: '2026-01-01T00:00:00', rule: 'FREQ=SECONDLY' }
    expect(() => starts(wild, '2026-01-01T00:00:00', '2027-01-01T00:00:00')).to.throw(TooMuch)
  })

  it('comes back from a file with its changes, alarms and further lines', () => {
    const file = [
      'BEGIN:VCALENDAR',
      'BEGIN:VEVENT',
      'UID:u-1',
      'SUMMARY:Proofs\\, again',
      'DTSTART;TZID=Europe/Berlin:20260323T090000',
      'DURATION:PT1H',
      'RRULE:FREQ=WEEKLY;COUNT=5',
      'EXDATE;TZID=Europe/Berlin:20260330T090000',
      'X-COLOUR:blue',
      'BEGIN:VALARM',
      'ACTION:AUDIO',
      'TRIGGER:-PT5M',
      'END:VALARM',
      'END:VEVENT',
      'BEGIN:VEVENT',
      'UID:u-1',
      'RECURRENCE-ID:20260406T070000Z',
      'DTSTART;TZID=Europe/Berlin:20260407T090000',
      'DTEND;TZID=Europe/Berlin:20260407T093000',
      'LOCATION:Quay',
      'END:VEVENT',
      'END:VCALENDAR',
    ].join('\r\n')
    const { events, faults } = eventsIn(file)
    expect(faults).to.deep.equal([])
    const fields = events[0]!.fields
    expect(fields).to.deep.include({
      title: 'Proofs, again',
      ends: '2026-03-23T10:00:00',
      left_out: ['2026-03-30T09:00:00'],
      changed: [{ occurrence: '2026-04-06T09:00:00', starts: '2026-04-07T09:00:00', ends: '2026-04-07T09:30:00' }],
    })
    const row = {
      ...fields,
      id: 'x',
      status: 'confirmed',
      attendees: plain.attendees,
      reminders: [10],
      updated_at: '2026-01-01T00:00:00.000Z',
    }
    const again = eventsIn(calendarText([row as never], 'Prints'))
    expect(again.faults).to.deep.equal([])
    expect(again.name).to.equal('Prints')
    expect(again.events[0]!.fields).to.deep.include({ ...fields, attendees: plain.attendees, reminders: [10] })
  })

  it('never throws on a file, whatever is in it', () => {
    const piece = fc.constantFrom(
      'BEGIN:VCALENDAR\n',
      'BEGIN:VEVENT\n',
      'END:VEVENT\n',
      'DTSTART:20260101\n',
      'DTSTART:99999999T999999\n',
      'RRULE:FREQ=DAILY\n',
      'DURATION:P\n',
      'RECURRENCE-ID:x\n',
      'BEGIN:VTIMEZONE\n',
      'TZID:a\n',
      'END:VTIMEZONE\n',
      'DTSTART;TZID=a:20260101T000000\n',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 20 }), parts => void eventsIn(parts.join(''))),
    )
  })
})
