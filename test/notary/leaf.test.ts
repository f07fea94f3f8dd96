import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { leafOf } from '../../projections/notary/leaf.ts'

describe('the entry of an event in the tree', () => {
  const event = {
    stream: 'item-1',
    revision: 2n,
    position: 7n,
    eventId: 'e1',
    type: 'ItemAdded',
    metadata: { org: 'o', id: '1' } as never,
    data: { b: '1', a: 2 },
  }
  it('is canonical, and knows no position', () => {
    const entry = leafOf(event)
    const digest = createHash('sha256').update('{"a":2,"b":"1"}').digest('hex')
    expect(entry).to.equal(
      `{"data_sha256":"${digest}","id":"e1","metadata":{"id":"1","org":"o"},` +
        '"revision":"2","stream":"item-1","type":"ItemAdded"}',
    )
    expect(leafOf({ ...event, position: 8n })).to.equal(entry)
    expect(leafOf({ ...event, data: { a: 2, b: '1' } })).to.equal(entry)
    expect(leafOf({ ...event, data: { a: 2, b: '2' } })).to.not.equal(entry)
  })
  it('fits in 65,535 bytes, and exists where data or metadata have no canonical form', () => {
    const long = leafOf({ ...event, metadata: { org: 'o', note: 'x'.repeat(70_000) } as never })
    expect(Object.keys(JSON.parse(long)))
      .to.include('metadata_sha256')
      .and.not.include('metadata')
    const lone = leafOf({ ...event, data: { a: '\ud800' } })
    expect(lone).to.not.equal(leafOf({ ...event, data: { a: '\ud801' } }))
    expect(JSON.parse(leafOf({ ...event, metadata: { org: '\ud800' } as never }))).to.have.property('metadata_sha256')
  })
})
