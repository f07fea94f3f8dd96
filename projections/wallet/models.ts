import type { AnyProjection } from '../rows/projection.ts'
import { accountBlocks } from './account-blocks.ts'
import { accountDays } from './account-days.ts'
import { accountMonths } from './account-months.ts'
import { accountLinks } from './accountlinks.ts'
import { balances } from './balances.ts'
import { budgets } from './budgets.ts'
import { campaignTimers } from './campaign-timers.ts'
import { campaigns } from './campaigns.ts'
import { charts } from './charts.ts'
import { clearedEntries } from './cleared-entries.ts'
import { contributions } from './contributions.ts'
import { entries } from './entries.ts'
import { gains } from './gains.ts'
import { holdTimers } from './hold-timers.ts'
import { holdings } from './holdings.ts'
import { holds } from './holds.ts'
import { imports } from './imports.ts'
import { investments } from './investments.ts'
import { lots } from './lots.ts'
import { paymentBatches } from './payment-batches.ts'
import { payments } from './payments.ts'
import { postings } from './postings.ts'
import { ratePairs } from './rate-pairs.ts'
import { rateTables } from './rate-tables.ts'
import { rates } from './rates.ts'
import { reconciliations } from './reconciliations.ts'
import { standingOrderTimers } from './standing-order-timers.ts'
import { standingOrders } from './standing-orders.ts'
import { transferTimers } from './transfer-timers.ts'
import { transfers } from './transfers.ts'
import { walletUsers } from './wallet-users.ts'
import { wallets } from './wallets.ts'

export const walletModels: readonly AnyProjection[] = [
  wallets,
  balances,
  entries,
  postings,
  accountDays,
  accountMonths,
  accountBlocks,
  charts,
  walletUsers,
  accountLinks,
  reconciliations,
  clearedEntries,
  holds,
  holdTimers,
  transfers,
  transferTimers,
  standingOrders,
  standingOrderTimers,
  paymentBatches,
  payments,
  campaigns,
  contributions,
  campaignTimers,
  imports,
  rateTables,
  rates,
  ratePairs,
  investments,
  lots,
  gains,
  holdings,
  budgets,
]
