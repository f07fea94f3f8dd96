/** Fields that messages of the wallet have in common: names and forms are the storage format. */
import {
  currency,
  date,
  id,
  integer,
  jsonObject,
  list,
  minorUnits,
  object,
  oneOf,
  positiveMinorUnits,
  refined,
  text,
  timestamp,
  unsignedMinorUnits,
} from '../../kernel/schema.ts'
import { positiveDecimal } from '../../record/decimal.ts'
import { reason } from '../../record/reason.ts'

/** Accounts beginning with this stand for the world outside the wallet: named, never opened, unlimited. */
export const EXTERNAL = 'external:'
/** Postings of one entry: real books have transactions of several hundred. */
export const POSTINGS_MAX = 1000

export const account = refined(text(255), name => name !== EXTERNAL, 'an external account has a name').meta({
  description: 'account name, 1 to 255 characters; `external:…` is the world outside, and has a name after the colon',
})
export const places = integer(0, 30).meta({ description: 'decimal places of the minor unit' })
export const walletKind = oneOf('personal', 'portfolio', 'office', 'business')
export const overdraft = oneOf('refused', 'allowed').meta({ description: 'whether the balance may fall below zero' })

/** The five types of double-entry bookkeeping: reports are made of them. */
export const accountType = oneOf('asset', 'liability', 'equity', 'income', 'expense').meta({
  description: 'what the account is in reports; without one it is what its name says (`income:…`), else an asset',
})
export const accountKind = oneOf('checking', 'savings', 'cash', 'investment', 'credit', 'loan', 'other').meta({
  description: 'what kind of account it is',
})
export const limit = unsignedMinorUnits.meta({
  description: 'how far below zero the balance may fall: the limit of an overdraft or of a credit, in minor units',
})
export const minimum = unsignedMinorUnits.meta({
  description: 'what must stay in the account: nothing of it can be spent or held, in minor units',
})

export const finerPlaces = places.meta({
  description: 'decimal places of the amount where it is finer than the minor unit of the currency in the wallet',
})
const posting = { account, currency, amount: minorUnits, places: finerPlaces.optional() }
export const stored = object({ ...posting, effectiveOn: date.optional() })
export const asked = object({ ...posting, effective_on: date.optional() })
const description = text(1000)
export const why = { reason: reason.optional() }
export const hold = id('hold')
export const held = { hold, account, currency, amount: positiveMinorUnits, places: finerPlaces.optional() }
export const expiry = timestamp.meta({
  description:
    'when the hold is to be released by itself, an instant in UTC with milliseconds: 2026-01-31T12:00:00.000Z',
})

export const entryKind = oneOf(
  'credit',
  'debit',
  'journal',
  'transfer',
  'fee',
  'interest',
  'adjustment',
  'conversion',
).meta({ description: 'what kind of entry it is' })

/** What an entry says of itself beside its postings. */
export const said = {
  description: description.optional(),
  reference: text(255)
    .meta({ description: 'the number that others know it by: of an invoice, of a bank. Need not be unique' })
    .optional(),
  tags: list(text(64), 50).optional(),
  metadata: jsonObject.optional(),
}
const pattern = text(255).meta({ description: 'account names; `*` stands for any number of characters' })
export const right = oneOf('post', 'manage').meta({
  description: '`post`: entries and holds; `manage`: also who the users are',
})
/** A chart of accounts: see `chart.ts`. */
export const chart = {
  mode: oneOf('enforced', 'reported', 'off').meta({
    description:
      '`enforced`: entries and accounts that deviate are refused; `reported`: entries name their deviations; `off`: ' +
      'the chart only says what external accounts are in reports',
  }),
  rules: list(
    object({
      account: pattern,
      type: accountType.optional(),
      currencies: list(currency, 50, 1).optional(),
      with: list(pattern, 100)
        .meta({
          description: 'the accounts that may stand on the other side of its postings; any, where this is left out',
        })
        .optional(),
    }),
    500,
  ).meta({ description: 'the first one that matches an account is its rule' }),
}
const ofAccount = account
  .optional()
  .meta({ description: 'only what leaves this account; all accounts of the wallet together, where it is left out' })
/** What processes may send out of a wallet: see `sending.ts`. */
export const transferRules = {
  zone: text(64).default('UTC').meta({ description: 'time zone in which days and months are counted: Europe/Berlin' }),
  limits: list(
    object({
      currency,
      account: ofAccount,
      per_day: positiveMinorUnits
        .meta({ description: 'what may be sent on one day, in minor units of the currency' })
        .optional(),
      per_month: positiveMinorUnits
        .meta({ description: 'what may be sent in one month, in minor units of the currency' })
        .optional(),
    }),
    100,
  ).default([]),
  approvals: list(
    object({
      currency,
      account: ofAccount,
      above: unsignedMinorUnits.meta({ description: 'a transfer of more than that needs a second person' }),
    }),
    100,
  ).default([]),
}

/** The project that an entry is for; commands name it by a reference that is checked. */
export const project = id('project')
/** Who is on the other side of an entry of several postings. */
export const otherSide = text(255)
  .meta({ description: 'who is on the other side: an account name, or a name of your own, 1 to 255 characters' })
  .optional()

/** The rate that a conversion used: units of `quote` for one unit of `base`. */
export const usedRate = object({
  base: currency,
  quote: currency,
  rate: positiveDecimal,
  source: text(128).optional(),
  day: date.optional(),
})

export const origin = {
  source: text(255)
    .meta({ description: 'name of the journal that the entry was imported from, 1 to 255 characters' })
    .optional(),
  reverses: id('entry').meta({ description: 'id of the entry that this one takes back' }).optional(),
  replaces: id('entry').meta({ description: 'id of the entry that this one stands for, as it is now' }).optional(),
}

export const counterparty = text(255)
  .regex(/^external:./, 'must be `external:` and a name')
  .meta({
    pattern: '^external:[^\\x00]+$',
    description: 'the external account on the other side, up to 255 characters',
  })
  .default('external:unspecified')

/** What a conversion gives, what arrives, and by which rate. */
export const exchange = {
  from_account: account,
  from_currency: currency,
  amount: positiveMinorUnits.meta({ description: 'what is given, in minor units of `from_currency`' }),
  places: finerPlaces.optional(),
  to_account: account,
  to_currency: currency,
  to_amount: positiveMinorUnits
    .meta({ description: 'what arrived: what the rate gives, rounded half up, where it is left out' })
    .optional(),
  to_places: finerPlaces.optional(),
  rate: positiveDecimal.meta({ description: 'what one unit of `rate_base` costs in the other currency' }),
  rate_base: currency.meta({ description: 'one of both currencies: `from_currency`, if left out' }).optional(),
  rate_source: text(128).meta({ description: 'where the rate is from: a rate table, a bank' }).optional(),
  rate_day: date.meta({ description: 'the day that the rate is of' }).optional(),
  exchange_account: counterparty.default('external:exchange'),
  rounding_account: counterparty.default('external:rounding'),
}
