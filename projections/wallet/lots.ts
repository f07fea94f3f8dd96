import type { z } from 'zod'
import {
  currency,
  id,
  integer,
  minorUnits,
  object,
  oneOf,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { positiveDecimal } from '../../domain/record/decimal.ts'
import { events } from '../../domain/wallet/investment/messages.ts'
import { existing, type Handlers, projection } from '../rows/projection.ts'
import { investments } from './investments.ts'

const row = object({
  org: id('org'),
  investment: id('investment'),
  lot: id('lot'),
  account: text(255),
  status: oneOf('open', 'closed'),
  type: events.LotAcquired.shape.type,
  asset: currency,
  currency,
  places: integer(0, 18).meta({ description: 'decimal places of amounts of money' }),
  quantity_places: integer(0, 18).meta({ description: 'decimal places of quantities' }),
  quantity: minorUnits.meta({ description: 'what is left of it' }),
  cost: minorUnits.meta({ description: 'what that cost' }),
  price: positiveDecimal.meta({ description: 'what one unit of the asset cost, without fees' }),
  acquired_quantity: minorUnits.meta({ description: 'what it began with' }),
  acquired_cost: minorUnits,
  acquired_at: timestamp,
  origin: id('lot').optional().meta({ description: 'the lot that it was a part of, before it was moved' }),
  description: text(1000).optional(),
  revision: unsigned64,
  updated_at: timestamp,
})
type Row = z.output<typeof row>
type Taken = { readonly quantity: bigint; readonly cost: bigint }

/** The row without a part of its lot. */
function without(row: Row, { quantity, cost }: Taken): Row {
  const left = row.quantity - quantity
  return { ...row, quantity: left, cost: row.cost - cost, status: left === 0n ? 'closed' : 'open' }
}

const on: Handlers<Row, typeof events> = {
  InvestmentOpened: null,
  InvestmentChanged: null,
  LotAcquired: {
    keys: ({ data: { lot }, metadata: { org, id } }) => [{ org, investment: id, lot }],
    fold: (_, { data, metadata: { org, id, at }, revision }) => {
      const { isIncome: __, quantityPlaces, acquiredAt, ...rest } = data
      return {
        org,
        investment: id,
        ...rest,
        status: 'open',
        quantity_places: quantityPlaces,
        acquired_quantity: data.quantity,
        acquired_cost: data.cost,
        acquired_at: acquiredAt,
        revision,
        updated_at: at,
      }
    },
  },
  LotsDisposed: {
    keys: ({ data: { parts }, metadata: { org, id } }) => parts.map(({ lot }) => ({ org, investment: id, lot })),
    fold(row, event, { lot }) {
      const part = event.data.parts.find(one => one.lot === lot)!
      return { ...without(existing(row, event), part), revision: event.revision, updated_at: event.metadata.at }
    },
  },
  LotsMoved: {
    keys: ({ data: { parts }, metadata: { org, id } }) =>
      parts.flatMap(({ lot, into }) => [
        { org, investment: id, lot },
        { org, investment: id, lot: into },
      ]),
    fold(row, event, { lot }) {
      const { data, revision, metadata } = event
      const stamp = { revision, updated_at: metadata.at }
      const from = data.parts.find(part => part.lot === lot)
      if (from && from.into === lot) return { ...existing(row, event), account: data.to, ...stamp }
      if (from) return { ...without(existing(row, event), from), ...stamp }
      const { lot: origin, quantity, cost, price, acquiredAt } = data.parts.find(({ into }) => into === lot)!
      const { asset, currency, places, quantityPlaces } = data
      return {
        org: metadata.org,
        investment: metadata.id,
        lot: String(lot),
        account: data.to,
        status: 'open',
        type: 'opening',
        asset,
        currency,
        places,
        quantity_places: quantityPlaces,
        quantity,
        cost,
        price,
        acquired_quantity: quantity,
        acquired_cost: cost,
        acquired_at: acquiredAt,
        origin,
        description: data.description,
        ...stamp,
      }
    },
  },
  LotsSplit: {
    keys: ({ data: { lots }, metadata: { org, id } }) => lots.map(({ lot }) => ({ org, investment: id, lot })),
    fold(row, event, { lot }) {
      const { quantity, price } = event.data.lots.find(one => one.lot === lot)!
      const stamp = { revision: event.revision, updated_at: event.metadata.at }
      return { ...existing(row, event), quantity, price, ...stamp }
    },
  },
  DividendReceived: null,
  TradeReversed: {
    keys: ({ data: { lots, removed }, metadata: { org, id } }) =>
      [...lots.map(({ lot }) => lot), ...removed].map(lot => ({ org, investment: id, lot })),
    fold(row, event, { lot }) {
      const restored = event.data.lots.find(one => one.lot === lot)
      if (!restored) return null
      const { account, quantity, cost, price } = restored
      const stamp = { revision: event.revision, updated_at: event.metadata.at }
      return { ...existing(row, event), account, quantity, cost, price, status: 'open', ...stamp }
    },
  },
}

/** One row per lot, those that are used up too. */
export const lots = projection({
  name: 'lots',
  service: 'wallet',
  version: 1,
  history: true,
  of: { investment: events },
  row,
  key: ['org', 'investment', 'lot'],
  on,
  reads: [
    {
      one: 'lot',
      many: 'lots',
      path: '/investments/:id/lots',
      permission: 'investments.read',
      parents: { id: 'investment' },
      within: investments,
      names: ['lot'],
      order: ['lot'],
      filters: ['status', 'account', 'acquired_at'],
      groups: ['account', 'status', 'type', 'currency', 'places', 'acquired_at'],
      sums: ['quantity', 'cost'],
      units: { quantity: null },
      places: { cost: 'places' },
      summary: { list: 'The lots of a position.', get: 'A lot of a position.' },
    },
  ],
})
