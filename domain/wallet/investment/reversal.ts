/** The rules of taking a trade back: every lot is as it was before it, if nothing has changed it since. */
import type { Context, EventQuery, Once } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { memberOf, membersOf } from '../../record/keyed.ts'
import { because } from '../../record/reason.ts'
import type { Lot } from './lots.ts'
import type { commands, events } from './messages.ts'
import { heldIn, type OpenInvestment } from './state.ts'

type Command = ReturnType<(typeof commands)['reverse']['parse']>
type Reversed = ReturnType<(typeof events)['TradeReversed']['parse']>
type Data<K extends keyof typeof events> = ReturnType<(typeof events)[K]['parse']>

const TRADES = {
  LotAcquired: 'acquire',
  LotsDisposed: 'dispose',
  LotsMoved: 'move',
  LotsSplit: 'split',
  DividendReceived: 'receive',
} as const
type Trade = keyof typeof TRADES

/** Where the trade stands that is to be taken back. */
export const reversedTrade = ({ revision }: Command): EventQuery => ({
  types: Object.keys(TRADES),
  revision,
  is: () => true,
  withBefore: true,
})

export const reversalOnce = ({ revision }: Command): Once => ({
  key: `trade:reversal:${revision}`,
  refusal: ['trade_already_reversed', 'The trade was taken back, which is done once: record it anew.'],
})

/** Takes a trade back; `after` makes the state that it led to. */
export function reverse(
  open: OpenInvestment,
  { revision, reason }: Command,
  { found, before }: Context,
  after: (before: OpenInvestment, type: Trade, data: never) => OpenInvestment,
) {
  if (!found) {
    const message = 'The position has no purchase, sale, move, split or dividend at that revision.'
    throw rejected('trade_unknown', message, { revision })
  }
  const was = before as OpenInvestment
  const type = found.type as Trade
  const became = after(was, type, found.data as never)
  const touched = changedLots(was, became)
  for (const lot of touched) {
    if (isSameLot(memberOf(open.lots, lot), memberOf(became.lots, lot))) continue
    throw rejected('trade_followed', 'A later trade has changed a lot of it: take that one back first.', { lot })
  }
  const names = new Set([...membersOf(was.accounts), ...membersOf(became.accounts)].map(({ account }) => account))
  const accounts = [...names]
    .map(account => ({ account, change: heldIn(was, account) - heldIn(became, account) }))
    .filter(({ change }) => change !== 0n)
  for (const { account, change } of accounts) {
    const held = heldIn(open, account)
    if (held + change >= 0n) continue
    const facts = { account, held, needed: -change }
    throw rejected('holding_insufficient', 'The account holds less than that takes.', facts)
  }
  const lots = touched.flatMap(lot => memberOf(was.lots, lot) ?? [])
  const gone = touched.flatMap(lot => memberOf(became.lots, lot) ?? [])
  const data = {
    revision,
    trade: TRADES[type],
    lots,
    removed: touched.filter(lot => memberOf(was.lots, lot) === undefined),
    accounts,
    quantity: sum(lots, 'quantity') - sum(gone, 'quantity'),
    cost: sum(lots, 'cost') - sum(gone, 'cost'),
    ...realisedBy(type, found.data),
    ...open.unit,
    ...because(reason),
  }
  return [{ type: 'TradeReversed', data } as const]
}

/** The lots that are others in the one state than in the other. */
function changedLots(was: OpenInvestment, became: OpenInvestment): readonly string[] {
  const ids = new Set([...membersOf(was.lots), ...membersOf(became.lots)].map(({ lot }) => lot))
  return [...ids].filter(lot => !isSameLot(memberOf(was.lots, lot), memberOf(became.lots, lot)))
}

const FIELDS = ['lot', 'account', 'quantity', 'cost', 'price', 'acquiredAt', 'order'] as const
const isSameLot = (one: Lot | undefined, other: Lot | undefined): boolean =>
  one === other || (!!one && !!other && FIELDS.every(field => one[field] === other[field]))

const sum = (lots: readonly Lot[], of: 'quantity' | 'cost') => lots.reduce((total, lot) => total + lot[of], 0n)

/** What a trade realised, with what that adds to gain and income once it is taken back. */
function realisedBy(type: Trade, data: unknown): Pick<Reversed, 'happenedAt' | 'gain' | 'income' | 'realised'> {
  const none = { gain: 0n, income: 0n, realised: [] }
  if (type === 'LotsMoved') return { ...none, happenedAt: (data as Data<'LotsMoved'>).movedAt }
  if (type === 'LotsSplit') return { ...none, happenedAt: (data as Data<'LotsSplit'>).splitAt }
  if (type === 'DividendReceived') {
    const { amount, receivedAt } = data as Data<'DividendReceived'>
    const part = { type: 'dividend', isLongTerm: false, quantity: 0n, proceeds: amount, cost: 0n } as const
    return { happenedAt: receivedAt, gain: 0n, income: -amount, realised: [part] }
  }
  if (type === 'LotAcquired') {
    const { lot, account, type: kind, isIncome, quantity, cost, acquiredAt } = data as Data<'LotAcquired'>
    if (!isIncome) return { ...none, happenedAt: acquiredAt }
    const worth = { isLongTerm: false, quantity, proceeds: cost, cost: 0n, acquiredAt }
    const part = { lot, account, type: kind as Reversed['realised'][number]['type'], ...worth }
    return { happenedAt: acquiredAt, gain: 0n, income: -cost, realised: [part] }
  }
  const { account, type: kind, parts, disposedAt } = data as Data<'LotsDisposed'>
  const gain = parts.reduce((total, { proceeds, cost }) => total + proceeds - cost, 0n)
  const realised = parts.map(part => ({ account, type: kind, ...part }))
  return { happenedAt: disposedAt, gain: -gain, income: 0n, realised }
}
