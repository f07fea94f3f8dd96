import type { z } from 'zod'
import { currency, date, id, minorUnits, object, text, unsigned64 } from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/wallet/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'

/** The unit of amounts that are in the minor unit of their currency in the wallet. */
export const USUAL_UNIT = 'usual'

const row = object({
  org: id('org'),
  wallet: id('wallet'),
  account: text(255),
  currency,
  effective_on: date,
  unit: text(5).meta({ description: 'decimal places of the sums, where they are finer than usual' }),
  credits: minorUnits,
  debits: minorUnits,
  lines: unsigned64,
})
type Row = z.output<typeof row>

const on: Handlers<Row, typeof events> = {
  WalletOpened: null,
  AccountOpened: null,
  EntryPosted: {
    keys: ({ data, metadata: { org, id } }) =>
      data.postings.map(({ account, currency, places = USUAL_UNIT, effectiveOn = data.effectiveOn }) => ({
        org,
        wallet: id,
        account,
        currency,
        effective_on: effectiveOn,
        unit: String(places),
      })),
    fold: (row, { data, metadata: { org, id } }, key) => {
      const mine = data.postings.filter(
        ({ account, currency, places = USUAL_UNIT, effectiveOn = data.effectiveOn }) =>
          account === key.account &&
          currency === key.currency &&
          effectiveOn === key.effective_on &&
          String(places) === key.unit,
      )
      let { credits = 0n, debits = 0n, lines = 0n } = row ?? {}
      for (const { amount } of mine) {
        if (amount > 0n) credits += amount
        else debits -= amount
        lines += 1n
      }
      const { account, currency, places = USUAL_UNIT, effectiveOn = data.effectiveOn } = mine[0]!
      return {
        org,
        wallet: id,
        account,
        currency,
        effective_on: effectiveOn,
        unit: String(places),
        credits,
        debits,
        lines,
      }
    },
  },
  FundsHeld: null,
  HoldCaptured: null,
  HoldReleased: null,
  WalletChanged: null,
  AccountOverdraftChanged: null,
  AccountClosed: null,
  AccountReopened: null,
  WalletClosed: null,
}

/**
 * What was posted to an account for each day, external accounts too: statements add up days instead of postings, and a
 * posting for an earlier day changes the row of that day alone. Amounts in several units have a row for each.
 */
export const accountDays = projection({
  name: 'account_days',
  service: 'wallet',
  version: 1,
  history: false,
  of: { wallet: events },
  row,
  key: ['org', 'wallet', 'account', 'currency', 'effective_on', 'unit'],
  on,
})
