import { expect } from 'chai'
import type { EventStore, NewEvent } from '../../commands/ports.ts'
import { item } from '../../domain/briefcase/item/item.ts'
import { addItem, balanceOf, credit, eventStore, eventsOf, openWallet, startProcess } from './support.ts'

/** Bytes that the log takes in one append. */
const APPEND_BYTES_MAX = 1024 * 1024

describe('commands of one request that wait for one stream', () => {
  const log = eventStore()

  it('are appended as many as one append holds', async () => {
    const appends: (readonly NewEvent[])[] = []
    const port: EventStore = {
      ...log.port,
      append(stream, expected, events) {
        appends.push(events)
        return log.port.append(stream, expected, events)
      },
    }
    const { send } = startProcess(port)
    const id = await openWallet(send)
    await Promise.all(Array.from({ length: 700 }, () => send({ ...credit(id, 1n), isOfBulk: true })))
    for (const events of appends) expect(events.length).to.be.at.most(300)
    expect(await balanceOf(log.port, id)).to.equal(700n)

    const big = await addItem(send)
    const described = (n: number) => ({
      aggregate: item,
      name: 'update',
      id: big,
      body: { description: `${n}`.padStart(10_000, 'é') },
      isOfBulk: true,
    })
    await Promise.all(Array.from({ length: 150 }, (_, n) => send(described(n))))
    for (const events of appends) {
      const stored = events.map(({ data, metadata }) => JSON.stringify(data) + JSON.stringify(metadata)).join('')
      expect(Buffer.byteLength(stored)).to.be.below(APPEND_BYTES_MAX)
    }
    expect(await eventsOf(log.port, big, item)).to.have.length(151)
  })
})
