import { standingOrderTimers } from '../../../projections/wallet/standing-order-timers.ts'
import { standingOrders } from '../../../projections/wallet/standing-orders.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const movement = {
  from: 'mira',
  fromAccount: 'main',
  to: 'ben',
  toAccount: 'savings',
  currency: 'EUR',
  places: 2,
  amount: 300n,
}
const recurrence = { rule: 'FREQ=DAILY;COUNT=2', starts: '2026-02-01T09:00:00', zone: 'UTC' }
const first = { at: '2026-02-01T09:00:00.000Z', number: 1 }
const second = { at: '2026-02-02T09:00:00.000Z', number: 2 }
const transfer = '00000000-0000-4000-8000-000000000001'
const opened = { type: 'StandingOrderOpened', data: { ...movement, ...recurrence, next: first } }
const fired = { type: 'StandingOrderFired', data: { ...movement, due: first, transfer, next: second } }
const last = { type: 'StandingOrderFired', data: { ...movement, due: second, transfer } }
const cancelled = { type: 'StandingOrderCancelled', data: {} }

describe('standing orders', () => {
  const { given } = rowsFor(standingOrders)

  it('show what they move and when they are due', async () => {
    await given(opened).then({ id: CONTEXT.id, status: 'open', next_at: first.at, fired: 0n, last_at: undefined })
    await given(opened, fired).then({ status: 'open', next_at: second.at, fired: 1n, last_at: first.at })
    await given(opened, fired, last).then({ status: 'ended', next_at: undefined, fired: 2n, last_transfer: transfer })
    await given(opened, cancelled).then({ status: 'cancelled', next_at: undefined })
    const refused = { type: 'StandingOrderRefused', data: { transfer, code: 'reference_unknown', reason: 'r' } }
    await given(opened, fired, refused).then({ refused: 1n, refusal: 'reference_unknown' })
  })
})

describe('timers of standing orders', () => {
  const { given } = rowsFor(standingOrderTimers)
  const timer = (due: typeof first) => ({ due_at: due.at, command: 'fire', category: 'standingorder', body: { due } })

  it('fire at the next time, until there is none', async () => {
    await given(opened).then(timer(first))
    await given(opened, fired).then(timer(second))
    await given(opened, fired, last).then()
    await given(opened, fired, cancelled).then()
  })
})
