import { expect } from 'chai'
import fc from 'fast-check'
import { type Consent, consent } from '../../../domain/audit/consent/consent.ts'
import { Rejection } from '../../../domain/kernel/errors.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const { given } = specFor(consent)
const what = { subject: 'mira', purpose: 'newsletter' }
const END = '2026-03-01T00:00:00.000Z'
const forGood = { type: 'ConsentGiven', data: what } as const
const untilEnd = { type: 'ConsentGiven', data: { ...what, expiresAt: END } } as const
const withdrawn = { type: 'ConsentWithdrawn', data: {} } as const
const expired = { type: 'ConsentExpired', data: { expiresAt: END } } as const

describe('consent', () => {
  it('is given once, for good or until a time to come', () => {
    given().when('give', what).then(forGood)
    given()
      .when('give', { ...what, expires_at: END })
      .then(untilEnd)
    given()
      .when('give', { ...what, expires_at: CONTEXT.at })
      .rejects('consent_expires_before')
    given(forGood).when('give', what).rejects('consent_already_given')
    given(untilEnd, expired).when('give', what).rejects('consent_already_given')
  })

  it('is withdrawn at any time, which is no news once it has ended', () => {
    given(forGood)
      .when('withdraw', { reason: 'Asked.' })
      .then({ type: 'ConsentWithdrawn', data: { reason: 'Asked.' } })
    given(forGood, withdrawn).when('withdraw', {}).changesNothing()
    given(untilEnd, expired).when('withdraw', {}).changesNothing()
    given().when('withdraw', {}).rejects('consent_not_given')
  })

  it('ends by itself at its time, not before, and not what was withdrawn', () => {
    const late = { at: END }
    given(untilEnd).when('expire', { expires_at: END }, late).then(expired)
    given(untilEnd).when('expire', { expires_at: END }).changesNothing()
    given(untilEnd).when('expire', { expires_at: '2026-02-01T00:00:00.000Z' }, late).changesNothing()
    given(untilEnd, withdrawn).when('expire', { expires_at: END }, late).changesNothing()
    given(untilEnd, expired).when('expire', { expires_at: END }, late).changesNothing()
    given(forGood).when('expire', { expires_at: END }, late).changesNothing()
  })

  it('ends once, however often and late its timer fires, and whatever else comes', () => {
    const step = fc.record({
      name: fc.constantFrom('give' as const, 'withdraw' as const, 'expire' as const),
      day: fc.integer({ min: 1, max: 60 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        let state: Consent = consent.initial
        const ends: string[] = []
        for (const { name, day } of steps.toSorted((a, b) => a.day - b.day)) {
          const at = new Date(Date.parse('2026-02-01T00:00:00.000Z') + day * 86_400_000).toISOString()
          const body = name === 'withdraw' ? {} : name === 'expire' ? { expires_at: END } : { ...what, expires_at: END }
          try {
            for (const { type, data } of consent.decide[name](state, body as never, { ...CONTEXT, at })) {
              if (type === 'ConsentExpired') expect(at >= END).to.equal(true)
              if (type !== 'ConsentGiven') ends.push(type)
              state = consent.evolve[type](state, data as never, at)
            }
          } catch (error) {
            if (!(error instanceof Rejection)) throw error
          }
        }
        expect(ends).to.have.length.at.most(1)
      }),
    )
  })
})
