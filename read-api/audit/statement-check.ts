/** Statements about rows beside an export: the events, and they alone, must give the rows that were signed. */
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { canonicalJson, toWire } from '../../domain/kernel/json.ts'
import { isOriginOf } from '../../projections/notary/checkpoint.ts'
import { Tree } from '../../projections/notary/merkle.ts'
import { ProofFault } from '../../projections/notary/proof.ts'
import { type MapChange, placeOf, rowDigest, updateMaps } from '../../projections/notary/row-map.ts'
import type { OpenedStatement, Statement } from '../../projections/notary/row-statement.ts'
import { fold, sortedRows } from '../../projections/rows/fold.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { keyOfRow } from '../../projections/rows/proved.ts'
import type { Row } from '../../projections/rows/tables.ts'
import { AuditFault, skipsOf } from './bundle.ts'
import type { BundleSource } from './source.ts'
import { type CheckOptions, readManifest, verifiedEvents } from './verify.ts'

/**
 * Checks an export and folds its first events, as many as the statement's log has, into the rows of the read model,
 * whose map must have the root that was signed. Throws an `AuditFault` for the export, and a `ProofFault` where the
 * statement is about another log, or about other rows.
 */
export async function checkStatement(
  source: BundleSource,
  statement: OpenedStatement,
  options: CheckOptions,
): Promise<void> {
  const { model, version, log, verified } = statement
  // The rows that were signed follow from the events, whatever a manifest says of itself.
  const manifest = await readManifest(source, { ...options, older: true })
  const { org } = manifest
  if (!isOriginOf(log.origin, org, verified)) {
    throw new ProofFault('origin_differs', `The statement is about ${log.origin}, and the export is one of ${org}.`)
  }
  if (manifest.selection !== undefined) {
    throw new AuditFault('selection_not_whole', 'Rows follow from all events: an export of the whole is needed.')
  }
  const projection = options.projections.find(known => known.name === model && known.version === version)
  if (!projection) throw new ProofFault('model_unknown', `This program has no version ${version} of ${model}.`)
  const tree = new Tree()
  const sealed = async function* (): AsyncGenerator<DomainEvent> {
    for await (const { leaf, decoded } of verifiedEvents(source, manifest, options)) {
      if (tree.size === log.size) continue
      tree.add(leaf())
      if (decoded) yield decoded
    }
  }
  const folded = await fold([projection], sealed(), skipsOf(manifest))
  if (tree.size < log.size) {
    const message = `The export has ${tree.size} events, and the statement is about ${log.size}: a later one is needed.`
    throw new ProofFault('export_too_short', message)
  }
  if (!tree.root.equals(log.root)) {
    throw new ProofFault('events_differ', `The first ${log.size} events are not those of the statement's log.`)
  }
  await compare(projection, sortedRows(folded, projection), statement)
}

async function compare(projection: AnyProjection, rows: readonly Row[], { rows: count, root }: Statement) {
  const changes = rows.map((row): MapChange => {
    const wire = toWire(row) as Readonly<Record<string, unknown>>
    return { place: placeOf(keyOfRow(projection, wire)), digest: rowDigest(canonicalJson(wire)) }
  })
  const [map] = await updateMaps(async ids => ids.map(() => undefined), [{ map: 0, changes }])
  if (map!.root.equals(root) && rows.length === count) return
  const message = `The events give ${rows.length} rows of ${projection.name}, and ${count} that are others were signed.`
  throw new ProofFault('rows_differ', message)
}
