import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { rateTable } from '../../domain/wallet/ratetable/ratetable.ts'
import { eventStore, eventsOf, startProcess } from './support.ts'

const named = { day: '2026-01-02', base: 'EUR', quote: 'USD' }

describe('commands that are decided on an earlier event', () => {
  const log = eventStore()

  /** A table with a rate, as two processes see it. */
  const stage = async () => {
    const id = `rates-${randomUUID()}`
    const processes = [startProcess(log.port), startProcess(log.port)].map(({ send }) => ({
      record: (rate: string) =>
        send({ aggregate: rateTable, name: 'record', id, body: { rates: [{ ...named, rate }] } }),
      withdraw: () => send({ aggregate: rateTable, name: 'withdraw', id, body: named }),
      open: () => send({ aggregate: rateTable, name: 'open', id, opens: true, body: { valid_days: 5 } }),
    }))
    const [one, other] = processes as [(typeof processes)[0], (typeof processes)[0]]
    await one.open()
    await one.record('1.1')
    const types = async () => (await eventsOf(log.port, id, rateTable)).slice(2).map(({ type }) => type)
    return { one, other, types }
  }

  it('see what commands before them in the same turn have done', async () => {
    const { one, types } = await stage()
    const receipts = await Promise.all([one.withdraw(), one.withdraw(), one.record('1.2'), one.withdraw()])
    // The record has nothing to look for, and is first.
    expect(receipts.map(({ events }) => events.length)).to.deep.equal([1, 0, 1, 0])
    expect(await types()).to.deep.equal(['RatesRecorded', 'RatesWithdrawn'])
  })

  it('see what another process has done since', async () => {
    const { one, other, types } = await stage()
    await other.withdraw()
    const receipts = await Promise.all([one.withdraw(), other.withdraw()])
    expect(receipts.map(({ events }) => events.length)).to.deep.equal([0, 0])
    await Promise.all([one, other].map(each => each.record('1.3')))
    const both = await Promise.all([one.withdraw(), other.withdraw(), one.withdraw()])
    expect(both.reduce((sum, { events }) => sum + events.length, 0)).to.equal(1)
    expect((await types()).filter(type => type === 'RatesWithdrawn')).to.have.length(2)
  })
})
