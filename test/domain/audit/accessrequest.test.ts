import { expect } from 'chai'
import fc from 'fast-check'
import { type AccessRequest, accessrequest } from '../../../domain/audit/accessrequest/accessrequest.ts'
import { Rejection } from '../../../domain/kernel/errors.ts'
import { daysAfter } from '../../../domain/time/civil.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const { given } = specFor(accessrequest)
const asked = { subject: 'mira', right: 'access' } as const
const what = { ...asked, receivedOn: '2026-01-31', dueOn: '2026-03-02', handler: 'user-1' }
const received = { type: 'AccessRequestReceived', data: what } as const
const extended = { type: 'AccessRequestExtended', data: { dueOn: '2026-04-30', reason: 'Paper.' } } as const
const answered = { type: 'AccessRequestAnswered', data: { note: 'Sent.' } } as const
const refused = { type: 'AccessRequestRefused', data: { reason: 'Asked twice.' } } as const

describe('access requests', () => {
  it('are due in 30 days from the day that they came', () => {
    given().when('receive', asked).then(received)
    given()
      .when('receive', { ...asked, handler: 'ana', received_on: '2026-01-01', channel: 'e-mail' })
      .then({
        type: 'AccessRequestReceived',
        data: { ...asked, channel: 'e-mail', handler: 'ana', receivedOn: '2026-01-01', dueOn: '2026-01-31' },
      })
    given()
      .when('receive', { ...asked, received_on: '2026-02-01' })
      .rejects('access_request_received_later')
    given(received).when('receive', asked).rejects('access_request_exists')
    given(received, answered).when('receive', asked).rejects('access_request_exists')
  })

  it('are extended once, with a reason, by two months at most', () => {
    given(received).when('extend', { days: 59, reason: 'Paper.' }).then(extended)
    given(received)
      .when('extend', { days: 60, reason: 'Paper.' })
      .then({ type: 'AccessRequestExtended', data: { dueOn: '2026-05-01', reason: 'Paper.' } })
    for (const days of [0, 61]) {
      expect(accessrequest.commands.extend.safeParse({ days, reason: 'Paper.' }).success).to.equal(false)
    }
    const again = { days: 1, reason: 'More paper.' }
    given(received, extended).when('extend', again).rejects('access_request_extended_already')
    given(received, answered).when('extend', again).rejects('access_request_not_open')
    given().when('extend', again).rejects('access_request_not_open')
  })

  it('are answered, after all where they were refused, or refused with a reason, once', () => {
    for (const open of [[received], [received, extended]]) {
      given(...open)
        .when('answer', { note: 'Sent.' })
        .then(answered)
      given(...open)
        .when('refuse', { reason: 'Asked twice.' })
        .then(refused)
    }
    given(received, answered).when('answer', {}).changesNothing()
    given(received, refused).when('refuse', { reason: 'Again.' }).changesNothing()
    given(received, refused).when('answer', { note: 'Sent.' }).then(answered)
    given(received, answered).when('refuse', { reason: 'Again.' }).rejects('access_request_not_open')
    given().when('answer', {}).rejects('access_request_not_open')
  })

  it('remind their handler of the day that they are due on, for as long as that is it', () => {
    const data = { dueOn: '2026-03-02', handler: 'user-1', isLast: false }
    given(received)
      .when('remind', { due_on: '2026-03-02', is_last: false })
      .then({ type: 'AccessRequestReminded', data })
    given(received, extended).when('remind', { due_on: '2026-03-02', is_last: true }).changesNothing()
    given(received, answered).when('remind', { due_on: '2026-03-02', is_last: true }).changesNothing()
    given().when('remind', { due_on: '2026-03-02', is_last: true }).changesNothing()
  })

  it('are answered and refused once at most, and are never due later than 90 days after they came', () => {
    const day = fc.integer({ min: -10, max: 120 }).map(n => daysAfter('2026-01-31', n))
    const step = fc.oneof(
      fc.record({
        name: fc.constant('extend' as const),
        days: fc.integer({ min: 1, max: 60 }),
        reason: fc.constant('x'),
      }),
      fc.record({ name: fc.constant('answer' as const) }),
      fc.record({ name: fc.constant('refuse' as const), reason: fc.constant('x') }),
      fc.record({ name: fc.constant('remind' as const), due_on: day, is_last: fc.boolean() }),
      fc.record({ name: fc.constant('receive' as const), subject: fc.constant('a'), right: fc.constant('access') }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        let state: AccessRequest = accessrequest.initial
        const made: string[] = []
        for (const { name, ...body } of steps) {
          try {
            for (const { type, data } of accessrequest.decide[name](state, body as never, CONTEXT)) {
              made.push(type)
              state = accessrequest.evolve[type](state, data as never, CONTEXT.at)
            }
          } catch (error) {
            if (!(error instanceof Rejection)) throw error
          }
          if (state.status === 'open') expect(state.dueOn <= '2026-05-01').to.equal(true)
        }
        for (const end of ['Answered', 'Refused', 'Extended']) {
          expect(made.filter(type => type === `AccessRequest${end}`).length).to.be.at.most(1)
        }
      }),
    )
  })
})
