import { transfer } from '../../../domain/wallet/transfer/transfer.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const LATER = '2026-02-28T12:00:00.000Z'
const MUCH_LATER = '2026-03-01T12:00:00.000Z'
const asked = {
  from: 'mira',
  from_account: 'main',
  to: 'ben',
  to_account: 'savings',
  currency: 'EUR',
  amount: 300n,
} as const
const movement = {
  from: 'mira',
  fromAccount: 'main',
  to: 'ben',
  toAccount: 'savings',
  currency: 'EUR',
  places: 2,
  amount: 300n,
} as const
const scheduled = { type: 'TransferScheduled', data: { ...movement, dueAt: LATER } } as const
const requested = { type: 'TransferRequested', data: movement } as const
const held = { type: 'TransferHeld', data: movement } as const
const heldInVain = { type: 'TransferHeldInVain', data: { from: 'mira' } } as const
const completed = { type: 'TransferCompleted', data: {} } as const
const refusal = { code: 'insufficient_funds', reason: 'too little' }
const refused = (step: 'hold' | 'credit') =>
  ({ type: 'TransferRefused', data: { step, ...refusal, from: 'mira' } }) as const
const timedOut = { type: 'TransferTimedOut', data: {} } as const
const cancelled = { type: 'TransferCancelled', data: {} } as const

describe('transfer', () => {
  const { given } = specFor(transfer)

  describe('request', () => {
    it('asks for a movement, at once or later', () => {
      given().when('request', asked).then(requested)
      given()
        .when('request', { ...asked, due_at: CONTEXT.at })
        .then(requested)
      given()
        .when('request', { ...asked, due_at: LATER })
        .then(scheduled)
      const expiring = { ...requested.data, expiresAt: MUCH_LATER }
      given()
        .when('request', { ...asked, expires_at: MUCH_LATER })
        .then({ type: 'TransferRequested', data: expiring })
    })
    it('is complete at once where it moves nothing', () => {
      const nothing = { ...requested, data: { ...movement, amount: 0n } }
      given()
        .when('request', { ...asked, amount: 0n })
        .then(nothing, completed)
      const self = { ...requested, data: { ...movement, to: 'mira', toAccount: 'main' } }
      given()
        .when('request', { ...asked, to: 'mira', to_account: 'main' })
        .then(self, completed)
      given({ ...scheduled, data: { ...scheduled.data, amount: 0n } })
        .when('start', {})
        .then(nothing, completed)
    })
    it('moves between accounts of one wallet', () =>
      given()
        .when('request', { ...asked, to: 'mira' })
        .then({ ...requested, data: { ...movement, to: 'mira' } }))
    it('states the decimal places, which a currency beyond ISO 4217 must name', () => {
      const ether = { ...asked, currency: 'ETHER' }
      given().when('request', ether).rejects('transfer_places_unknown')
      given()
        .when('request', { ...ether, places: 18 })
        .then({ ...requested, data: { ...movement, currency: 'ETHER', places: 18 } })
      given()
        .when('request', { ...asked, places: 2 })
        .then(requested)
      given()
        .when('request', { ...asked, places: 3 })
        .rejects('transfer_places_mismatch')
    })
    it('must expire after it begins', () => {
      given()
        .when('request', { ...asked, expires_at: CONTEXT.at })
        .rejects('transfer_expires_too_early')
      given()
        .when('request', { ...asked, due_at: LATER, expires_at: LATER })
        .rejects('transfer_expires_too_early')
    })
    it('names a new transfer', () => given(requested).when('request', asked).rejects('transfer_already_requested'))
  })

  it('begins once, when it is due', () => {
    given(scheduled).when('start', {}).then(requested)
    const expiring = { ...scheduled, data: { ...scheduled.data, expiresAt: MUCH_LATER } }
    given(expiring)
      .when('start', {})
      .then({ ...requested, data: { ...movement, expiresAt: MUCH_LATER } })
    for (const after of [[requested], [requested, held], [cancelled]]) {
      given(scheduled, ...after)
        .when('start', {})
        .changesNothing()
    }
  })

  it('is held once; a hold that comes after its end is one in vain', () => {
    given(requested).when('recordHold', {}).then(held)
    given(requested, held).when('recordHold', {}).changesNothing()
    given(requested, held, completed).when('recordHold', {}).changesNothing()
    for (const end of [refused('hold'), timedOut, cancelled]) {
      given(requested, end).when('recordHold', {}).then(heldInVain)
    }
  })

  it('is refused at the step that it stands at', () => {
    given(requested)
      .when('refuse', { step: 'hold', ...refusal })
      .then(refused('hold'))
    given(requested, held)
      .when('refuse', { step: 'credit', ...refusal })
      .then(refused('credit'))
    given(requested, held)
      .when('refuse', { step: 'hold', ...refusal })
      .changesNothing()
    given(requested)
      .when('refuse', { step: 'credit', ...refusal })
      .changesNothing()
    given(requested, timedOut)
      .when('refuse', { step: 'hold', ...refusal })
      .changesNothing()
  })

  it('ends once', () => {
    given(requested, held).when('complete', {}).then(completed)
    for (const end of [[held, completed], [held, refused('credit')], [timedOut]]) {
      given(requested, ...end)
        .when('complete', {})
        .changesNothing()
    }
  })

  it('times out until its amount is held, and does nothing after its end', () => {
    given(requested).when('timeOut', {}).then(timedOut)
    for (const after of [[held], [held, completed], [refused('hold')], [timedOut], [cancelled]]) {
      given(requested, ...after)
        .when('timeOut', {})
        .changesNothing()
    }
  })

  it('can be cancelled until its amount is held', () => {
    given(scheduled).when('cancel', {}).then(cancelled)
    given(requested).when('cancel', {}).then(cancelled)
    given(requested, cancelled).when('cancel', {}).changesNothing()
    given(requested, held).when('cancel', {}).rejects('transfer_under_way')
    given(requested, held, completed).when('cancel', {}).rejects('transfer_ended')
    given(requested, timedOut).when('cancel', {}).rejects('transfer_ended')
  })
})
