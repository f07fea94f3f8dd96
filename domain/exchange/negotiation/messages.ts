/** The negotiation's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { currency, id, object, oneOf, positiveMinorUnits, ref, text, timestamp } from '../../kernel/schema.ts'
import { places } from '../../record/currencies.ts'

const party = text(128)
const offer = {
  amount: positiveMinorUnits,
  message: text(2_000).optional(),
  expires_at: timestamp.meta({ description: 'until when it can be accepted' }).optional(),
}

export const events = {
  NegotiationOpened: object({ ...offer, from: party, to: party, listing: id('listing').optional(), currency, places }),
  OfferCountered: object({ ...offer, from: party, to: party }),
  OfferAccepted: object({ amount: positiveMinorUnits, by: party }),
  OfferDeclined: object({ by: party }),
  OfferWithdrawn: object({ by: party }),
  OfferExpired: object({ expires_at: timestamp }),
} as const

export const commands = {
  open: object({
    id: id('negotiation').optional(),
    ...offer,
    to: party.meta({ description: 'who is asked: a subject, as `from` of their own offers has it' }),
    listing: ref('listing').optional(),
    currency,
    places: places.optional(),
  }).meta({ examples: [{ id: 'talk-1', to: 'jon', amount: '9000', currency: 'EUR', message: 'For both volumes?' }] }),
  counter: object(offer).meta({ examples: [{ amount: '11000' }] }),
  accept: object({
    amount: positiveMinorUnits.meta({ description: 'of the offer that is meant: refused where it is another by now' }),
  }).meta({ examples: [{ amount: '9000' }] }),
  decline: object({}),
  withdraw: object({}),
  expire: object({ expires_at: timestamp }),
} as const

export const outcome = oneOf('open', 'accepted', 'declined', 'withdrawn', 'expired')

export const rejections = [
  'negotiation_already_opened',
  'negotiation_with_oneself',
  'negotiation_places_unknown',
  'negotiation_places_mismatch',
  'negotiation_ended',
  'negotiation_of_others',
  'offer_expiry_past',
  'offer_not_yours',
  'offer_other_amount',
] as const
