import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { placesOf } from '../../record/currencies.ts'
import { memberOf, noneKeyed, withMember } from '../../record/keyed.ts'
import { changedFields } from '../../record/merge.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'
import { reversalOnce, reverse, reversedTrade } from './reversal.ts'
import { happened, heldIn, type Investment, withHeld, withLot, withMoved, withoutParts, withReversal } from './state.ts'
import { acquire, dispose, move, split } from './trades.ts'

const evolve: Evolve<Investment, typeof events> = {
  InvestmentOpened: (_, { asset, currency, places, quantityPlaces, title, method, pool, longTermDays }) => ({
    status: 'open',
    unit: { asset, currency, places, quantityPlaces },
    ...(title !== undefined && { title }),
    method,
    pool,
    longTermDays,
    lots: noneKeyed,
    accounts: noneKeyed,
    count: 0,
    lastAt: '',
  }),
  InvestmentChanged(investment, { title, method, longTermDays }) {
    const open = inStatus(investment, 'open')
    const { title: before, ...rest } = open
    const called = title === undefined ? before : (title ?? undefined)
    return {
      ...rest,
      ...(called !== undefined && { title: called }),
      method: method ?? open.method,
      longTermDays: longTermDays ?? open.longTermDays,
    }
  },
  LotAcquired(investment, { lot, account, quantity, cost, price, acquiredAt }) {
    const acquired = { lot, account, quantity, cost, price, acquiredAt }
    const open = happened(inStatus(investment, 'open'), acquiredAt)
    return withHeld(withLot(open, acquired), account, quantity)
  },
  LotsDisposed(investment, { account, quantity, feeQuantity, parts, disposedAt }) {
    const open = happened(inStatus(investment, 'open'), disposedAt)
    return withHeld(withoutParts(open, parts), account, -quantity - feeQuantity)
  },
  LotsMoved(investment, { from, to, quantity, parts, movedAt }) {
    const moved = withMoved(happened(inStatus(investment, 'open'), movedAt), to, parts)
    return withHeld(withHeld(moved, from, -quantity), to, quantity)
  },
  LotsSplit(investment, { lots, accounts, splitAt }) {
    const open = happened(inStatus(investment, 'open'), splitAt)
    const split = lots.reduce((all, changed) => {
      const lot = memberOf(all, changed.lot)
      invariant(lot, `a split of the lot ${changed.lot}, which is used up`)
      return withMember(all, lot.lot, { ...lot, ...changed })
    }, open.lots)
    return accounts.reduce((all, { account, quantity }) => withHeld(all, account, quantity - heldIn(open, account)), {
      ...open,
      lots: split,
    })
  },
  DividendReceived: investment => investment,
  TradeReversed: (investment, data) => withReversal(inStatus(investment, 'open'), data),
}

const decide: Decide<Investment, typeof commands, typeof events> = {
  open(investment, body, { actor }) {
    if (investment.status !== 'none') {
      throw rejected('investment_already_open', 'The investment exists; choose another id.')
    }
    const { id: _, quantity_places: quantityPlaces, long_term_days: longTermDays, title, ...asked } = body
    const least = placesOf(asked.currency)
    const places = asked.places ?? least
    if (places === undefined) {
      throw rejected('investment_places_unknown', 'Not an ISO 4217 code: name its decimal `places`.', {
        currency: asked.currency,
      })
    }
    if (least !== undefined && places < least) {
      throw rejected('investment_places_too_few', 'The currency has more decimal places.', {
        currency: asked.currency,
        places: least,
      })
    }
    const said = title === undefined ? {} : { title }
    const data = { ...asked, places, quantityPlaces, longTermDays, owner: actor, ...said }
    return [{ type: 'InvestmentOpened', data }]
  },
  change(investment, { title, method, long_term_days: longTermDays }) {
    const { title: before = null, ...open } = inStatus(investment, 'open')
    const changes = changedFields({ ...open, title: before }, { title, method, longTermDays })
    return Object.keys(changes).length === 0 ? [] : [{ type: 'InvestmentChanged', data: changes }]
  },
  acquire: (investment, body, context) => acquire(inStatus(investment, 'open'), body, context),
  dispose: (investment, body, context) => dispose(inStatus(investment, 'open'), body, context),
  move: (investment, body, context) => move(inStatus(investment, 'open'), body, context),
  split: (investment, body, context) => split(inStatus(investment, 'open'), body, context),
  receive(investment, { amount, at, description }, context) {
    const { unit } = inStatus(investment, 'open')
    const said = description === undefined ? {} : { description }
    const data = { dividend: context.newId(0), amount, receivedAt: at ?? context.at, ...unit, ...said }
    return [{ type: 'DividendReceived', data }]
  },
  reverse: (investment, body, context) =>
    reverse(inStatus(investment, 'open'), body, context, (before, type, data) =>
      inStatus(evolve[type](before, data, context.at), 'open'),
    ),
}

/** A position in one asset: its lots, where they are held, and what selling them gains. */
export const investment = aggregate({
  name: 'investment',
  events,
  commands,
  api: {
    open: ['POST /investments', 'investments.write', 'Open a position in an asset: shares, coins, a funded project.'],
    change: ['PATCH /investments/:id', 'investments.write', 'Change the title, the method or the term of a position.'],
    acquire: [
      'POST /investments/:id/lots',
      'investments.write',
      'Acquire a lot: bought, given, or received as income.',
      '/investments/:id/lots/:lot',
    ],
    dispose: [
      'POST /investments/:id/dispose',
      'investments.write',
      'Sell, give away or lose a quantity: lots go by the method, or as described; a choice that is left is refused.',
    ],
    move: [
      'POST /investments/:id/move',
      'investments.write',
      'Move a quantity between accounts: lots keep price and time; what does not arrive is a fee in kind.',
    ],
    split: ['POST /investments/:id/split', 'investments.write', 'Split every lot, or merge: two for one, one for ten.'],
    receive: ['POST /investments/:id/receive', 'investments.write', 'Receive a dividend in money.'],
    reverse: [
      'POST /investments/:id/reverse',
      'investments.write',
      'Take a purchase, sale, move, split or dividend back: its lots are exactly as they were before it.',
    ],
  },
  rejections,
  initial: { status: 'none' } as Investment,
  evolve,
  decide,
  looksUp: { reverse: reversedTrade },
  once: { reverse: reversalOnce },
  stateSchema: 1,
  activity,
})
