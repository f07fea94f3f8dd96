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
  ref,
  sealed,
  text,
  unsigned64,
} from '../../kernel/schema.ts'
import { subjectName } from '../../record/subject.ts'
import {
  account,
  accountKind,
  accountType,
  asked,
  chart,
  counterparty,
  entryKind,
  exchange,
  expiry,
  finerPlaces,
  held,
  hold,
  walletKind as kind,
  limit,
  minimum,
  origin,
  otherSide,
  overdraft,
  POSTINGS_MAX,
  places,
  project,
  right,
  said,
  stored,
  transferRules,
  usedRate,
  why,
} from './fields.ts'

export { EXTERNAL, POSTINGS_MAX } from './fields.ts'
export { rejections } from './rejections.ts'

/** What an account is, and how low its balance may go. */
const terms = {
  type: accountType.optional(),
  kind: accountKind.optional(),
  limit: limit.optional(),
  minimum: minimum.optional(),
}
/** The same as changes: null takes one away. */
const changedTerms = {
  type: accountType.nullable().optional(),
  kind: accountKind.nullable().optional(),
  limit: limit.nullable().optional(),
  minimum: minimum.nullable().optional(),
}

export const events = {
  WalletOpened: object({ owner: subjectName, holder: sealed.optional(), kind }),
  AccountOpened: object({ account, currency, places, overdraft, ...terms }),
  EntryPosted: object({
    entry: id('entry'),
    kind: entryKind,
    postings: list(stored, POSTINGS_MAX, 2),
    effectiveOn: date,
    ...said,
    counterparty: otherSide,
    project: project.optional(),
    conversion: usedRate.optional(),
    ...origin,
    takenBack: integer(2, POSTINGS_MAX - 2)
      .meta({ description: 'how many of the postings, the first ones, take back the entry that it stands for' })
      .optional(),
    deviations: list(text(600), 20)
      .meta({
        description: 'how it deviates from the chart of accounts: a code and account names, with spaces between',
      })
      .optional(),
  }),
  FundsHeld: object({
    ...held,
    expiresAt: expiry.optional(),
    description: said.description,
    sentOn: date.meta({ description: 'the day that it counts for in the limits of what may be sent' }).optional(),
  }),
  /** Follows the entry that takes the amount. What was held beyond it is released; both are in the same unit. */
  HoldCaptured: object({ ...held, released: minorUnits, entry: id('entry') }),
  HoldReleased: object({ ...held, ...why }),
  WalletChanged: object({ holder: sealed.nullable().optional(), ...why }),
  AccountOverdraftChanged: object({ account, currency, from: overdraft, to: overdraft, ...why }),
  AccountChanged: object({ account, currency, ...changedTerms, ...why }),
  AccountFrozen: object({ account, currency, ...why }),
  AccountUnfrozen: object({ account, currency, ...why }),
  AccountClosed: object({ account, currency, ...why }),
  AccountReopened: object({ account, currency, ...why }),
  ChartSet: object({ version: integer(1, 2 ** 31 - 1), ...chart, ...why }),
  TransferRulesSet: object({ version: integer(1, 2 ** 31 - 1), ...transferRules, ...why }),
  AccessGranted: object({ user: id('user'), right, ...why }),
  AccessRevoked: object({ user: id('user'), ...why }),
  WalletFrozen: object({ ...why }),
  WalletUnfrozen: object({ ...why }),
  WalletClosed: object({ ...why }),
} as const

/** What every command that makes an entry can say of it. */
const about = {
  kind: entryKind.optional(),
  effective_on: date.optional(),
  ...said,
  project: ref('project').optional(),
}
const oneSided = {
  account,
  currency,
  amount: positiveMinorUnits,
  places: finerPlaces.optional(),
  counterparty,
  ...about,
}

/** The two entries of one side of a transfer that has a fee. */
const paid = {
  counterparty,
  description: said.description,
  fee: object({ amount: positiveMinorUnits, account: counterparty }),
}

/** Where the examples of commands post; together they leave nothing, so that the wallet can be closed. */
const checking = { account: 'checking', currency: 'EUR' }
const invoice = { ...checking, counterparty: 'external:client' }

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

const user = id('user')

