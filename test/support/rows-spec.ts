/** Given events, then rows: the specification of a read model. */
import { expect } from 'chai'
import { InvariantError } from '../../domain/kernel/errors.ts'
import type { DomainEvent, StoredEvent } from '../../domain/kernel/event.ts'
import { aggregates, codec } from '../../infra/catalogue.ts'
import { PartitionTable, partitionOf } from '../../projections/ownership/partitions.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import { fold, sortedRows } from '../../projections/rows/fold.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { BatchFold } from '../../projections/runner/batch.ts'
import { CONTEXT, stored } from './spec.ts'

/** A fact in memory form, of `thing-1` unless `id` names another thing; all facts are of one instant but for `at`,
 * and by one user but for `actor`; `behalf` is the user behind a process, `subjects` are those whose sealed data it
 * holds, and `revision` is its own where not all facts before it are given. */
export type Given = {
  readonly type: string
  readonly data: object
  readonly id?: string
  readonly at?: string
  readonly actor?: string
  readonly behalf?: string
  readonly subjects?: readonly string[]
  readonly revision?: bigint
}

/**
 * `rowsFor(tasks).given(created).then({ id: 'thing-1', … })`. Rows are compared in key order, each by the columns that
 * the expected row names. The facts also go through the runner's fold, twice: the second time they must change nothing.
 */
export const rowsFor = (model: AnyProjection) => ({
  given: (...facts: readonly Given[]) => {
    const events = facts.map((fact, n) => eventOf(facts, fact, n))
    const rows = async () => sortedRows(await fold([model], events.map(codec.decode)), model)
    const title = `rows of ${model.name} after ${facts.map(({ type }) => type).join(', ')}`
    return {
      // biome-ignore lint/suspicious/noThenProperty: given, then; it returns a promise by itself
      async then(...expected: readonly object[]): Promise<void> {
        const found = await rows()
        expect(found.map((row, n) => picked(row, expected[n] ?? row)).map(shown), title).to.deep.equal(
          expected.map(shown),
        )
        await mustPassTwice(model, events, title)
      },
      /** The rows themselves, for what is true of all of them together. */
      rows,
      /** No command makes such a history: the fold throws an `InvariantError`. */
      async isImpossible(): Promise<void> {
        const error = await rows().catch((thrown: Error) => thrown)
        expect(error, title).to.be.instanceOf(InvariantError)
      },
    }
  },
})

const picked = (row: object, expected: object) =>
  Object.fromEntries(Object.keys(expected).map(name => [name, (row as Record<string, unknown>)[name]]))

/** A row as a difference shows it best: a column without a value is named, a number does not look like a text. */
const shown = (row: object) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value === undefined ? 'no value' : typeof value === 'bigint' ? `${value}n` : value,
    ]),
  )

function eventOf(facts: readonly Given[], given: Given, n: number): StoredEvent {
  const { type, data, id, at, actor, behalf, subjects = [], revision } = given
  const aggregate = aggregates.find(({ events }) => Object.hasOwn(events, type))
  if (aggregate === undefined) throw new TypeError(`no aggregate has an event ${type}`)
  const name = id ?? CONTEXT.id
  const before = facts.slice(0, n).filter(other => (other.id ?? CONTEXT.id) === name)
  const number = String(n).padStart(12, '0')
  return {
    type,
    data: stored(aggregate.events, type, data),
    eventId: `00000000-0000-4000-8000-${number}`,
    stream: `${aggregate.name}-${name}`,
    revision: revision ?? BigInt(before.length),
    position: BigInt(100 + n),
    metadata: {
      $correlationId: 'c',
      $causationId: 'c',
      commandId: `00000000-0000-4000-8000-${number}`,
      fingerprint: 'f'.repeat(64),
      org: CONTEXT.org,
      id: name,
      actor: { subject: actor ?? CONTEXT.actor, roles: [] },
      ...(behalf !== undefined && { behalf: { subject: behalf, roles: [] } }),
      subjects,
      at: at ?? CONTEXT.at,
      schema: codec.schemaOf(type),
    },
  }
}

/** The runner's own fold over an empty table takes the batch without a fault, and ignores it when it comes again. */
async function mustPassTwice(projection: AnyProjection, events: readonly StoredEvent[], title: string) {
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
  const { faults } = await batch.fold(events)
  expect([...faults.values()], `the runner stalls: ${title}`).to.deep.equal([])
  const { changes } = await batch.fold(events)
  expect(
    changes
      .flatMap(({ changed, removed, appended, versions }) => [...changed, ...removed, appended.count, versions.count])
      .filter(Boolean),
    `the same facts once more change ${title}`,
  ).to.deep.equal([])
}
