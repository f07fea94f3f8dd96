/** The whole system as lists: adding an aggregate is one folder, one projection and one line here. */
import { item } from '../domain/briefcase/item/item.ts'
import { task } from '../domain/center/task/task.ts'
import type { AnyAggregate } from '../domain/kernel/aggregate.ts'
import { eventCodec } from '../domain/kernel/codec.ts'
import { wallet } from '../domain/wallet/wallet/wallet.ts'
import { auditLog } from '../projections/audit/audit-log.ts'
import { items } from '../projections/briefcase/items.ts'
import { tasks } from '../projections/center/tasks.ts'
import { memories } from '../projections/memory/memories.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { balances } from '../projections/wallet/balances.ts'
import { entries } from '../projections/wallet/entries.ts'
import { postings } from '../projections/wallet/postings.ts'
import { wallets } from '../projections/wallet/wallets.ts'

export const aggregates: readonly AnyAggregate[] = [wallet, item, task]

export const projections: readonly AnyProjection[] = [
  wallets,
  balances,
  entries,
  postings,
  items,
  tasks,
  memories,
  auditLog,
]

/** Prefixes of the streams that hold domain events: the one filter with which consumers read `$all`. */
export const domainStreamPrefixes: readonly string[] = aggregates.map(({ name }) => `${name}-`)

export const codec = eventCodec(aggregates)
