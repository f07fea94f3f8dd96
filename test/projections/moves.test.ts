import { expect } from 'chai'
import { tasks } from '../../projections/center/tasks.ts'
import type { Partition, SharedRow } from '../../projections/ownership/partitions.ts'
import { partitionsToJoin, planMoves } from '../../projections/ownership/sharing.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'

/** Partitions of bucket 3 at position 10, of projections with these names, that share a row under epoch 4. */
function sharing(...names: readonly string[]): readonly Partition[] {
  const row: SharedRow = { id: 'row', epoch: 4n, members: new Set() }
  return names.map(name => {
    const partition = alone(name, 10n)
    partition.shared = row
    row.members.add(partition)
    return partition
  })
}

const alone = (name: string, committed: bigint): Partition => ({
  projection: { ...tasks, name } as AnyProjection,
  bucket: 3,
  epoch: 1n,
  shared: undefined,
  committed,
  passed: committed,
  state: 'running',
  storedState: 'running',
  fault: null,
})

const plan = (...advances: readonly (readonly [Partition, bigint])[]) => {
  const { leaving, own, shared } = planMoves(new Map(advances))
  return {
    leaving: leaving.map(({ projection }) => projection.name),
    own: own.map(({ projection, from, to, state }) => [projection, from, to, state]),
    shared: shared.map(({ id, epoch, from, to }) => [id, epoch, from, to]),
  }
}

describe('projections: the moves of a batch', () => {
  it('are one for all who share a row and go on together', () => {
    const [a, b, c] = sharing('a', 'b', 'c')
    const d = alone('d', 7n)
    expect(plan([a!, 12n], [b!, 12n], [c!, 12n], [d, 12n])).to.deep.equal({
      leaving: [],
      own: [['d', 7n, 12n, 'running']],
      shared: [['row', 4n, 10n, 12n]],
    })
  })

  it('leave the shared row to those that run, under its next epoch, when an event stops one', () => {
    const [a, b, c] = sharing('a', 'b', 'c')
    b!.state = 'retrying'
    expect(plan([a!, 12n], [b!, 10n], [c!, 12n])).to.deep.equal({
      leaving: ['b'],
      own: [['b', 10n, 10n, 'retrying']],
      shared: [['row', 5n, 10n, 12n]],
    })
  })

  it('leave it to the larger part when one advances alone', () => {
    const [a] = sharing('a', 'b', 'c')
    expect(plan([a!, 12n])).to.deep.equal({
      leaving: ['a'],
      own: [['a', 10n, 12n, 'running']],
      shared: [['row', 5n, 10n, 10n]],
    })
  })

  it('leave it to none when an event stops all', () => {
    const both = sharing('a', 'b')
    for (const partition of both) partition.state = 'stalled'
    const { leaving, shared } = plan([both[0]!, 10n], [both[1]!, 10n])
    expect([leaving, shared]).to.deep.equal([['a', 'b'], []])
  })
})

describe('projections: which checkpoints are joined', () => {
  const joined = (...partitions: readonly Partition[]) =>
    partitionsToJoin(partitions).map(list => list.map(({ projection }) => projection.name))

  it('those of one bucket that stand together at the foremost position', () => {
    const elsewhere = { ...alone('e', 10n), bucket: 4 }
    expect(joined(alone('a', 10n), alone('b', 10n), alone('c', 9n), elsewhere)).to.deep.equal([['a', 'b']])
  })

  it('not those that share a row already, unless another one comes to them', () => {
    const [a, b] = sharing('a', 'b')
    expect(joined(a!, b!)).to.deep.equal([])
    expect(joined(a!, b!, alone('c', 10n))).to.deep.equal([['a', 'b', 'c']])
  })

  it('not one that an event stops, or that has not passed the event that stopped it', () => {
    const fault = { position: '11' } as Partition['fault']
    const stopped = { ...alone('b', 10n), state: 'retrying' } as const
    expect(joined(alone('a', 10n), stopped, { ...alone('c', 10n), fault })).to.deep.equal([])
    expect(joined(alone('a', 11n), { ...alone('c', 11n), fault })).to.deep.equal([['a', 'c']])
  })
})
