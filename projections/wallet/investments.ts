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
import { subjectName } from '../../domain/record/subject.ts'
import { METHODS } from '../../domain/wallet/investment/lots.ts'
import { events } from '../../domain/wallet/investment/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('investment'),
  wallet: id('wallet'),
  owner: subjectName,
  kind: oneOf('equity', 'crowdfunding', 'donation', 'crypto', 'fund', 'other'),
  title: text(200).optional(),
  asset: currency,
  currency,
  places: integer(0, 18).meta({ description: 'decimal places of amounts of money' }),
  quantity_places: integer(0, 18).meta({ description: 'decimal places of quantities' }),
  method: oneOf(...METHODS),
  pool: oneOf('position', 'account'),
  long_term_days: integer(0, 36_600),
  quantity: minorUnits.meta({ description: 'what is held' }),
  cost: minorUnits.meta({ description: 'what that cost' }),
  gain: minorUnits.meta({ description: 'what disposals gained so far: their proceeds without what they cost' }),
  income: minorUnits.meta({ description: 'dividends, and what was received as income' }),
  revision: unsigned64,
  opened_at: timestamp,
  updated_at: timestamp,
})
type Row = z.output<typeof row>

const sum = <T>(all: readonly T[], of: (one: T) => bigint) => all.reduce((total, one) => total + of(one), 0n)

const on: Handlers<Row, typeof events> = {
  InvestmentOpened: made(({ quantityPlaces, longTermDays, ...data }, at) => ({
    ...data,
    quantity_places: quantityPlaces,
    long_term_days: longTermDays,
    quantity: 0n,
    cost: 0n,
    gain: 0n,
    income: 0n,
    opened_at: at,
  })),
  InvestmentChanged: changed(({ title, method, longTermDays }, row) => ({
    ...(title !== undefined && { title: title ?? undefined }),
    method: method ?? row.method,
    long_term_days: longTermDays ?? row.long_term_days,
  })),
  LotAcquired: changed(({ quantity, cost, isIncome }, row) => ({
    quantity: row.quantity + quantity,
    cost: row.cost + cost,
    income: row.income + (isIncome ? cost : 0n),
  })),
  LotsDisposed: changed(({ quantity, feeQuantity, proceeds, parts }, row) => {
    const cost = sum(parts, part => part.cost)
    return {
      quantity: row.quantity - quantity - feeQuantity,
      cost: row.cost - cost,
      gain: row.gain + proceeds - cost,
    }
  }),
  LotsMoved: changed(() => ({})),
  LotsSplit: changed(({ lots }) => ({ quantity: sum(lots, lot => lot.quantity) })),
  DividendReceived: changed(({ amount }, row) => ({ income: row.income + amount })),
  TradeReversed: changed((reversed, row) => ({
    quantity: row.quantity + reversed.quantity,
    cost: row.cost + reversed.cost,
    gain: row.gain + reversed.gain,
    income: row.income + reversed.income,
  })),
}

/** One row per position: what is held of an asset, what it cost, and what it brought. */
export const investments = projection({
  name: 'investments',
  service: 'wallet',
  version: 1,
  history: true,
  of: { investment: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'investment',
      many: 'investments',
      path: '/investments',
      permission: 'investments.read',
      names: ['id'],
      order: ['id'],
      filters: ['wallet', 'kind', 'asset', 'currency'],
      groups: ['wallet', 'kind', 'asset', 'currency', 'places'],
      sums: ['cost', 'gain', 'income'],
      places: { cost: 'places', gain: 'places', income: 'places' },
      summary: { list: 'The positions of the organization.', get: 'A position.' },
    },
  ],
})
