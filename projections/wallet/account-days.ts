import { currency, date, id, minorUnits, object, text, unsigned64 } from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/wallet/messages.ts'
import { projection } from '../rows/projection.ts'
import { NO_POSTINGS } from './no-postings.ts'
import { addsUp, effectiveDayOf } from './posting-sums.ts'

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
  on: {
    ...NO_POSTINGS,
    EntryPosted: addsUp({
      // Written out, because a spread takes longer than all the rest of it.
      keys: ({ org, wallet, account, currency, unit }, posting, event) => [
        { org, wallet, account, currency, effective_on: effectiveDayOf(posting, event), unit },
      ],
      isOf: (posting, event, { effective_on }) => effectiveDayOf(posting, event) === effective_on,
      row: ({ org, wallet, account, currency, effective_on, unit }, { credits, debits, lines }) => {
        return { org, wallet, account, currency, effective_on, unit, credits, debits, lines }
      },
    }),
  },
})
