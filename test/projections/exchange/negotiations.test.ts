import { negotiationTimers } from '../../../projections/exchange/negotiation-timers.ts'
import { negotiations } from '../../../projections/exchange/negotiations.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const expires = '2026-02-28T12:00:00.000Z'
const asked = { from: 'mira', to: 'jon', amount: 9_000n, currency: 'EUR', places: 2, message: 'Both?' }
const opened = { type: 'NegotiationOpened', data: { ...asked, expires_at: expires } }
const countered = { type: 'OfferCountered', data: { amount: 11_000n, from: 'jon', to: 'mira' } }

describe('rows: negotiations', () => {
  const { given } = rowsFor(negotiations)

  it('are the last offer, for the two parties alone', async () => {
    const readers = ['user mira', 'user jon']
    await given(opened).then({ ...asked, status: 'open', offers: 1n, privacy: 'private', readers, expires_at: expires })
    const turn = { from: 'jon', to: 'mira', amount: 11_000n, message: undefined, expires_at: undefined }
    await given(opened, countered).then({ ...turn, offers: 2n, opened_by: 'mira', readers })
  })

  for (const [type, data, status] of [
    ['OfferAccepted', { amount: 9_000n, by: 'jon' }, 'accepted'],
    ['OfferDeclined', { by: 'jon' }, 'declined'],
    ['OfferWithdrawn', { by: 'mira' }, 'withdrawn'],
    ['OfferExpired', { expires_at: expires }, 'expired'],
  ] as const) {
    it(`say that they are ${status}`, () =>
      given(opened, { type, data, at: expires }).then({ status, ended_at: expires }))
  }
})

describe('rows: timers of negotiations', () => {
  const { given } = rowsFor(negotiationTimers)

  it('are set for the end of the last offer, where it has one', async () => {
    await given(opened).then({ due_at: expires, command: 'expire', body: { expires_at: expires } })
    await given(opened, countered).then()
    await given(opened, { type: 'OfferDeclined', data: { by: 'jon' } }).then()
  })
})
