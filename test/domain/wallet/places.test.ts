import { expect } from 'chai'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { MAX_MINOR_UNITS } from '../../../domain/kernel/schema.ts'
import type { events } from '../../../domain/wallet/wallet/messages.ts'
import { addUp, coarsest } from '../../../domain/wallet/wallet/places.ts'
import { accountOf, wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { CONTEXT, specFor, stateOf } from '../../support/spec.ts'

type Fact = EventOf<typeof events>
type Posting = { account: string; currency: string; amount: bigint; places?: number }

const { given } = specFor(wallet)
const opened: Fact = { type: 'WalletOpened', data: { owner: 'user-1', kind: 'business' } }
const account = (
  name: string,
  currency: string,
  places: number,
  overdraft: 'refused' | 'allowed' = 'refused',
): Fact => ({
  type: 'AccountOpened',
  data: { account: name, currency, places, overdraft },
})
const shares = (name: string, amount: bigint, places?: number): Posting => ({
  account: name,
  currency: 'FUND',
  amount,
  ...(places !== undefined && { places }),
})
const journal = (...postings: Posting[]): Fact => ({
  type: 'EntryPosted',
  data: { kind: 'journal', postings, entry: 'made-0', effectiveOn: CONTEXT.at.slice(0, 10) },
})
const wholes = [opened, account('depot', 'FUND', 0), journal(shares('depot', 3n), shares('external:broker', -3n))]
const heldIn = (facts: readonly Fact[]) => accountOf(stateOf(wallet, facts), 'depot', 'FUND')

describe('wallet: decimal places that grow', () => {
  it('takes a posting that is finer than the minor unit, and what was booked stays as it was', () => {
    const postings = [shares('depot', 25312n, 4), shares('external:broker', -25312n, 4)]
    given(...wholes)
      .when('post', { postings })
      .then(journal(...postings))
    expect(heldIn(wholes)).to.deep.equal({ ...shares('depot', 3n), overdraft: 'refused' })
    expect(heldIn([...wholes, journal(...postings)])).to.deep.include({ amount: 55312n, places: 4 })
  })
  it('never lets them shrink', () => {
    const finer = [shares('depot', 5n, 1), shares('external:broker', -5n, 1)]
    const again = [journal(...finer), journal(...finer), journal(shares('depot', 1n), shares('external:broker', -1n))]
    expect(heldIn([...wholes, ...again])).to.deep.include({ amount: 50n, places: 1 })
  })
  it('states an amount in as few places as it needs, and no fewer than the currency has', () => {
    given(...wholes)
      .when('post', { postings: [shares('depot', 20000n, 4), shares('external:broker', -2n, 0)] })
      .then(journal(shares('depot', 2n), shares('external:broker', -2n)))
    given(opened, account('depot', 'FUND', 2))
      .when('post', { postings: [shares('depot', 2n, 0), shares('external:broker', -200n)] })
      .then(journal(shares('depot', 200n), shares('external:broker', -200n)))
  })
  it('balances amounts in different units', () => {
    const postings = [shares('depot', 15n, 1), shares('external:a', -1n), shares('external:b', -500n, 3)]
    given(...wholes)
      .when('post', { postings })
      .then(journal(shares('depot', 15n, 1), shares('external:a', -1n), shares('external:b', -5n, 1)))
    given(...wholes)
      .when('post', { postings: [shares('depot', 15n, 1), shares('external:a', -1n)] })
      .rejects('entry_unbalanced')
  })
  it('takes them for credit and debit too, and looks at what is there in the same unit', () => {
    const half = { account: 'depot', currency: 'FUND', amount: 5n, places: 1, counterparty: 'external:x' }
    given(...wholes)
      .when('debit', half)
      .then({
        type: 'EntryPosted',
        data: {
          kind: 'debit',
          postings: [shares('external:x', 5n, 1), shares('depot', -5n, 1)],
          entry: 'made-0',
          effectiveOn: '2026-01-31',
        },
      })
    given(...wholes)
      .when('debit', { ...half, amount: 31n })
      .rejects('insufficient_funds')
  })
  it('refuses them for an ISO currency, and where nobody can know the unit', () => {
    const euro = (amount: bigint, places?: number) => ({ ...shares('bank', amount, places), currency: 'EUR' })
    given(opened, account('bank', 'EUR', 2))
      .when('post', { postings: [euro(1005n, 3), { ...euro(-1005n, 3), account: 'external:x' }] })
      .rejects('currency_places_mismatch')
    given(opened)
      .when('post', { postings: [shares('depot', 1n, 1), shares('external:x', -1n, 1)] })
      .rejects('currency_places_unknown')
  })
  it('keeps balances and amounts within 38 digits', () => {
    const most = [account('depot', 'FUND', 0, 'allowed')]
    const all = MAX_MINOR_UNITS
    given(opened, ...most, journal(shares('depot', all), shares('external:x', -all)))
      .when('post', { postings: [shares('depot', 1n, 1), shares('external:x', -1n, 1)] })
      .rejects('amount_out_of_range')
    given(opened, account('depot', 'FUND', 4))
      .when('post', { postings: [shares('depot', all, 0), shares('depot', -all, 0)] })
      .rejects('amount_out_of_range')
  })
  it('keeps the day of a posting, and what an entry takes back or stands for', () => {
    const postings = [{ ...shares('depot', 1n), effective_on: '2026-02-03' }, shares('external:broker', -1n)]
    given(...wholes)
      .when('post', { postings, effective_on: '2026-02-01', source: 'books', reverses: 'e1', replaces: 'e2' })
      .then({
        type: 'EntryPosted',
        data: {
          kind: 'journal',
          postings: [{ ...shares('depot', 1n), effectiveOn: '2026-02-03' }, shares('external:broker', -1n)],
          entry: 'made-0',
          effectiveOn: '2026-02-01',
          source: 'books',
          reverses: 'e1',
          replaces: 'e2',
        },
      })
  })
  it('adds up exactly in the finest unit', () => {
    expect(
      addUp({ amount: -3n, places: 0 }, [
        { amount: 25n, places: 1 },
        { amount: 1n, places: 3 },
      ]),
    ).to.deep.equal({
      amount: -499n,
      places: 3,
    })
    expect(coarsest(0n, 5, 2)).to.deep.equal({ amount: 0n, places: 2 })
    expect(coarsest(-1200n, 3, 0)).to.deep.equal({ amount: -12n, places: 1 })
  })
})
