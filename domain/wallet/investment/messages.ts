/** The investment's storage and wire contract: add, never rename; change a shape with an upcaster. */
import {
  boolean,
  currency,
  date,
  id,
  integer,
  list,
  minorUnits,
  object,
  oneOf,
  positiveMinorUnits,
  ref,
  refined,
  text,
  timestamp,
  unsigned64,
} from '../../kernel/schema.ts'
import { positiveDecimal } from '../../record/decimal.ts'
import { reason } from '../../record/reason.ts'
import { subjectName } from '../../record/subject.ts'
import { METHODS } from './lots.ts'

/** Lots that one event names. */
export const PARTS_MAX = 5000

/** Ways of acquiring that are income at once: the lot begins with what it was worth then. */
export const INCOME = ['interest', 'dividend', 'staking', 'mining', 'airdrop', 'hardfork', 'wages', 'income'] as const
const acquisition = oneOf('buy', 'gift', 'opening', ...INCOME)
const DISPOSALS = ['sell', 'gift', 'donate', 'fee', 'staking', 'lost'] as const
const disposal = oneOf(...DISPOSALS)
const kind = oneOf('equity', 'crowdfunding', 'donation', 'crypto', 'fund', 'other')
const method = oneOf(...METHODS).meta({
  description: 'which lots a reduction takes: first or last in, highest or lowest price, or exactly those it describes',
})
const pool = oneOf('position', 'account').meta({
  description: 'whether a reduction in an account takes lots of the whole position, or of that account alone',
})
const places = integer(0, 18).meta({
  description: 'decimal places of amounts of money, at least those of the currency',
})
const quantityPlaces = integer(0, 18).meta({ description: 'decimal places of quantities of the asset' })
const longTermDays = integer(0, 36_600).meta({ description: 'days from which on a gain is long-term' })
const title = text(200)
const account = text(255).meta({ description: 'where it is held: a depository, an exchange, an address' })
const lot = id('lot')
const quantity = positiveMinorUnits.meta({ description: 'in minor units of the asset' })
const notNegative = (words: string) =>
  refined(minorUnits, amount => amount >= 0n, 'must not be below zero').meta({ description: words })
const cost = notNegative('what it cost with all fees, in minor units of the currency')
const price = positiveDecimal.meta({ description: 'what one unit of the asset cost in the currency, without fees' })
const description = text(1000)
const ratio = integer(1, 1_000_000)
/** What amounts and quantities of an event are in, so that rows need no other event. */
const unit = { asset: currency, currency, places, quantityPlaces }
const part = { lot, quantity: minorUnits, cost: minorUnits }

export const events = {
  InvestmentOpened: object({
    wallet: id('wallet'),
    owner: subjectName,
    kind,
    title: title.optional(),
    ...unit,
    method,
    pool,
    longTermDays,
  }),
  InvestmentChanged: object({
    title: title.nullable().optional(),
    method: method.optional(),
    longTermDays: longTermDays.optional(),
  }),
  LotAcquired: object({
    lot,
    account,
    type: acquisition,
    isIncome: boolean,
    quantity,
    cost,
    price: positiveDecimal,
    acquiredAt: timestamp,
    ...unit,
    description: description.optional(),
  }),
  /** `quantity` with `feeQuantity` is what the parts take; their proceeds add up to `proceeds`. */
  LotsDisposed: object({
    disposal: id('disposal'),
    account,
    type: oneOf(...DISPOSALS, 'move'),
    quantity: minorUnits,
    feeQuantity: minorUnits,
    proceeds: minorUnits,
    disposedAt: timestamp,
    method,
    parts: list(object({ ...part, proceeds: minorUnits, acquiredAt: timestamp, isLongTerm: boolean }), PARTS_MAX, 1),
    ...unit,
    description: description.optional(),
  }),
  /** From one account to another. Parts name lots only where each account has its own; `into` is the lot there. */
  LotsMoved: object({
    from: account,
    to: account,
    quantity: minorUnits,
    movedAt: timestamp,
    parts: list(object({ ...part, into: lot, price: positiveDecimal, acquiredAt: timestamp }), PARTS_MAX),
    ...unit,
    description: description.optional(),
  }),
  /** For `denominator` units there are `numerator` now: the lots and the accounts as they are after it. */
  LotsSplit: object({
    numerator: ratio,
    denominator: ratio,
    splitAt: timestamp,
    /** What there is more of now, or less. */
    change: minorUnits,
    lots: list(object({ lot, quantity, price: positiveDecimal }), PARTS_MAX, 1),
    accounts: list(object({ account, quantity: minorUnits }), PARTS_MAX, 1),
    ...unit,
  }),
  DividendReceived: object({
    dividend: id('dividend'),
    amount: positiveMinorUnits,
    receivedAt: timestamp,
    ...unit,
    description: description.optional(),
  }),
  /** The trade at `revision` is taken back. What it changed has the opposite sign here. */
  TradeReversed: object({
    revision: unsigned64,
    trade: oneOf('acquire', 'dispose', 'move', 'split', 'receive'),
    happenedAt: timestamp,
    /** Lots as they were before it, and lots that it made. */
    lots: list(
      object({ ...part, account, price: positiveDecimal, acquiredAt: timestamp, order: integer(0, 2 ** 31 - 1) }),
      PARTS_MAX,
    ),
    removed: list(lot, PARTS_MAX),
    accounts: list(object({ account, change: minorUnits }), PARTS_MAX),
    quantity: minorUnits,
    cost: minorUnits,
    gain: minorUnits,
    income: minorUnits,
    /** What it had realised, part by part. */
    realised: list(
      object({
        lot: lot.optional(),
        account: account.optional(),
        type: oneOf(...INCOME, ...DISPOSALS, 'move'),
        isLongTerm: boolean,
        quantity: minorUnits,
        proceeds: minorUnits,
        cost: minorUnits,
        acquiredAt: timestamp.optional(),
      }),
      PARTS_MAX,
    ),
    ...unit,
    reason: reason.optional(),
  }),
} as const

