/** The whole system as lists: adding an aggregate is one folder, one projection and one line here. */
import { item } from '../domain/item/item.ts'
import type { AnyAggregate } from '../domain/kernel/aggregate.ts'
import { eventCodec } from '../domain/kernel/codec.ts'
import { task } from '../domain/task/task.ts'
import { wallet } from '../domain/wallet/wallet.ts'
import { auditLog } from '../projections/audit-log.ts'
import { balances } from '../projections/balances.ts'
import { entries } from '../projections/entries.ts'
import { items } from '../projections/items.ts'
import { memories } from '../projections/memory/memories.ts'
import { postings } from '../projections/postings.ts'
import type { AnyProjection } from '../projections/projection.ts'
import { tasks } from '../projections/tasks.ts'
import { wallets } from '../projections/wallets.ts'

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
