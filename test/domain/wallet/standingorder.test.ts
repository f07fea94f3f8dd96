import { expect } from 'chai'
import { standingOrder } from '../../../domain/wallet/standingorder/standingorder.ts'
import { specFor } from '../../support/spec.ts'

const asked = {
  from: 'mira',
  from_account: 'main',
  to: 'ben',
  to_account: 'savings',
  currency: 'EUR',
  amount: 300n,
  rule: 'FREQ=MONTHLY;BYMONTHDAY=1;COUNT=2',
  starts: '2026-03-01T09:00:00',
  zone: 'Europe/Berlin',
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
const { rule, starts, zone } = asked
const first = { at: '2026-03-01T08:00:00.000Z', number: 1 }
const second = { at: '2026-04-01T07:00:00.000Z', number: 2 }
const TRANSFER = '00000000-0000-4000-8000-000000000001'
const opened = { type: 'StandingOrderOpened', data: { ...movement, rule, starts, zone, next: first } } as const
const fired = (due: typeof first, next?: typeof first) =>
  ({ type: 'StandingOrderFired', data: { ...movement, due, transfer: TRANSFER, ...(next && { next }) } }) as const
const cancelled = { type: 'StandingOrderCancelled', data: {} } as const
const made = { newId: () => TRANSFER }

describe('standing order', () => {
  const { given } = specFor(standingOrder)

  it('is open until its rule names no more times', () => {
    given().when('open', asked).then(opened)
    given(opened).when('fire', { due: first }, made).then(fired(first, second))
    given(opened, fired(first, second)).when('fire', { due: second }, made).then(fired(second))
    given(opened, fired(first, second), fired(second)).when('fire', { due: second }).changesNothing()
  })

  it('fires each time once, and nothing after its end', () => {
    given(opened, fired(first, second)).when('fire', { due: first }).changesNothing()
    given(opened).when('fire', { due: second }).changesNothing()
    given(opened, cancelled).when('fire', { due: first }).changesNothing()
  })

  it('counts the times before it was opened, and fires none of them', () => {
    const early = { ...asked, starts: '2026-01-01T09:00:00' }
    const next = { at: '2026-02-01T08:00:00.000Z', number: 2 }
    given()
      .when('open', early)
      .then({ ...opened, data: { ...opened.data, starts: early.starts, next } })
  })

  it('refuses what can never be due, or what nobody can read', () => {
    const refused = (more: object, code: string) =>
      given()
        .when('open', { ...asked, ...more })
        .rejects(code)
    refused({ rule: 'FREQ=FORTNIGHTLY' }, 'standing_order_rule_invalid')
    refused({ rule: 'every month' }, 'standing_order_rule_invalid')
    refused({ zone: 'Berlin' }, 'standing_order_zone_unknown')
    refused({ starts: '2020-01-01T00:00:00' }, 'standing_order_never_due')
    refused({ rule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' }, 'standing_order_never_due')
    refused({ currency: 'BEANS' }, 'standing_order_places_unknown')
    refused({ places: 3 }, 'standing_order_places_mismatch')
    given(opened).when('open', asked).rejects('standing_order_already_open')
  })

  it('gives up soon on a rule that names nothing', () => {
    const rules = [
      'FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30',
      'FREQ=MINUTELY;BYSECOND=1;INTERVAL=7;BYYEARDAY=366;BYMONTH=1',
    ]
    for (const never of rules) {
      const start = performance.now()
      given()
        .when('open', { ...asked, rule: never })
        .rejects('standing_order_never_due')
      expect(performance.now() - start).to.be.below(2_000)
    }
  })

  it('can be cancelled until it has ended', () => {
    given(opened).when('cancel', {}).then(cancelled)
    given(opened, cancelled).when('cancel', {}).changesNothing()
    given(opened, fired(first)).when('cancel', {}).rejects('standing_order_ended')
  })

  it('notes a transfer that could not be requested', () => {
    const refusal = { transfer: TRANSFER, code: 'reference_unknown', reason: 'no such wallet' }
    given(opened, fired(first, second))
      .when('recordRefusal', refusal)
      .then({ type: 'StandingOrderRefused', data: refusal })
  })
})
