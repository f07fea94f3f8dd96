import { currency, id, minorUnits, object, text, unsigned64 } from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/wallet/messages.ts'
import { projection } from '../rows/projection.ts'
import { accountDays } from './account-days.ts'
import { NO_POSTINGS } from './no-postings.ts'
import { addsUp, effectiveDayOf } from './posting-sums.ts'

const row = object({
  org: id('org'),
  wallet: id('wallet'),
  account: text(255),
  currency,
  month: text(7).meta({ description: 'month that the postings count for: YYYY-MM' }),
  unit: text(5).meta({ description: 'decimal places of the sums, where they are finer than usual' }),
  credits: minorUnits,
  debits: minorUnits,
  lines: unsigned64,
})

const monthOf = (...of: Parameters<typeof effectiveDayOf>) => effectiveDayOf(...of).slice(0, 7)

/** The same as `account_days` for each month: reports add up whole months, and days only of those that they cut. */
export const accountMonths = projection({
  name: 'account_months',
  service: 'wallet',
  version: 1,
  after: accountDays,
  history: false,
  of: { wallet: events },
  row,
  key: ['org', 'wallet', 'account', 'currency', 'month', 'unit'],
  on: {
    ...NO_POSTINGS,
    EntryPosted: addsUp({
      keys: ({ org, wallet, account, currency, unit }, posting, event) => [
        { org, wallet, account, currency, month: monthOf(posting, event), unit },
      ],
      isOf: (posting, event, { month }) => monthOf(posting, event) === month,
      row: ({ org, wallet, account, currency, month, unit }, { credits, debits, lines }) => {
        return { org, wallet, account, currency, month, unit, credits, debits, lines }
      },
    }),
  },
})
