import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import type { Context } from '../../kernel/context.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { placesFor } from '../../record/currencies.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'

type Offer = {
  readonly from: string
  readonly to: string
  readonly amount: bigint
  readonly expires_at?: string | undefined
}
type Unit = { readonly currency: string; readonly places: number }
type Open = Offer & Unit & { readonly status: 'open' }
/** What was agreed, and between whom: an order of it says the same. */
type Agreed = Unit & { readonly amount: bigint; readonly between: readonly string[] }
/** Two parties make offers in turn, until the one who was asked last accepts or declines, or the offer lapses. */
export type Negotiation = { readonly status: 'none' } | Open | { readonly status: 'ended'; readonly sold?: Agreed }

const ended = (): Negotiation => ({ status: 'ended' })
const offered = ({ from, to, amount, expires_at }: Offer, { currency, places }: Unit): Open => ({
  status: 'open',
  from,
  to,
  amount,
  expires_at,
  currency,
  places,
})

const evolve: Evolve<Negotiation, typeof events> = {
  NegotiationOpened: (_, offer) => offered(offer, offer),
  OfferCountered: (negotiation, offer) => offered(offer, begun(negotiation)),
  OfferAccepted(negotiation) {
    const { from, to, amount, currency, places } = begun(negotiation)
    return { status: 'ended', sold: { between: [from, to], amount, currency, places } }
  },
  OfferDeclined: ended,
  OfferWithdrawn: ended,
  OfferExpired: ended,
}

const PLACES = { unknown: 'negotiation_places_unknown', mismatch: 'negotiation_places_mismatch' }

const decide: Decide<Negotiation, typeof commands, typeof events> = {
  open(negotiation, { id: _, places, ...offer }, { actor: from, at }) {
    if (negotiation.status !== 'none') {
      throw rejected('negotiation_already_opened', 'The negotiation exists; choose another id.')
    }
    if (offer.to === from) throw rejected('negotiation_with_oneself', 'Name another party than yourself.')
    mustBeToCome(offer.expires_at, at)
    return [{ type: 'NegotiationOpened', data: { ...offer, from, places: placesFor(offer.currency, places, PLACES) } }]
  },
  counter(negotiation, offer, context) {
    const { from } = mustBeFor(negotiation, 'to', context)
    mustBeToCome(offer.expires_at, context.at)
    return [{ type: 'OfferCountered', data: { ...offer, from: context.actor, to: from } }]
  },
  accept(negotiation, { amount }, context) {
    const offer = mustBeFor(negotiation, 'to', context)
    if (offer.amount !== amount) {
      throw rejected('offer_other_amount', 'The offer is another one now: look at it again.', { amount: offer.amount })
    }
    return [{ type: 'OfferAccepted', data: { amount, by: context.actor } }]
  },
  decline(negotiation, _, context) {
    mustBeFor(negotiation, 'to', context)
    return [{ type: 'OfferDeclined', data: { by: context.actor } }]
  },
  withdraw(negotiation, _, context) {
    mustBeFor(negotiation, 'from', context)
    return [{ type: 'OfferWithdrawn', data: { by: context.actor } }]
  },
  expire(negotiation, { expires_at }) {
    if (negotiation.status !== 'open' || negotiation.expires_at !== expires_at) return []
    return [{ type: 'OfferExpired', data: { expires_at } }]
  },
}

/** Two parties who look for a price. */
export const negotiation = aggregate({
  name: 'negotiation',
  events,
  commands,
  api: {
    open: ['POST /negotiations', 'negotiations.write', 'Open a negotiation with a first offer to another party.'],
    counter: ['POST /negotiations/:id/counter', 'negotiations.write', 'Answer the offer with another one.'],
    accept: ['POST /negotiations/:id/accept', 'negotiations.write', 'Accept the offer, which ends the negotiation.'],
    decline: ['POST /negotiations/:id/decline', 'negotiations.write', 'Decline the offer, which ends the negotiation.'],
    withdraw: ['POST /negotiations/:id/withdraw', 'negotiations.write', 'Withdraw an offer of the caller.'],
    expire: 'internal',
  },
  rejections,
  initial: { status: 'none' } as Negotiation,
  evolve,
  decide,
  stateSchema: 2,
  activity,
})

/** The offer, where the caller is the side of it that may do this now. */
function mustBeFor(negotiation: Negotiation, side: 'from' | 'to', { actor, at }: Context): Open {
  if (negotiation.status === 'ended') throw rejected('negotiation_ended', 'The negotiation has ended.')
  const open = begun(negotiation)
  const { from, to, expires_at: expires } = open
  if (actor !== from && actor !== to) throw rejected('negotiation_of_others', 'The negotiation is between others.')
  if (expires !== undefined && at >= expires) throw rejected('negotiation_ended', 'The offer has expired.')
  if (open[side] !== actor) {
    throw rejected('offer_not_yours', 'It is the turn of the other side.', { turn: open[side] })
  }
  return open
}

function begun(negotiation: Negotiation): Open {
  invariant(negotiation.status === 'open', `a command or event of a negotiation that is ${negotiation.status}`)
  return negotiation
}

function mustBeToCome(expires: string | undefined, at: string): void {
  if (expires !== undefined && expires <= at) throw rejected('offer_expiry_past', 'Name an end that is still to come.')
}
