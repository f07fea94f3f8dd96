/** The wallet's storage and wire contract: add, never rename; change a shape with an upcaster. */
import {
  currency,
  date,
  id,
  integer,
  list,
  minorUnits,
  object,
  oneOf,
  personal,
  positiveMinorUnits,
  sealed,
  text,
  timestamp,
} from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'

/** Accounts beginning with this stand for the world outside the wallet: named, never opened, unlimited. */
export const EXTERNAL = 'external:'
/** Postings of one entry: real books have transactions of several hundred. */
export const POSTINGS_MAX = 1000

const account = text(255)
  .refine(name => name !== EXTERNAL, 'an external account has a name')
  .meta({
    description: 'account name, 1 to 255 characters; `external:…` is the world outside, and has a name after the colon',
  })
const places = integer(0, 30).meta({ description: 'decimal places of the minor unit' })
const kind = oneOf('personal', 'portfolio', 'office', 'business')
const overdraft = oneOf('refused', 'allowed').meta({ description: 'whether the balance may fall below zero' })
const finerPlaces = places.meta({
  description: 'decimal places of the amount where it is finer than the minor unit of the currency in the wallet',
})
const posting = { account, currency, amount: minorUnits, places: finerPlaces.optional() }
const stored = object({ ...posting, effectiveOn: date.optional() })
const asked = object({ ...posting, effective_on: date.optional() })
const description = text(1000)
const why = { reason: reason.optional() }
const hold = id('hold')
const held = { hold, account, currency, amount: positiveMinorUnits, places: finerPlaces.optional() }
const expiry = timestamp.meta({
  description:
    'when the hold is to be released by itself, an instant in UTC with milliseconds: 2026-01-31T12:00:00.000Z',
})
const origin = {
  source: text(255)
    .meta({ description: 'name of the journal that the entry was imported from, 1 to 255 characters' })
    .optional(),
  reverses: id('entry').meta({ description: 'id of the entry that this one takes back' }).optional(),
  replaces: id('entry').meta({ description: 'id of the entry that this one stands for, as it is now' }).optional(),
}

export const events = {
  WalletOpened: object({ owner: id('user'), holder: sealed.optional(), kind }),
  AccountOpened: object({ account, currency, places, overdraft }),
  EntryPosted: object({
    entry: id('entry'),
    kind: oneOf('credit', 'debit', 'journal'),
    postings: list(stored, POSTINGS_MAX, 2),
    effectiveOn: date,
    description: description.optional(),
    ...origin,
  }),
  FundsHeld: object({ ...held, expiresAt: expiry.optional(), description: description.optional() }),
  /** Follows the entry that takes the amount. What was held beyond it is released; both are in the same unit. */
  HoldCaptured: object({ ...held, released: minorUnits, entry: id('entry') }),
  HoldReleased: object({ ...held, ...why }),
  WalletChanged: object({ holder: sealed.nullable().optional(), ...why }),
  AccountOverdraftChanged: object({ account, currency, from: overdraft, to: overdraft, ...why }),
  AccountClosed: object({ account, currency, ...why }),
  AccountReopened: object({ account, currency, ...why }),
  WalletClosed: object({ ...why }),
} as const

const counterparty = text(255)
  .regex(/^external:./, 'must be `external:` and a name')
  .meta({
    pattern: '^external:[^\\x00]+$',
    description: 'the external account on the other side, up to 255 characters',
  })
  .default('external:unspecified')
const oneSided = {
  account,
  currency,
  amount: positiveMinorUnits,
  places: finerPlaces.optional(),
  counterparty,
  effective_on: date.optional(),
  description: description.optional(),
}

/** Where the examples of commands post; together they leave nothing, so that the wallet can be closed. */
const checking = { account: 'checking', currency: 'EUR' }

/**
 * What no new account and no new hold is called, because its path would lead elsewhere: reads have paths of their own
 * under some names, and URLs resolve dots away. What has such a name already keeps it.
 */
const DOTS = ['.', '..']
export const NO_CURRENCIES: readonly string[] = [...DOTS, 'statement', 'end-of-day']
const unless = (name: typeof account, taken: readonly string[]) =>
  name.refine(value => !taken.includes(value), {
    error: ({ input }) => `${input} is taken by a path: choose another name`,
  })

export const commands = {
  open: object({
    id: id('wallet').optional(),
    owner: id('user').optional(),
    holder: personal('owner', text(200)).optional(),
    kind,
  }).meta({ examples: [{ id: 'studio', kind: 'business', holder: 'Mira Okonjo' }] }),
  openAccount: object({
    account: unless(account, DOTS),
    currency: unless(currency, NO_CURRENCIES),
    places: places.optional(),
    overdraft,
  }).meta({
    examples: [{ ...checking, overdraft: 'refused' }],
  }),
  credit: object(oneSided).meta({
    examples: [{ ...checking, amount: '125000', counterparty: 'external:client', description: 'Invoice 7' }],
  }),
  debit: object(oneSided).meta({
    examples: [{ ...checking, amount: '4200', counterparty: 'external:supplies', description: 'Paper' }],
  }),
  hold: object({
    ...held,
    hold: unless(hold, ['summary']).optional(),
    expires_at: expiry.optional(),
    description: description.optional(),
  }).meta({ examples: [{ hold: 'hall', ...checking, amount: '20000', description: 'Deposit for the hall' }] }),
  capture: object({
    hold,
    amount: positiveMinorUnits.meta({ description: 'what to take; all that is held, where it is left out' }).optional(),
    places: finerPlaces.optional(),
    counterparty,
    effective_on: date.optional(),
    description: description.optional(),
  }).meta({ examples: [{ hold: 'hall', counterparty: 'external:hall' }] }),
  release: object({ hold, ...why }).meta({ examples: [{ hold: 'hall', reason: 'Cancelled' }] }),
  post: object({
    postings: list(asked, POSTINGS_MAX, 2),
    effective_on: date.optional(),
    description: description.optional(),
    ...origin,
  }).meta({
    examples: [
      {
        postings: [
          { ...checking, amount: '-100800' },
          { account: 'external:owner', currency: 'EUR', amount: '100800' },
        ],
        description: 'Paid out',
      },
    ],
  }),
  change: object({ holder: personal('owner', text(200)).nullable().optional(), ...why }).meta({
    examples: [{ holder: 'Mira Okonjo-Lind', reason: 'Married' }],
  }),
  changeAccount: object({ account, currency, overdraft: overdraft.optional(), ...why }).meta({
    examples: [{ ...checking, overdraft: 'allowed' }],
  }),
  closeAccount: object({ account, currency, ...why }).meta({ examples: [checking] }),
  reopenAccount: object({ account, currency, ...why }).meta({ examples: [checking] }),
  close: object({ ...why }),
} as const

export const rejections = [
  'wallet_already_open',
  'wallet_closed',
  'account_not_open',
  'account_already_open',
  'account_is_external',
  'currency_places_unknown',
  'currency_places_mismatch',
  'entry_unbalanced',
  'entry_without_own_account',
  'insufficient_funds',
  'amount_out_of_range',
  'balance_not_zero',
  'hold_already_made',
  'hold_expiry_past',
  'hold_unknown',
  'hold_captured',
  'hold_released',
  'hold_exceeded',
  'hold_of_process',
  'holds_open',
  'account_closed',
  'account_overdrawn',
  'entries_to_come',
] as const
