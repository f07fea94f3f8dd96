/** What each subscriber is told of the same events: of things that are private, their readers alone. */

import type { ReadPool } from '../pool.ts'
import { type Grantees, type Guards, readable } from '../readers.ts'
import type { Announced } from './announced.ts'

type Asking = { readonly grantees: () => Grantees }
type Batch = { readonly events: readonly Announced[]; readonly rendered: Map<string, Uint8Array> }
type ViewDeps = { readonly pool: ReadPool; readonly guards: Guards }

const thingsOf = (events: readonly Announced[]) =>
  events.map(({ category, id, row: { data } }) => ({ category, id, data }))

/** Which of some events of an org are about things that a caller may not read. */
async function closedTo(deps: ViewDeps, org: string, events: readonly Announced[], grantees: Grantees) {
  const open = await readable(deps, org, grantees, thingsOf(events))
  return events.filter((_, at) => !open[at])
}

/**
 * The batch of each subscriber, by one statement for each caller, and by none where nothing of it is private. The
 * function answers `undefined` for one who was not among the subscribers: it has to be read for anew.
 */
export async function viewsOf(
  deps: ViewDeps,
  org: string,
  batch: Batch,
  subscribers: Iterable<Asking>,
): Promise<(subscriber: Asking) => Batch | undefined> {
  const isPrivate = await closedTo(deps, org, batch.events, [])
  if (isPrivate.length === 0) return () => batch
  const views = new Map<string, Batch>([[JSON.stringify(null), batch]])
  for (const subscriber of subscribers) {
    const grantees = subscriber.grantees()
    const key = JSON.stringify(grantees ?? null)
    if (views.has(key)) continue
    const closed = new Set(await closedTo(deps, org, isPrivate, grantees))
    views.set(key, { events: batch.events.filter(event => !closed.has(event)), rendered: new Map() })
  }
  return subscriber => views.get(JSON.stringify(subscriber.grantees() ?? null))
}
