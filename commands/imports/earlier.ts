/** The imports that a wallet has: numbered one after another, so that the log finds them without a read model. */
import { evolveWith } from '../../domain/kernel/aggregate.ts'
import { bankImport, type Import } from '../../domain/wallet/import/import.ts'
import type { events } from '../../domain/wallet/import/messages.ts'
import type { WriteDeps } from '../execute.ts'
import { streamOf, uuidOf } from '../ids.ts'
import type { Target } from './draft.ts'
import type { Known } from './plan.ts'
import { eventsOf } from './wallet-state.ts'

/** An import as its stream has it. */
export type Earlier = {
  readonly id: string
  readonly status: Import['status']
  readonly read: ReturnType<(typeof events)['ImportStarted']['parse']>
}

/** Streams that are read at once. */
const AT_ONCE = 16

/** The id of the n-th import of a wallet. */
export const importIdOf = ({ org, wallet }: Pick<Target, 'org' | 'wallet'>, n: number): string =>
  uuidOf([org, bankImport.name, wallet, n])

/** All imports of a wallet, in their order. */
export async function importsOf(deps: WriteDeps, target: Target): Promise<readonly Earlier[]> {
  const found: Earlier[] = []
  for (let from = 1; ; from += AT_ONCE) {
    const ids = Array.from({ length: AT_ONCE }, (_, n) => importIdOf(target, from + n))
    const some = await Promise.all(ids.map(id => loadImport(deps, target.org, id)))
    for (const one of some) if (one) found.push(one)
    if (some.includes(undefined)) return found
  }
}

/** An import by its id, `undefined` where there is none. */
export async function loadImport(deps: WriteDeps, org: string, id: string): Promise<Earlier | undefined> {
  const all = await eventsOf(deps, streamOf(org, bankImport.name, id))
  const [first] = all
  if (!first) return undefined
  const state = all.reduce<unknown>((before, event) => evolveWith(bankImport, before, event), bankImport.initial)
  return { id, status: (state as Import).status, read: first.data as Earlier['read'] }
}

/** What those of them that were not taken back know of rows, and the formats of all. */
export function knownOf(earlier: readonly Earlier[]): Known {
  const live = earlier.filter(isLive)
  return {
    matched: new Map(live.flatMap(({ read }) => read.matched.map(({ row, entry }) => [row, entry] as const))),
    formats: new Map(earlier.map(({ id, read }) => [id, read.format] as const)),
    undone: new Set(earlier.filter(one => !isLive(one)).map(({ id }) => id)),
  }
}

/** Whether an import was not taken back, in whole or in part. */
export const isLive = ({ status }: Pick<Earlier, 'status'>): boolean => status === 'started' || status === 'booked'
