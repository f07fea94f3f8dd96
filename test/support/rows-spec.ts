/** Given events, then rows: the specification of a read model. */
import { expect } from 'chai'
import type { z } from 'zod'
import type { DomainEvent, StoredEvent } from '../../domain/kernel/event.ts'
import { toWire } from '../../domain/kernel/json.ts'
import { codec } from '../../infra/catalogue.ts'
import { PartitionTable, partitionOf } from '../../projections/ownership/partitions.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import { fold, sortedRows } from '../../projections/rows/fold.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { BatchFold } from '../../projections/runner/batch.ts'
import { CONTEXT } from './spec.ts'

/** A fact in memory form; `id` names another thing than `thing-1`, `of` its category where several are read. */
export type Given = { readonly type: string; readonly data: object; readonly id?: string; readonly at?: string }

/**
 * `rowsFor(tasks).given(created).then({ id: 'thing-1', … })`. Rows are compared in key order by the columns that are
 * named. The batch is also given to the runner's fold, twice: the second time it must change nothing.
 */
export const rowsFor = (model: AnyProjection) => ({
  given: (...facts: readonly Given[]) => ({
    // biome-ignore lint/suspicious/noThenProperty: given, then; it returns a promise by itself
    async then(...expected: readonly object[]): Promise<void> {
      const events = facts.map((fact, n) => eventOf(model, facts, fact, n))
      const rows = sortedRows(await fold([model], events.map(codec.decode)), model)
      expect(rows.map((row, n) => picked(row, expected[n] ?? row))).to.deep.equal(expected)
      await mustPassTwice(model, events)
    },
  }),
})

const picked = (row: object, expected: object) =>
  Object.fromEntries(Object.keys(expected).map(name => [name, (row as Record<string, unknown>)[name]]))

function eventOf(model: AnyProjection, facts: readonly Given[], { type, data, id, at }: Given, n: number): StoredEvent {
  const category = Object.keys(model.of).find(name => Object.hasOwn(model.of[name], type))
  if (category === undefined) throw new TypeError(`${model.name} is made of no event ${type}`)
  const name = id ?? CONTEXT.id
  const before = facts.slice(0, n).filter(other => (other.id ?? CONTEXT.id) === name)
  const schema = model.of[category][type] as z.ZodObject
  return {
    type,
    data: toWire(schema.safeEncode(data as never).data ?? data) as StoredEvent['data'],
    eventId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    stream: `${category}-${name}`,
    revision: BigInt(before.length),
    position: BigInt(100 + n),
    metadata: {
      $correlationId: 'c',
      $causationId: 'c',
      commandId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
      fingerprint: 'f'.repeat(64),
      org: CONTEXT.org,
      id: name,
      actor: { subject: CONTEXT.actor, roles: [] },
      subjects: [],
      at: at ?? CONTEXT.at,
      schema: codec.schemaOf(type),
    },
  }
}

/** The runner's own fold takes the batch without a fault, and changes nothing when it comes again. */
async function mustPassTwice(projection: AnyProjection, events: readonly StoredEvent[]): Promise<void> {
  const checkpoint = {
    projection: projection.name,
    version: projection.version,
    bucket: bucketOf(CONTEXT.org),
    position: 0n,
    epoch: 1n,
    state: 'running' as const,
    error: null,
    updatedAt: CONTEXT.at,
  }
  const partition = partitionOf(projection, checkpoint)
  const decode = (event: StoredEvent): DomainEvent => codec.decode(event)
  const batch = new BatchFold({
    table: new PartitionTable([partition]),
    decode,
    load: async () => [],
    skips: new Map(),
  })
  if (events.length === 0) return
  expect([...(await batch.fold(events)).faults.values()]).to.deep.equal([])
  const { changes } = await batch.fold(events)
  expect(
    changes
      .flatMap(({ changed, removed, appended, versions }) => [...changed, ...removed, appended.count, versions.count])
      .filter(Boolean),
  ).to.deep.equal([])
}
