/** The revision that each thing has after some events: what answers about it and about the rows in it must say. */
import type { StoredEvent } from '../../domain/kernel/event.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'

type Seen = Pick<StoredEvent, 'revision' | 'stream'> & {
  readonly metadata: { readonly org: string; readonly id: string }
}
type WireRow = Readonly<Record<string, unknown>>

/** Gives rows the revision of their thing; an entry keeps its own, which is its place in the journal. */
export function revisionsAfter(events: readonly Seen[]) {
  const last = new Map<string, string>()
  for (const { stream, metadata, revision } of events) {
    last.set([metadata.org, stream.split('-')[0], metadata.id].join('\0'), String(revision))
  }
  return (projection: AnyProjection, row: WireRow): WireRow => {
    const [category, ...others] = Object.keys(projection.of)
    if (category === undefined || others.length > 0 || projection.name === 'entries') return row
    return { ...row, revision: last.get([row.org, category, row.wallet ?? row.id].join('\0')) }
  }
}
