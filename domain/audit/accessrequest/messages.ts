/** The storage and wire contract of requests of persons about their data: add, never rename. */
import { boolean, date, id, integer, object, oneOf, text } from '../../kernel/schema.ts'
import { subjectName } from '../../record/subject.ts'

const asked = {
  subject: subjectName.meta({ description: 'whose data it is about, as tokens name the person' }),
  right: oneOf('access', 'rectification', 'erasure', 'restriction', 'portability', 'objection').meta({
    description: 'what is asked for: the rights of articles 15 to 18, 20 and 21 of the GDPR',
  }),
  channel: text(255)
    .optional()
    .meta({ description: 'how it came', examples: ['e-mail'] }),
}
const handler = id('user').meta({ description: 'the user who sees to it, and is reminded' })
const reason = text(1000).meta({ description: 'why, as the person is told; write nothing personal in it' })
const note = text(1000).optional().meta({ description: 'what was done and handed over; write nothing personal in it' })

export const events = {
  AccessRequestReceived: object({ ...asked, receivedOn: date, dueOn: date, handler }),
  AccessRequestExtended: object({ dueOn: date, reason }),
  AccessRequestReminded: object({
    dueOn: date,
    handler,
    isLast: boolean.meta({ description: 'whether it is the reminder of the day that it is due on' }),
  }),
  AccessRequestAnswered: object({ note }),
  AccessRequestRefused: object({ reason }),
} as const

export const commands = {
  receive: object({
    id: id('access request').optional(),
    ...asked,
    received_on: date.optional().meta({ description: 'the day it came on: today, where nothing is said' }),
    handler: handler.optional().meta({ description: 'the user who sees to it: you, where nobody is named' }),
  }).meta({
    examples: [{ id: 'request-118', subject: 'mira', right: 'access', channel: 'e-mail', handler: 'ana' }],
  }),
  extend: object({
    days: integer(1, 60).meta({ description: 'how many days later it is due: two months at most' }),
    reason,
  }).meta({ examples: [{ days: 30, reason: 'Some of the records are in an archive on paper.' }] }),
  answer: object({ note }).meta({ examples: [{ note: 'Handed over on a stick.' }] }),
  refuse: object({ reason }).meta({ examples: [{ reason: 'The same was asked for a week ago.' }] }),
  remind: object({ due_on: date, is_last: boolean }),
} as const

export const rejections = [
  'access_request_exists',
  'access_request_not_open',
  'access_request_received_later',
  'access_request_extended_already',
] as const
