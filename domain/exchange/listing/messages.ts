import { currency, list, oneOf, positiveMinorUnits, ref, text } from '../../kernel/schema.ts'
import { places } from '../../record/currencies.ts'
import { recordMessages } from '../../record/record.ts'

const plain = recordMessages({
  one: 'listing',
  many: 'listings',
  fields: {
    kind: oneOf('offer', 'deal', 'proposal'),
    title: text(255),
    description: text(10_000).optional(),
    category: text(64),
    tags: list(text(64), 50).default([]),
    status: oneOf('draft', 'published', 'withdrawn', 'closed').default('draft'),
    vendor: text(128).optional().meta({ description: 'the person or team that stands behind it' }),
    item: ref('item').optional().meta({ description: 'the portfolio item that it is about' }),
    price: positiveMinorUnits.optional(),
    currency: currency.optional(),
    places: places.optional(),
  },
  example: {
    kind: 'offer',
    title: 'An illustrated atlas',
    category: 'illustration',
    status: 'published',
    vendor: 'mira',
    price: '120000',
    currency: 'EUR',
    places: 2,
  },
})

/** What is offered or looked for on the exchange: an offer, a deal or a proposal, with or without a price. */
export const messages = {
  ...plain,
  rejections: [...plain.rejections, 'listing_price_incomplete', 'listing_places_unknown', 'listing_places_mismatch'],
}
