/** Rows that stand for one thing each: how the events of the thing make, change and remove them. */
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { type AnyHandler, existing, type Handler, type Key } from './projection.ts'

/** Columns that every row of a thing has, stamped here. */
type Stamped = { readonly org: string; readonly id: string; readonly revision: bigint; readonly updated_at: string }

/** The key of the rows that stand for one thing each: its org and its id. */
const keysOf = ({ metadata: { org, id } }: DomainEvent): readonly Key[] => [{ org, id }]

const stamped = ({ metadata: { org, id, at }, revision }: DomainEvent): Stamped => ({
  org,
  id,
  revision,
  updated_at: at,
})

/** The event makes the row, or makes it anew. `row` gives the columns that are not stamped; `at` is its time. */
export const made = <R extends Stamped, D>(
  row: (data: D, at: string, revision: bigint) => Omit<NoInfer<R>, keyof Stamped>,
): Handler<R, D> => ({
  keys: keysOf,
  isOwn: true,
  fold: (_, event) => ({ ...row(event.data, event.metadata.at, event.revision), ...stamped(event) }) as unknown as R,
})

/** The event changes columns of a row that must be there. */
export const changed = <R extends Stamped, D>(
  changes: (data: D, row: R, at: string) => Partial<NoInfer<R>>,
): Handler<R, D> => ({
  keys: keysOf,
  fold: (row, event) => {
    const before = existing(row, event)
    const { metadata, revision } = event
    const { org, id, at } = metadata
    // Not `stamped`: a spread behind the first is slow, and this runs for most events.
    return { ...before, ...changes(event.data, before, at), org, id, revision, updated_at: at }
  },
})

/** The event removes the row. */
export const removed: AnyHandler = { keys: keysOf, fold: () => null }
