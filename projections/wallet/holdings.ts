import type { z } from 'zod'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { currency, date, id, integer, minorUnits, object, unsigned64 } from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/investment/messages.ts'
import { type Handler, type Handlers, projection } from '../rows/projection.ts'

const row = object({
  org: id('org'),
  investment: id('investment'),
  revision: unsigned64,
  position: unsigned64,
  day: date,
  asset: currency,
  currency,
  quantity: minorUnits,
  quantity_places: integer(0, 18),
  cost: minorUnits,
  places: integer(0, 18),
})
type Row = z.output<typeof row>
type Unit = Pick<Row, 'asset' | 'currency' | 'places'> & { readonly quantityPlaces: number }

/** The event changes what is held: `change` says from when on, and by how much. */
const changes = <D extends Unit>(
  change: (data: D) => { readonly at: string; readonly quantity: bigint; readonly cost: bigint },
): Handler<Row, D> => ({
  append({ data, metadata: { org, id }, revision, position }: DomainEvent<string, D>) {
    const { at, quantity, cost } = change(data)
    const { asset, currency: code, places, quantityPlaces } = data
    const unit = { asset, currency: code, places, quantity_places: quantityPlaces }
    return [{ org, investment: id, revision, position, day: at.slice(0, 10), ...unit, quantity, cost }]
  },
})

const on: Handlers<Row, typeof events> = {
  InvestmentOpened: null,
  InvestmentChanged: null,
  LotAcquired: changes(({ acquiredAt: at, quantity, cost }) => ({ at, quantity, cost })),
  LotsDisposed: changes(({ disposedAt: at, quantity, feeQuantity, parts }) => ({
    at,
    quantity: -quantity - feeQuantity,
    cost: -parts.reduce((sum, part) => sum + part.cost, 0n),
  })),
  LotsMoved: null,
  LotsSplit: changes(({ splitAt: at, change: quantity }) => ({ at, quantity, cost: 0n })),
  DividendReceived: null,
  TradeReversed: changes(({ happenedAt: at, quantity, cost }) => ({ at, quantity, cost })),
}

/** What each event changed of what is held, by the day that it counts for: added up, the holdings of any day. */
export const holdings = projection({
  name: 'holdings',
  service: 'wallet',
  version: 1,
  history: false,
  of: { investment: events },
  row,
  key: ['org', 'investment', 'revision'],
  on,
})
