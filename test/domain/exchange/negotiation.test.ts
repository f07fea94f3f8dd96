import { negotiation } from '../../../domain/exchange/negotiation/negotiation.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const LATER = '2026-02-28T12:00:00.000Z'
const asked = { to: 'jon', amount: 9_000n, currency: 'EUR' }
const opened = (more: object = {}) =>
  ({ type: 'NegotiationOpened', data: { ...asked, ...more, from: 'mira', places: 2 } }) as const
const countered = { type: 'OfferCountered', data: { amount: 11_000n, from: 'jon', to: 'mira' } } as const
const accepted = { type: 'OfferAccepted', data: { amount: 9_000n, by: 'jon' } } as const
const mira = { actor: 'mira' }
const jon = { actor: 'jon' }

describe('negotiation', () => {
  const { given } = specFor(negotiation)

  it('is opened once, with another party', () => {
    given().when('open', asked, mira).then(opened())
    given(opened()).when('open', asked, mira).rejects('negotiation_already_opened')
    given().when('open', asked, jon).rejects('negotiation_with_oneself')
    given()
      .when('open', { ...asked, expires_at: CONTEXT.at }, mira)
      .rejects('offer_expiry_past')
    given()
      .when('open', { ...asked, currency: 'BEANS' }, mira)
      .rejects('negotiation_places_unknown')
    given()
      .when('open', { ...asked, places: 3 }, mira)
      .rejects('negotiation_places_mismatch')
  })

  it('goes from one side to the other', () => {
    given(opened()).when('counter', { amount: 11_000n }, jon).then(countered)
    given(opened()).when('counter', { amount: 11_000n }, mira).rejects('offer_not_yours')
    given(opened(), countered).when('accept', { amount: 11_000n }, jon).rejects('offer_not_yours')
    given(opened(), countered)
      .when('decline', {}, mira)
      .then({ type: 'OfferDeclined', data: { by: 'mira' } })
    given(opened(), countered)
      .when('withdraw', {}, jon)
      .then({ type: 'OfferWithdrawn', data: { by: 'jon' } })
    given(opened()).when('withdraw', {}, jon).rejects('offer_not_yours')
    given(opened()).when('accept', { amount: 9_000n }, { actor: 'ann' }).rejects('negotiation_of_others')
  })

  it('is accepted at the amount that was seen', () => {
    given(opened()).when('accept', { amount: 9_000n }, jon).then(accepted)
    given(opened(), countered).when('accept', { amount: 9_000n }, mira).rejects('offer_other_amount')
    given(opened(), accepted).when('counter', { amount: 1n }, jon).rejects('negotiation_ended')
  })

  it('ends when its last offer expires', () => {
    const expired = { type: 'OfferExpired', data: { expires_at: LATER } } as const
    given(opened({ expires_at: LATER }))
      .when('accept', { amount: 9_000n }, { ...jon, at: LATER })
      .rejects('negotiation_ended')
    given(opened({ expires_at: LATER }))
      .when('expire', { expires_at: LATER })
      .then(expired)
    given(opened({ expires_at: LATER }), countered)
      .when('expire', { expires_at: LATER })
      .changesNothing()
    given(opened({ expires_at: LATER }), expired)
      .when('expire', { expires_at: LATER })
      .changesNothing()
  })
})
