import { balances } from '../../../projections/wallet/balances.ts'
import { holds } from '../../../projections/wallet/holds.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { book, second } from './book.ts'

const of = { account: 'main', currency: 'EUR' }
const facts = [
  ...book,
  { type: 'FundsHeld', data: { hold: 'deposit', ...of, amount: 100n, description: 'Deposit' } },
  { type: 'FundsHeld', data: { hold: 'order', ...of, amount: 30n, expiresAt: '2026-04-01T00:00:00.000Z' } },
  { type: 'FundsHeld', data: { hold: 'fine', ...of, amount: 5n, places: 3 } },
  { type: 'HoldCaptured', data: { hold: 'deposit', ...of, amount: 60n, released: 40n, entry: 'e9' } },
].map((fact, n) => ({ ...fact, id: 'studio', at: second(n) }))

describe('rows: holds', () => {
  it('say what is held, until when, and how it ended', () =>
    rowsFor(holds)
      .given(...facts, {
        type: 'HoldReleased',
        data: { hold: 'order', ...of, amount: 30n, reason: 'Late' },
        id: 'studio',
      })
      .then(
        {
          hold: 'deposit',
          status: 'captured',
          amount: 100n,
          captured: 60n,
          entry: 'e9',
          description: 'Deposit',
          held_at: second(5),
          updated_at: second(8),
          revision: 8n,
        },
        { hold: 'fine', status: 'open', amount: 5n, places: 3, expires_at: undefined },
        { hold: 'order', status: 'released', amount: 30n, reason: 'Late', expires_at: '2026-04-01T00:00:00.000Z' },
      ))
  it('are impossible to end before they are made', () =>
    rowsFor(holds)
      .given(...book, facts.at(-1)!)
      .isImpossible())
})

describe('rows: balances with holds', () => {
  it('add up what is held, in the finest unit', () =>
    rowsFor(balances)
      .given(...facts)
      .then({ account: 'main', balance: 3000n, held: 305n, places: 3, revision: 8n }, { account: 'taxes', held: 0n }))
})
