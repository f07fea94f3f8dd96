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
import { events, PARTS_MAX } from '../../domain/wallet/investment/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { investments } from './investments.ts'

const types = [...new Set([...events.LotAcquired.shape.type.options, ...events.LotsDisposed.shape.type.options])]

const row = object({
  org: id('org'),
  investment: id('investment'),
  revision: unsigned64,
  line: integer(0, PARTS_MAX - 1),
  position: unsigned64,
  lot: id('lot').optional(),
  account: text(255).optional(),
  type: oneOf(...(types as [(typeof types)[number], ...typeof types])),
  term: oneOf('short', 'long'),
  asset: currency,
  currency,
  places: integer(0, 18).meta({ description: 'decimal places of amounts of money' }),
  quantity_places: integer(0, 18).meta({ description: 'decimal places of the quantity' }),
  quantity: minorUnits.meta({ description: 'what went, or came as income; nothing for a dividend in money' }),
  proceeds: minorUnits,
  cost: minorUnits,
  gain: minorUnits.meta({ description: '`proceeds` without `cost`' }),
  acquired_at: timestamp.optional(),
  realised_at: timestamp,
  year: text(4).meta({ description: 'the year of `realised_at`, in UTC' }),
  description: text(1000).optional(),
  reverses: unsigned64.optional().meta({ description: 'revision of the trade that this row takes back' }),
  recorded_at: timestamp,
})
type Row = z.output<typeof row>
type Place = Pick<Row, 'org' | 'investment' | 'revision' | 'line' | 'position' | 'recorded_at'>

const placeOf = (
  {
    metadata: { org, id, at },
    revision,
    position,
  }: { metadata: { org: string; id: string; at: string } } & Pick<Row, 'revision' | 'position'>,
  line: number,
): Place => ({ org, investment: id, revision, line, position, recorded_at: at })

const unitOf = <D extends Pick<Row, 'asset' | 'currency' | 'places'> & { readonly quantityPlaces: number }>(
  data: D,
) => ({
  asset: data.asset,
  currency: data.currency,
  places: data.places,
  quantity_places: data.quantityPlaces,
})

const on: Handlers<Row, typeof events> = {
  InvestmentOpened: null,
  InvestmentChanged: null,
  LotAcquired: {
    append(event) {
      const { lot, account, type, isIncome, quantity, cost, acquiredAt, description } = event.data
      if (!isIncome) return []
      const worth = { quantity, proceeds: cost, cost: 0n, gain: cost }
      const realised = { acquired_at: acquiredAt, realised_at: acquiredAt, year: acquiredAt.slice(0, 4) }
      const what = { lot, account, type, term: 'short', ...unitOf(event.data) } as const
      return [{ ...placeOf(event, 0), ...what, ...worth, ...realised, description }]
    },
  },
  LotsDisposed: {
    append(event) {
      const { account, type, parts, disposedAt, description } = event.data
      return parts.map(({ lot, quantity, cost, proceeds, acquiredAt, isLongTerm }, line) => ({
        ...placeOf(event, line),
        lot,
        account,
        type,
        term: isLongTerm ? 'long' : 'short',
        ...unitOf(event.data),
        quantity,
        proceeds,
        cost,
        gain: proceeds - cost,
        acquired_at: acquiredAt,
        realised_at: disposedAt,
        year: disposedAt.slice(0, 4),
        description,
      }))
    },
  },
  LotsMoved: null,
  LotsSplit: null,
  DividendReceived: {
    append(event) {
      const { amount, receivedAt, description } = event.data
      const worth = { quantity: 0n, proceeds: amount, cost: 0n, gain: amount }
      const realised = { realised_at: receivedAt, year: receivedAt.slice(0, 4) }
      const what = { type: 'dividend', term: 'short', ...unitOf(event.data) } as const
      return [{ ...placeOf(event, 0), ...what, ...worth, ...realised, description }]
    },
  },
  TradeReversed: {
    append(event) {
      const { realised, happenedAt, revision: reverses, reason: description } = event.data
      return realised.map(({ acquiredAt, isLongTerm, quantity, proceeds, cost, ...what }, line) => ({
        ...placeOf(event, line),
        ...what,
        ...unitOf(event.data),
        term: isLongTerm ? 'long' : 'short',
        quantity: -quantity,
        proceeds: -proceeds,
        cost: -cost,
        gain: cost - proceeds,
        acquired_at: acquiredAt,
        realised_at: happenedAt,
        year: happenedAt.slice(0, 4),
        description,
        reverses,
      }))
    },
  },
}

const read = {
  permission: 'investments.read',
  groups: ['type', 'term', 'year', 'asset', 'currency', 'places', 'realised_at'],
  sums: ['proceeds', 'cost', 'gain'],
  places: { proceeds: 'places', cost: 'places', gain: 'places' },
} as const

/** One row per part of a lot that went, and per income: what was gained by it. */
export const gains = projection({
  name: 'gains',
  service: 'wallet',
  version: 2,
  history: false,
  of: { investment: events },
  row,
  key: ['org', 'investment', 'revision', 'line'],
  on,
  reads: [
    {
      ...read,
      one: 'investment gain',
      many: 'investment gains',
      path: '/investments/:id/gains',
      parents: { id: 'investment' },
      within: investments,
      names: [],
      order: ['revision', 'line'],
      filters: ['year', 'currency'],
      summary: { list: 'The realised gains of a position, lot by lot.' },
    },
    {
      ...read,
      one: 'gain',
      many: 'gains',
      path: '/gains',
      names: [],
      order: ['position', 'line'],
      filters: ['investment', 'year', 'currency', 'realised_at'],
      groups: ['investment', ...read.groups],
      summary: { list: 'The realised gains of all positions, in the order of recording.' },
    },
  ],
})
