/** What each subscriber is told of the same events: of things that are private, their readers alone. */

import type { ReadPool } from '../pool.ts'
import { type Grantees, type Guards, readable, readableBy } from '../readers.ts'
import type { Announced } from './announced.ts'

type Asking = { readonly grantees: () => Grantees }
type Batch = { readonly events: readonly Announced[]; readonly rendered: Map<string, Uint8Array> }
type ViewDeps = { readonly pool: ReadPool; readonly guards: Guards }

const thingsOf = (events: readonly Announced[]) =>
  events.map(({ category, id, row: { data } }) => ({ category, id, data }))

/**
 * The batch of each subscriber, by one statement for all of them where some of it is private. The
 * function answers `undefined` for one who was not among the subscribers: it has to be read for anew.
 */
export async function viewsOf(
  deps: ViewDeps,
  org: string,
  batch: Batch,
  subscribers: Iterable<Asking>,
): Promise<(subscriber: Asking) => Batch | undefined> {
  const isOpen = await readable(deps, org, [], thingsOf(batch.events))
  const isPrivate = batch.events.filter((_, at) => !isOpen[at])
  if (isPrivate.length === 0) return () => batch
  const views = new Map<string, Batch>([[JSON.stringify(null), batch]])
  const callers = new Map<string, Grantees>()
  for (const subscriber of subscribers) {
    const grantees = subscriber.grantees()
    if (grantees !== undefined) callers.set(JSON.stringify(grantees), grantees)
  }
  const open = await readableBy(deps, org, [...callers.values()], thingsOf(isPrivate))
  for (const [n, key] of [...callers.keys()].entries()) {
    const closed = new Set(isPrivate.filter((_, at) => !open[n]![at]))
    views.set(key, { events: batch.events.filter(event => !closed.has(event)), rendered: new Map() })
  }
  return subscriber => views.get(JSON.stringify(subscriber.grantees() ?? null))
}
