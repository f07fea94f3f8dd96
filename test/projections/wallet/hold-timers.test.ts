import { holdTimers } from '../../../projections/wallet/hold-timers.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const LATER = '2026-02-28T12:00:00.000Z'
const amount = { account: 'main', currency: 'EUR', amount: 300n }
const heldFor = (hold: string, more: object = {}) => ({ type: 'FundsHeld', data: { hold, ...amount, ...more } })
const released = (hold: string) => ({ type: 'HoldReleased', data: { hold, ...amount } })

describe('timers of holds', () => {
  const { given } = rowsFor(holdTimers)
  const expiring = (hold: string) => heldFor(hold, { expiresAt: LATER })
  const timer = (hold: string) => ({
    slot: hold,
    due_at: LATER,
    category: 'wallet',
    command: 'release',
    body: { hold, reason: 'expired' },
  })

  it('release each hold that expires, unless it ended before', async () => {
    await given(expiring('a'), heldFor('b'), expiring('c')).then(timer('a'), timer('c'))
    const captured = { type: 'HoldCaptured', data: { hold: 'a', ...amount, released: 0n, entry: 'e' } }
    await given(expiring('a'), expiring('c'), captured, released('c')).then()
  })
})
