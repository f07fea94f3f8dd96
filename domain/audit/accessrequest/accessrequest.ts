import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { mention, said, THING } from '../../record/said.ts'
import { daysAfter } from '../../time/civil.ts'
import { commands, events, rejections } from './messages.ts'

type Open = {
  readonly status: 'open'
  readonly handler: string
  readonly dueOn: string
  readonly isExtended: boolean
}
export type AccessRequest =
  | { readonly status: 'none' }
  | Open
  | { readonly status: 'answered' }
  | { readonly status: 'refused' }

/** Days in which a request must be answered: a month (GDPR, article 12 (3)), and the shortest but one counts. */
const DUE_DAYS = 30

const NOT_OPEN = ['access_request_not_open', 'There is no such request, or it has an end.'] as const

const evolve: Evolve<AccessRequest, typeof events> = {
  AccessRequestReceived: (_, { handler, dueOn }) => ({ status: 'open', handler, dueOn, isExtended: false }),
  AccessRequestExtended: (request, { dueOn }) => ({ ...inStatus(request, 'open'), dueOn, isExtended: true }),
  AccessRequestReminded: request => request,
  AccessRequestAnswered: () => ({ status: 'answered' }),
  AccessRequestRefused: () => ({ status: 'refused' }),
}

const decide: Decide<AccessRequest, typeof commands, typeof events> = {
  receive(request, { id: _, received_on, handler, ...asked }, { at, actor }) {
    if (request.status !== 'none') {
      throw rejected('access_request_exists', 'A request of this id was received before: choose another id.')
    }
    const today = at.slice(0, 10)
    const receivedOn = received_on ?? today
    if (receivedOn > today) {
      throw rejected('access_request_received_later', 'A request is noted when it is there: name a day that has come.')
    }
    const data = { ...asked, receivedOn, dueOn: daysAfter(receivedOn, DUE_DAYS), handler: handler ?? actor }
    return [{ type: 'AccessRequestReceived', data }]
  },
  extend(request, { days, reason }) {
    const open = inStatus(request, 'open', NOT_OPEN)
    if (open.isExtended) {
      throw rejected('access_request_extended_already', 'A request is extended once: answer or refuse it.')
    }
    return [{ type: 'AccessRequestExtended', data: { dueOn: daysAfter(open.dueOn, days), reason } }]
  },
  /** What was refused may be answered after all. */
  answer(request, data) {
    if (request.status === 'answered') return []
    if (request.status !== 'refused') inStatus(request, 'open', NOT_OPEN)
    return [{ type: 'AccessRequestAnswered', data }]
  },
  refuse(request, data) {
    if (request.status === 'refused') return []
    inStatus(request, 'open', NOT_OPEN)
    return [{ type: 'AccessRequestRefused', data }]
  },
  /** Late timers, and those of a request that has another day or an end, change nothing. */
  remind(request, { due_on: dueOn, is_last: isLast }) {
    if (request.status !== 'open' || request.dueOn !== dueOn) return []
    return [{ type: 'AccessRequestReminded', data: { dueOn, handler: request.handler, isLast } }]
  },
}

/** What a person asks about their data: it is answered, or refused with a reason, by a day that the law sets. */
export const accessrequest = aggregate({
  name: 'accessrequest',
  events,
  commands,
  api: {
    receive: [
      'POST /access-requests',
      'access-requests.write',
      'Note that a person has asked about their data: it is due in 30 days, and its handler is reminded.',
    ],
    extend: [
      'POST /access-requests/:id/extend',
      'access-requests.write',
      'Give a request a later day, once, with the reason that the person is told.',
    ],
    refuse: [
      'POST /access-requests/:id/refuse',
      'access-requests.write',
      'Refuse a request, with the reason that the person is told.',
    ],
    answer: [
      'POST /access-requests/:id/answer',
      'access-requests.write',
      'Note that a request was answered, one that was refused as well.',
    ],
    remind: 'internal',
  },
  rejections,
  initial: { status: 'none' } as AccessRequest,
  evolve,
  decide,
  stateSchema: 1,
  activity: {
    on: {
      AccessRequestReceived: ({ subject, right }) =>
        said`received the request ${THING} of ${mention('inbox', subject)} for ${right}`,
      AccessRequestExtended: ({ dueOn }) => said`extended the request ${THING} to ${dueOn}`,
      AccessRequestReminded: ({ dueOn }) => said`noted that the request ${THING} is due on ${dueOn}`,
      AccessRequestAnswered: said`answered the request ${THING}`,
      AccessRequestRefused: said`refused the request ${THING}`,
    },
  },
})