export const commands = {
  open: object({
    id: id('wallet').optional(),
    owner: subjectName.optional(),
    holder: personal('owner', text(200)).optional(),
    kind,
  }).meta({ examples: [{ id: 'studio', kind: 'business', holder: 'Mira Okonjo' }] }),
  openAccount: object({
    account: unless(account, DOTS),
    currency: unless(currency, NO_CURRENCIES),
    places: places.optional(),
    overdraft,
    ...terms,
  }).meta({
    examples: [{ ...checking, overdraft: 'refused', type: 'asset', kind: 'checking' }],
  }),
  credit: object(oneSided).meta({
    examples: [{ ...invoice, amount: '125000', description: 'Invoice 7', reference: 'INV-7', tags: ['menu'] }],
  }),
  debit: object(oneSided).meta({
    examples: [{ ...checking, amount: '4200', counterparty: 'external:supplies', description: 'Paper' }],
  }),
  hold: object({
    ...held,
    hold: unless(hold, ['summary']).optional(),
    expires_at: expiry.optional(),
    description: said.description,
  }).meta({ examples: [{ hold: 'hall', ...checking, amount: '20000', description: 'Deposit for the hall' }] }),
  capture: object({
    hold,
    amount: positiveMinorUnits.meta({ description: 'what to take; all that is held, where it is left out' }).optional(),
    places: finerPlaces.optional(),
    counterparty,
    ...about,
  }).meta({ examples: [{ hold: 'hall', counterparty: 'external:hall' }] }),
  release: object({ hold, ...why }).meta({ examples: [{ hold: 'hall', reason: 'Cancelled' }] }),
  post: object({
    postings: list(asked, POSTINGS_MAX, 2),
    ...about,
    counterparty: otherSide,
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
  convert: object({
    ...exchange,
    ...about,
  }).meta({
    examples: [
      {
        from_account: 'checking',
        from_currency: 'EUR',
        amount: '10000',
        to_account: 'dollars',
        to_currency: 'USD',
        rate: '1.0887',
        rate_source: 'ecb',
      },
    ],
  }),
  reverse: object({
    entry: id('entry'),
    revision: unsigned64
      .meta({ description: 'revision of the entry, as the list of entries shows it: finds one of long ago at once' })
      .optional(),
    postings: list(asked, POSTINGS_MAX - 2, 2)
      .meta({ description: 'what should have been posted instead; without it the entry is taken back alone' })
      .optional(),
    ...about,
    counterparty: otherSide,
  }).meta({
    examples: [
      {
        entry: 'made-0',
        description: 'Paper was stationery',
        postings: [
          { ...checking, amount: '-4200' },
          { account: 'external:stationery', currency: 'EUR', amount: '4200' },
        ],
      },
    ],
  }),
  change: object({ holder: personal('owner', text(200)).nullable().optional(), ...why }).meta({
    examples: [{ holder: 'Mira Okonjo-Lind', reason: 'Married' }],
  }),
  changeAccount: object({ account, currency, overdraft: overdraft.optional(), ...changedTerms, ...why }).meta({
    examples: [{ ...checking, overdraft: 'allowed', limit: '100000' }],
  }),
  freezeAccount: object({ account, currency, ...why }).meta({ examples: [{ ...checking, reason: 'Under review' }] }),
  unfreezeAccount: object({ account, currency, ...why }).meta({ examples: [checking] }),
  closeAccount: object({ account, currency, ...why }).meta({ examples: [checking] }),
  reopenAccount: object({ account, currency, ...why }).meta({ examples: [checking] }),
  setChart: object({ ...chart, ...why }).meta({
    examples: [
      {
        mode: 'reported',
        rules: [
          { account: 'checking', type: 'asset', currencies: ['EUR'] },
          { account: 'savings', type: 'asset', with: ['checking', 'external:wallet:*'] },
          { account: 'external:client', type: 'income' },
          { account: 'external:*', type: 'expense' },
        ],
      },
    ],
  }),
  setTransferRules: object({ ...transferRules, ...why }).meta({
    examples: [
      {
        zone: 'Europe/Berlin',
        limits: [{ currency: 'EUR', per_day: '200000', per_month: '1000000' }],
        approvals: [{ currency: 'EUR', account: 'checking', above: '50000' }],
      },
    ],
  }),
  /** `total`: what all payments of its batch take, which is what a second person may have to approve. */
  reserve: object({
    ...held,
    description: said.description,
    as: oneOf('within', 'approved', 'asked'),
    total: positiveMinorUnits.optional(),
  }),
  settle: object({ hold, amount: positiveMinorUnits, places: finerPlaces, ...paid }),
  receive: object({ account, currency, amount: positiveMinorUnits, places: finerPlaces, ...paid }),
  expectAccount: object({ account, currency }),
  grant: object({ user: unless(user, ['summary']), right, ...why }).meta({
    examples: [{ user: 'jon', right: 'post' }],
  }),
  revoke: object({ user, ...why }).meta({ examples: [{ user: 'jon' }] }),
  freeze: object({ ...why }),
  unfreeze: object({ ...why }),
  close: object({ ...why }),
} as const
