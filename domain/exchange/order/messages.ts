/** The order's storage and wire contract: add, never rename; change a shape with an upcaster. */
import {
  currency,
  id,
  integer,
  list,
  object,
  oneOf,
  positiveMinorUnits,
  ref,
  text,
  timestamp,
  unsignedMinorUnits,
} from '../../kernel/schema.ts'
import { places } from '../../record/currencies.ts'

const party = text(128)
const account = text(255).regex(/^(?!external:)/)
const words = text(2_000)
const why = oneOf('accepted', 'lapsed', 'cancelled', 'declined', 'refunded', 'decided')
const side = oneOf('buyer', 'vendor')
const refusal = { code: text(64).meta({ description: 'code of the rule that refused it' }), reason: text(1_000) }

const terms = {
  title: text(255),
  description: text(10_000).optional(),
  vendor: party.meta({ description: 'who is to deliver: a subject' }),
  amount: positiveMinorUnits,
  deliver_by: timestamp.meta({ description: 'from then on the buyer may cancel what is not delivered' }).optional(),
  inspection_days: integer(1, 365)
    .default(14)
    .meta({ description: 'days after a delivery that count as its acceptance, where the buyer says nothing' }),
  arbiter: party.meta({ description: 'the one person who decides a dispute' }).optional(),
}
const paidFrom = { wallet: id('wallet'), account }
const paidTo = { to_wallet: id('wallet'), to_account: account }
const review = {
  side: side.meta({ description: 'which side wrote it' }),
  by: party,
  about: party,
  rating: integer(0, 5).meta({ description: 'from 0, the worst, to 5' }),
  text: words.optional(),
}

export const events = {
  OrderPlaced: object({
    ...terms,
    ...paidFrom,
    buyer: party,
    listing: id('listing').optional(),
    auction: id('auction').optional(),
    negotiation: id('negotiation').optional(),
    currency,
    places,
  }),
  OrderRefused: object(refusal),
  OrderHeld: object({ amount: positiveMinorUnits }),
  OrderConfirmed: object(paidTo),
  OrderDelivered: object({ note: words.optional(), accepted_at: timestamp }),
  OrderDisputed: object({ by: party, reason: words }),
  /** What is held is to be paid to the vendor, as far as `to_vendor` says; the rest goes back. */
  OrderDue: object({
    ...paidFrom,
    to_wallet: id('wallet').optional(),
    to_account: account.optional(),
    currency,
    places,
    to_vendor: unsignedMinorUnits,
    to_buyer: unsignedMinorUnits,
    why,
    by: party.optional(),
    reason: words.optional(),
  }),
  /** The vendor's wallet took nothing: the amount stays held until the vendor names another account. */
  OrderPaymentRefused: object(refusal),
  OrderEnded: object({ to_vendor: unsignedMinorUnits, to_buyer: unsignedMinorUnits, why }),
  OrderReviewed: object({ ...review, revealed_at: timestamp }),
  /** All reviews of the order so far: from now on everybody reads them, and there are no more. */
  OrderReviewsRevealed: object({ reviews: list(object({ ...review, at: timestamp }), 2, 1) }),
} as const

export const commands = {
  place: object({
    id: id('order').optional(),
    ...terms,
    ...paidFrom,
    wallet: ref('wallet').meta({ description: 'the wallet in which the amount is held' }),
    listing: ref('listing').optional(),
    auction: ref('auction').optional(),
    negotiation: ref('negotiation').optional(),
    currency,
    places: places.optional(),
  }).meta({
    examples: [
      {
        id: 'order-1',
        title: 'An illustrated atlas',
        vendor: 'jon',
        amount: '100',
        currency: 'EUR',
        wallet: 'studio',
        account: 'checking',
        inspection_days: 7,
      },
    ],
  }),
  recordHold: object({}),
  refuse: object(refusal),
  confirm: object({ ...paidTo, to_wallet: ref('wallet') }).meta({
    examples: [{ to_wallet: 'studio', to_account: 'savings' }],
  }),
  decline: object({ reason: words.optional() }).meta({ examples: [{ reason: 'Sold out' }] }),
  cancel: object({ reason: words.optional() }).meta({ examples: [{ reason: 'Found another' }] }),
  deliver: object({ note: words.optional() }).meta({ examples: [{ note: 'Sent by post' }] }),
  accept: object({}),
  lapse: object({ accepted_at: timestamp }),
  dispute: object({ reason: words }).meta({ examples: [{ reason: 'Pages are missing' }] }),
  refund: object({ reason: words.optional() }).meta({ examples: [{ reason: 'As agreed' }] }),
  decide: object({
    to_vendor: unsignedMinorUnits.meta({ description: 'what the vendor gets; the rest goes back to the buyer' }),
    reason: words,
  }).meta({ examples: [{ to_vendor: '60', reason: 'Half of the pages are there' }] }),
  redirect: object({ ...paidTo, to_wallet: ref('wallet') }).meta({
    examples: [{ to_wallet: 'studio', to_account: 'savings' }],
  }),
  refusePayment: object(refusal),
  settle: object({}),
  review: object({ rating: review.rating, text: review.text }).meta({ examples: [{ rating: 5, text: 'On time' }] }),
  reveal: object({}),
} as const

export const rejections = [
  'order_already_placed',
  'order_of_oneself',
  'order_places_unknown',
  'order_places_mismatch',
  'order_terms_differ',
  'order_of_others',
  'order_not_now',
  'order_party_decides',
  'order_arbiter_is_another',
  'order_more_than_held',
  'order_delivery_not_late',
  'order_reviewed',
] as const