const at = timestamp.meta({ description: 'when: the time of the command, if left out' }).optional()
const inAccount = account.default('main')
/** What a reduction says of the lots that it takes. */
const which = {
  method: method.optional(),
  lot: lot.optional(),
  acquired_on: date.meta({ description: 'only lots that were acquired on this day, in UTC' }).optional(),
  price: price.meta({ description: 'only lots of this price' }).optional(),
}

export const commands = {
  open: object({
    id: id('investment').optional(),
    wallet: ref('wallet'),
    kind,
    title: title.optional(),
    asset: currency.meta({ description: 'symbol of what is held, as rate tables price it: ACME, BTC' }),
    currency,
    places: places.optional(),
    quantity_places: quantityPlaces.default(8),
    method: method.default('fifo'),
    pool: pool.default('account'),
    long_term_days: longTermDays.default(365),
  }).meta({
    examples: [{ id: 'acme', wallet: 'studio', kind: 'equity', asset: 'ACME', currency: 'EUR', quantity_places: 0 }],
  }),
  change: object({
    title: title.nullable().optional(),
    method: method.optional(),
    long_term_days: longTermDays.optional(),
  }).meta({ examples: [{ title: 'Acme shares' }] }),
  acquire: object({
    lot: lot.refine(name => name !== 'summary', 'summary is taken by a path: choose another name').optional(),
    account: inAccount,
    type: acquisition.default('buy'),
    quantity,
    cost,
    price: price.meta({ description: 'as `cost` by `quantity`, if left out' }).optional(),
    fee_quantity: quantity
      .meta({ description: 'a fee that was paid in the asset itself: it is disposed of at the same moment' })
      .optional(),
    fee_value: notNegative('what that fee was worth: by the price, if left out').optional(),
    at,
    description: description.optional(),
  }).meta({ examples: [{ lot: 'lot-1', quantity: '10', cost: '125900', price: '125' }] }),
  dispose: object({
    account: inAccount,
    type: disposal.default('sell'),
    quantity,
    fee_quantity: quantity
      .meta({ description: 'a fee that was paid in the asset itself, beyond `quantity`' })
      .optional(),
    proceeds: notNegative('what came in for it, after fees in money'),
    ...which,
    at,
    description: description.optional(),
  }).meta({ examples: [{ quantity: '2', proceeds: '27000', description: 'For the new camera' }] }),
  move: object({
    from: account,
    to: account,
    quantity: quantity.meta({ description: 'what leaves `from`, in minor units of the asset' }),
    received: notNegative('what arrives, if less: the rest is a fee, disposed of').optional(),
    fee_value: notNegative('what that fee was worth').optional(),
    ...which,
    at,
    description: description.optional(),
  }).meta({ examples: [{ from: 'main', to: 'depository', quantity: '3' }] }),
  split: object({ numerator: ratio, denominator: ratio, at }).meta({ examples: [{ numerator: 2, denominator: 1 }] }),
  receive: object({ amount: positiveMinorUnits, at, description: description.optional() }).meta({
    examples: [{ amount: '450', description: 'Dividend of the year' }],
  }),
  reverse: object({
    revision: unsigned64.meta({
      description: 'revision of the purchase, sale, move, split or dividend, as its receipt and its gains have it',
    }),
    reason: reason.optional(),
  }).meta({ examples: [{ revision: '6', reason: 'It was the dividend of another year' }] }),
} as const

export const rejections = [
  'investment_already_open',
  'investment_places_unknown',
  'investment_places_too_few',
  'lot_already_acquired',
  'lot_unknown',
  'lots_insufficient',
  'lots_ambiguous',
  'lots_too_many',
  'holding_insufficient',
  'move_receives_more',
  'fee_value_missing',
  'split_too_small',
  'split_too_early',
  'trade_unknown',
  'trade_followed',
  'trade_already_reversed',
  'price_out_of_range',
] as const
