/** What a reader holds ahead of its consumer has a bound in events and one in bytes. */
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { EventBuffer } from '../../infra/event-store/buffer.ts'
import { History, thing } from '../projections/history.ts'

const MIB = 1024 * 1024

describe('the buffer of a reader', () => {
  const history = new History()
  const { events } = history
  for (let n = 0; n < 4_096; n += 1) history.add(thing('task', 'acme', `task-${n}`), 'TaskDue', {})

  for (const { title, bytes, held } of [
    { title: 'many small events', bytes: 500, held: 4_096 },
    { title: 'few large ones', bytes: MIB, held: 16 },
  ]) {
    it(`is full of ${title}, and has room again when half of it was taken`, async () => {
      const buffer = new EventBuffer(0n)
      let rooms = 0
      buffer.onRoom = () => {
        rooms += 1
      }
      const full = events.slice(0, held).map(event => buffer.push(event, bytes))
      expect(full.indexOf(true)).to.equal(held - 1)
      const lists = buffer.lists(() => held / 4)
      for (const expected of [0, 1, 1]) {
        expect((await lists.next()).value).to.have.length(held / 4)
        expect(rooms).to.equal(expected)
      }
    })
  }

  it('hands out what it is full of without a wait for more', async () => {
    const buffer = new EventBuffer(0n)
    const list = buffer.lists(() => 1_000).next()
    buffer.push(events[0]!, MIB)
    await turn()
    let taken: unknown
    list.then(({ value }) => {
      taken = value
    })
    for (const event of events.slice(1, 16)) buffer.push(event, MIB)
    for (let n = 0; n < 3; n += 1) await turn()
    expect(taken).to.deep.equal(events.slice(0, 16))
  })
})
