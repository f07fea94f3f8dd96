import { expect } from 'chai'
import { streamOf } from '../../commands/ids.ts'
import { SNAPSHOT_EVERY } from '../../commands/streams.ts'
import { item } from '../../domain/briefcase/item/item.ts'
import { evolveWith } from '../../domain/kernel/aggregate.ts'
import type { Json } from '../../domain/kernel/json.ts'
import { addItem, eventStore, eventsOf, ORG, type Send, snapshotsOf, startProcess } from './support.ts'

/** Metadata that a careless snapshot would read back as something else. */
const TRAPS: readonly { readonly [key: string]: Json }[] = [
  { $bigint: '7' },
  { $bigint: 7, other: 1 },
  { $$bigint: '7' },
  { $: 1, $$: 2, $$$: { $bigint: 'x' } },
  { nested: [{ $bigint: '-1' }, null, { $undefined: true }] },
  { constructor: 1, toString: { hasOwnProperty: null }, valueOf: [] },
  { big: 1e308, small: 5e-324, zero: 0, '': '', '0': 1 },
]

describe('snapshots', () => {
  const log = eventStore()

  /** Changes the name back and forth, so that a snapshot falls due while the metadata stays. */
  async function fill(send: Send, id: string) {
    for (let n = 0; n < SNAPSHOT_EVERY; n += 1) {
      await send({ aggregate: item, name: 'update', id, body: { name: `Clock ${n}` } })
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }

  it('bring back metadata as it was, whatever its keys', async () => {
    const { send } = startProcess(log.port)
    const id = await addItem(send)
    const metadata = { $bigint: TRAPS, traps: TRAPS }
    await send({ aggregate: item, name: 'update', id, body: { metadata, description: null } })
    await fill(send, id)
    expect(await snapshotsOf(log.port, id, item)).to.have.length(1)
    const { deps } = startProcess(log.port)
    const { loaded } = await deps.streams.load(item, streamOf(ORG, 'item', id))
    const folded = (await eventsOf(log.port, id, item)).reduce(
      (state, event) => evolveWith(item, state, event),
      item.initial as unknown,
    )
    expect(withoutUndefined(loaded.state)).to.deep.equal(withoutUndefined(folded))
    expect(loaded.state).to.have.property('metadata').that.deep.equals(metadata)
    expect(loaded.snapshotAt).to.equal(BigInt(SNAPSHOT_EVERY - 1))
    expect(loaded.revision).to.equal(BigInt(SNAPSHOT_EVERY + 1))
  })
})

const withoutUndefined = (state: unknown) =>
  Object.fromEntries(Object.entries(state as object).filter(([, value]) => value !== undefined))
