import type { z } from 'zod'
import {
  boolean,
  currency,
  date,
  id,
  integer,
  minorUnits,
  object,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { EXTERNAL, events, POSTINGS_MAX } from '../../domain/wallet/wallet/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { NO_POSTINGS } from './no-postings.ts'

const row = object({
  org: id('org'),
  wallet: id('wallet'),
  account: text(255),
  currency,
  revision: unsigned64,
  line: integer(0, POSTINGS_MAX - 1),
  position: unsigned64,
  entry: id('entry'),
  external: boolean,
  amount: minorUnits,
  places: integer(0, 30).optional().meta({ description: 'decimal places of the amount, where finer than usual' }),
  effective_on: date,
  description: text(1000).optional(),
  posted_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  ...NO_POSTINGS,
  EntryPosted: {
    append: ({ data, metadata: { org, id, at }, revision, position }) =>
      data.postings.map(({ account, currency, amount, places, effectiveOn = data.effectiveOn }, line) => ({
        org,
        wallet: id,
        account,
        currency,
        revision,
        line,
        position,
        entry: data.entry,
        external: account.startsWith(EXTERNAL),
        amount,
        places,
        effective_on: effectiveOn,
        description: data.description,
        posted_at: at,
      })),
  },
}

/** One row per posting, external accounts too: the lines that statements add up. */
export const postings = projection({
  name: 'postings',
  service: 'wallet',
  version: 2,
  history: false,
  of: { wallet: events },
  row,
  key: ['org', 'wallet', 'account', 'currency', 'revision', 'line'],
  // What statements are read by (read-api/wallet).
  indexes: [['org', 'wallet', 'account', 'currency', 'effective_on', 'revision', 'line']],
  on,
})
