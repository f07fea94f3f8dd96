import type { Activity } from '../../kernel/activity.ts'
import { moneyText } from '../../record/currencies.ts'
import { said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'
import type { Unit } from './state.ts'

const much = (quantity: bigint, { asset, quantityPlaces }: Unit) => moneyText(quantity, asset, quantityPlaces)
const money = (amount: bigint, { currency, places }: Unit) => moneyText(amount, currency, places)

const TRADES = {
  acquire: 'a purchase',
  dispose: 'a sale',
  move: 'a move',
  split: 'a split',
  receive: 'a dividend',
} as const

export const activity: Activity<typeof events> = {
  called: 'title',
  on: {
    InvestmentOpened: ({ asset }) => said`opened the investment ${THING} in ${asset}`,
    InvestmentChanged: said`changed the investment ${THING}`,
    LotAcquired: data => said`acquired ${much(data.quantity, data)} for ${money(data.cost, data)} in ${THING}`,
    LotsDisposed: data => said`disposed of ${much(data.quantity, data)} for ${money(data.proceeds, data)} in ${THING}`,
    LotsMoved: data => said`moved ${much(data.quantity, data)} of ${THING} from ${data.from} to ${data.to}`,
    LotsSplit: ({ numerator, denominator }) =>
      said`applied a split, ${String(numerator)} for ${String(denominator)}, to ${THING}`,
    TradeReversed: ({ trade }) => said`took back ${TRADES[trade]} in ${THING}`,
    DividendReceived: data => said`received ${money(data.amount, data)} of ${THING}`,
  },
}
