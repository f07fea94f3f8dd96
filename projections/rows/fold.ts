/**
 * The pure fold: events in, rows out, in memory. The rows of the set-based runner are checked against it, so it shares
 * no code with the runner and stays obviously simple.
 */
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { type TableDigest, tableDigest } from './digest.ts'
import { type AnyProjection, handlerOf } from './projection.ts'
import { byKey, keyTextOf, type Row } from './tables.ts'

/** Positions that an operator decided to skip, by the projection's name. */
export type Skips = ReadonlyMap<string, ReadonlySet<bigint>>

/** Rows by key text, by the projection's name. */
export type FoldedRows = Map<string, Map<string, Row>>

/** Folds one event into the rows of every projection. A fold that throws leaves the rows of its projection behind. */
export function foldEvent(
  projections: readonly AnyProjection[],
  into: FoldedRows,
  event: DomainEvent,
  skips: Skips = new Map(),
): void {
  for (const projection of projections) {
    if (skips.get(projection.name)?.has(event.position)) continue
    const handler = handlerOf(projection, event.type)
    if (!handler) continue
    const rows = rowsOf(into, projection)
    const keyText = keyTextOf(projection)
    if ('append' in handler) {
      for (const row of handler.append(event) as readonly Row[]) rows.set(keyText(row), row)
      continue
    }
    const keys = new Map(handler.keys(event).map(key => [keyText(key), key]))
    for (const [text, key] of keys) {
      const row = handler.fold(rows.get(text), event, key) as Row | null
      if (row === null) rows.delete(text)
      else rows.set(text, row)
    }
  }
}

/** Folds a whole stream of events, in order, into fresh rows. */
export async function fold(
  projections: readonly AnyProjection[],
  events: Iterable<DomainEvent> | AsyncIterable<DomainEvent>,
  skips: Skips = new Map(),
): Promise<FoldedRows> {
  const rows: FoldedRows = new Map()
  for (const projection of projections) rowsOf(rows, projection)
  for await (const event of events) foldEvent(projections, rows, event, skips)
  return rows
}

/** The rows of a projection in key order. */
export const sortedRows = (folded: FoldedRows, projection: AnyProjection): readonly Row[] =>
  [...rowsOf(folded, projection).values()].sort(byKey(projection))

/** The digest of each org's rows in one projection; rows of no org count as those of the org `''`. */
export function foldedDigests(folded: FoldedRows, projection: AnyProjection): Map<string, TableDigest> {
  const byOrg = new Map<string, Row[]>()
  for (const row of sortedRows(folded, projection)) {
    const org = typeof row.org === 'string' ? row.org : ''
    const rows = byOrg.get(org)
    if (rows) rows.push(row)
    else byOrg.set(org, [row])
  }
  return new Map([...byOrg].map(([org, rows]) => [org, tableDigest(rows)]))
}

function rowsOf(folded: FoldedRows, { name }: AnyProjection): Map<string, Row> {
  const rows = folded.get(name) ?? new Map<string, Row>()
  folded.set(name, rows)
  return rows
}
