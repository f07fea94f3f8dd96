/** The rules of holds: money set aside, to be captured by an entry or released, once. */
import type { Context } from '../../kernel/aggregate.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { mustBeSentByUser } from './access.ts'
import {
  inUnit,
  type Leniency,
  mustBeInRange,
  mustCover,
  mustHave,
  mustMove,
  post,
  stated,
  transfer,
  unitsOf,
} from './entry.ts'
import type { commands, events } from './messages.ts'
import { mayBeSent, withoutSent, withSent } from './sending.ts'
import {
  dayOf,
  type Ended,
  find,
  type Hold,
  minorPlaces,
  OF_PROCESS,
  type OpenWallet,
  withAccount,
  withHeld,
} from './state.ts'

type Command<K extends keyof typeof commands> = ReturnType<(typeof commands)[K]['parse']>
type Data<K extends keyof typeof events> = ReturnType<(typeof events)[K]['parse']>

/** Holds whose end a wallet remembers: one that ended before these is unknown, as if it had never been. */
export const ENDED_MAX = 10_000

export const noneEnded: Ended = { count: 0, how: noneKeyed, order: noneKeyed }

/** The wallet with a new hold. */
export function withHold(open: OpenWallet, data: Data<'FundsHeld'>): OpenWallet {
  const { hold, account, currency, amount, places, sentOn } = data
  const made: Hold = {
    hold,
    account,
    currency,
    amount,
    ...(places !== undefined && { places }),
    ...(sentOn !== undefined && { sentOn }),
  }
  const holder = find(open, made)
  invariant(holder, `a hold of ${account}, which was never opened in ${currency}`)
  const held = { ...withAccount(open, withHeld(open, holder, made)), holds: withMember(open.holds, hold, made) }
  return sentOn === undefined ? held : withSent(held, made, sentOn)
}

/** The wallet with a hold less, of which it remembers how it ended. */
export function withoutHold(open: OpenWallet, hold: string, how: 'captured' | 'released'): OpenWallet {
  const { ended } = open
  const it = memberOf(open.holds, hold)!
  const slot = String(ended.count % ENDED_MAX)
  const forgotten = memberOf(ended.order, slot)
  const remembered: Keyed<'captured' | 'released'> =
    forgotten === undefined ? ended.how : withoutMember(ended.how, forgotten)
  return {
    ...(how === 'released' ? withoutSent(freed(open, hold), it) : freed(open, hold)),
    ended: {
      count: ended.count + 1,
      how: withMember(remembered, hold, how),
      order: withMember(ended.order, slot, hold),
    },
  }
}

/** The wallet in which a hold sets nothing aside any more. */
export function freed(open: OpenWallet, hold: string): OpenWallet {
  const it = memberOf(open.holds, hold)
  invariant(it, `the end of the hold ${hold}, which is not open`)
  const less = withHeld(open, find(open, it)!, { ...it, amount: -it.amount })
  return { ...withAccount(open, less), holds: withoutMember(open.holds, hold) }
}

const isOfProcess = (hold: string): boolean => hold.startsWith(OF_PROCESS)
/** What a process has begun ends whatever has been frozen or charted since. */
export const ENDING: Leniency = { mayMove: () => undefined, isOutsideChart: true }

/** Throws where a hold of a process is made or ended by a user. */
function mustBeOwn(hold: string, { actor }: Context): void {
  if (!isOfProcess(hold) || actor.startsWith(OF_PROCESS)) return
  throw rejected('hold_of_process', 'The hold is of a process, which ends it by itself; choose another id.', { hold })
}

/** How a process sets money aside that it sends: within the wallet, approved, or as the rules of the wallet ask. */
type Sending = Pick<Command<'reserve'>, 'as' | 'total'>

const ASKED: Sending = { as: 'asked' }

/** Sets money aside that can be spent today. */
export function hold(open: OpenWallet, body: Command<'hold'>, context: Context, sending: Sending = ASKED) {
  const { hold = context.newId(0), expires_at: expiresAt, description, ...asked } = body
  mustBeOwn(hold, context)
  mustBeSentByUser(open, context)
  if (memberOf(open.holds, hold) || memberOf(open.ended.how, hold)) {
    throw rejected('hold_already_made', 'The hold exists, or existed; choose another id.', { hold })
  }
  if (expiresAt !== undefined && expiresAt <= context.at) {
    throw rejected('hold_expiry_past', 'Name an instant that is still to come.', { expires_at: expiresAt })
  }
  const account = mustHave(open, asked)
  mustMove(open, account)
  const unit = unitsOf(open, [asked]).get(asked.currency)!
  const needed = inUnit(open, asked, unit)
  mustCover(open, account, needed, { unit, today: dayOf(context.at) })
  mustBeInRange(inUnit(open, { ...account, amount: account.held ?? 0n }, unit) + needed, account)
  const { as, total = 0n } = sending
  const approval = { isApproved: as === 'approved', total }
  const sentOn = isOfProcess(hold) && as !== 'within' ? mayBeSent(open, asked, context, approval) : undefined
  const data = {
    hold,
    ...stated(open, asked),
    ...(sentOn !== undefined && { sentOn }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(description !== undefined && { description }),
  }
  return [{ type: 'FundsHeld', data }] as const
}

/**
 * Takes what is held, or a part of it, by an entry; the rest is released. A process ends what it has begun also where
 * the account has been frozen since: the other side has the money already.
 */
export function capture(open: OpenWallet, body: Command<'capture'>, context: Context) {
  const { hold, amount: part, places: partPlaces, counterparty, kind = 'debit', ...about } = body
  mustBeOwn(hold, context)
  const it = mustBeOpen(open, hold)
  const { account, currency } = it
  const asked = part === undefined ? it : { account, currency, amount: part, places: partPlaces }
  const minor = minorPlaces(open, currency)!
  const taken = stated(open, asked)
  const { account: _, ...money } = taken
  const unit = Math.max(it.places ?? minor, taken.places ?? minor)
  const [amount, whole] = [inUnit(open, taken, unit), inUnit(open, it, unit)]
  if (amount > whole) throw rejected('hold_exceeded', 'The hold is for less.', { hold, held: whole, amount })
  const postings = transfer(account, counterparty, money)
  // What is taken was set aside: the entry is decided as if it were there to be spent.
  const [entry] = post(freed(open, hold), context, { kind, postings, ...about }, isOfProcess(hold) ? ENDING : {})
  const places = unit === minor ? {} : { places: unit }
  const data = { hold, account, currency, amount, ...places, released: whole - amount, entry: entry.data.entry }
  return [entry, { type: 'HoldCaptured', data }] as const
}

/** Gives back what is held; changes nothing where that was done before. */
export function release(open: OpenWallet, { hold, reason }: Command<'release'>, context: Context) {
  mustBeOwn(hold, context)
  if (memberOf(open.ended.how, hold) === 'released') return []
  const { sentOn: _, ...held } = mustBeOpen(open, hold)
  const data = { ...held, ...(reason !== undefined && { reason }) }
  return [{ type: 'HoldReleased', data }] as const
}

export function mustBeOpen(open: OpenWallet, hold: string): Hold {
  const it = memberOf(open.holds, hold)
  if (it) return it
  const ended = memberOf(open.ended.how, hold)
  if (ended === 'captured') throw rejected('hold_captured', 'The hold was captured; that is done once.', { hold })
  if (ended === 'released') throw rejected('hold_released', 'The hold was released; make another one.', { hold })
  throw rejected('hold_unknown', 'There is no such hold in this wallet, or it ended long ago.', { hold })
}
