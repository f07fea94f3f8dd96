import type { z } from 'zod'
import { currency, date, id, minorUnits, object, text, unsigned64 } from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/wallet/messages.ts'
import { projection } from '../rows/projection.ts'
import { NO_POSTINGS } from './no-postings.ts'
import { addsUp, effectiveDayOf } from './posting-sums.ts'

/**
 * A narrow block is 2^11 revisions of the wallet: its postings are read one by one where a question cuts through it. A
 * wide one is 2^16: of those that a question cuts through the narrow ones are read.
 */
export const NARROW = 11
export const WIDE = 16
const SIZES = [BigInt(NARROW), BigInt(WIDE)]
/** The postings of the revisions before this one are in no block, because most wallets have no more: they are read. */
export const FIRST = 512

const row = object({
  org: id('org'),
  wallet: id('wallet'),
  account: text(255),
  currency,
  bits: unsigned64.meta({ description: 'a block has 2 to the power of so many revisions' }),
  block: unsigned64.meta({ description: 'revision of the wallet, without its last bits' }),
  month: text(7).meta({ description: 'month that the postings count for: YYYY-MM' }),
  unit: text(5).meta({ description: 'decimal places of the sums, where they are finer than usual' }),
  credits: minorUnits,
  debits: minorUnits,
  lines: unsigned64,
  first_position: unsigned64,
  last_position: unsigned64,
  first_posted: date.meta({ description: 'earliest day on which one of the postings was made' }),
  last_posted: date,
})

type Row = z.output<typeof row>

const monthOf = (...of: Parameters<typeof effectiveDayOf>) => effectiveDayOf(...of).slice(0, 7)

/**
 * What was posted to an account by blocks of revisions, of two sizes, for each month, with the positions and days that
 * they span. Statements of the past, and those in the order of posting, add up the blocks and months that lie wholly
 * within their question, and read postings only of those that it cuts through.
 */
export const accountBlocks = projection({
  name: 'account_blocks',
  service: 'wallet',
  version: 4,
  history: false,
  of: { wallet: events },
  row,
  key: ['org', 'wallet', 'account', 'currency', 'bits', 'block', 'month', 'unit'],
  on: {
    ...NO_POSTINGS,
    EntryPosted: addsUp({
      keys(account, posting, event) {
        if (event.revision < FIRST) return []
        const month = monthOf(posting, event)
        return SIZES.map(bits => ({ ...account, bits, block: event.revision >> bits, month }))
      },
      isOf: (posting, event, { month }) => monthOf(posting, event) === month,
      row: (key, { credits, debits, lines }, before: Row | undefined, { position, metadata: { at } }) => {
        const day = at.slice(0, 10)
        return {
          ...key,
          credits,
          debits,
          lines,
          first_position: before?.first_position ?? position,
          last_position: position,
          first_posted: before && before.first_posted < day ? before.first_posted : day,
          last_posted: before && before.last_posted > day ? before.last_posted : day,
        }
      },
    }),
  },
})
