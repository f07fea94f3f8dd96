import { rejected } from '../../kernel/errors.ts'
import { placesFor } from '../../record/currencies.ts'
import { type RecordState, record } from '../../record/record.ts'
import { messages } from './messages.ts'

const PRICE = ['price', 'currency', 'places']

const PLACES = { unknown: 'listing_places_unknown', mismatch: 'listing_places_mismatch' }

const plain = record(messages)
const { add, replace, change } = plain.decide

/** Refuses facts that would leave the listing with a part of a price: an amount means nothing without its currency. */
const priced =
  (decide: typeof add): typeof add =>
  (state, command, context) => {
    const facts = decide(state, command, context)
    const after = facts.reduce<RecordState>((before, { type, data }) => plain.evolve[type]!(before, data, ''), state)
    const missing = after.status === 'present' ? PRICE.filter(field => (after.fields[field] ?? null) === null) : []
    if (missing.length === 0 && after.status === 'present') {
      placesFor(after.fields.currency as string, after.fields.places as number, PLACES)
    }
    if (missing.length % PRICE.length === 0) return facts
    throw rejected('listing_price_incomplete', 'Give price, currency and places together, or none of them.', {
      missing: missing.join(', '),
    })
  }

/** A plain thing whose price is whole, or absent. */
export const listing: typeof plain = {
  ...plain,
  decide: { ...plain.decide, add: priced(add!), replace: priced(replace), change: priced(change) },
}
