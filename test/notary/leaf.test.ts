import { createHash } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { leafOf } from '../../projections/notary/leaf.ts'
import { leafHash } from '../../projections/notary/merkle.ts'

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
  it('is the canonical JSON of what is sealed, whatever texts an event has, and is hashed by its bytes', () => {
    const words = fc.string({ unit: 'grapheme' })
    const json = fc.jsonValue({ stringUnit: 'grapheme' })
    const any = fc.record({
      stream: words,
      eventId: words,
      type: words,
      data: json,
      metadata: fc.dictionary(words, json),
    })
    const check = (given: { stream: string; eventId: string; type: string; data: unknown; metadata: object }) => {
      const { stream, eventId: id, type, metadata } = given
      const digest = createHash('sha256').update(canonicalJson(given.data)).digest('hex')
      const entry = leafOf({ ...event, ...given } as never)
      const whole = canonicalJson({ stream, id, type, metadata, revision: '2', data_sha256: digest })
      if (Buffer.byteLength(whole) <= 65_535) expect(entry).to.equal(whole)
      else expect(JSON.parse(entry)).to.have.property('metadata_sha256')
      const bytes = Buffer.concat([Buffer.of(0), Buffer.from(entry)])
      expect(leafHash(entry)).to.deep.equal(createHash('sha256').update(bytes).digest())
      expect(leafHash(Buffer.from(entry))).to.deep.equal(leafHash(entry))
    }
    fc.assert(fc.property(any, check), { numRuns: process.env.KOGI_LONG === '1' ? 10_000 : 200 })
    for (const length of [5_300, 5_461, 16_383, 21_000, 21_700, 21_900, 30_000, 65_200, 65_535]) {
      for (const letter of ['a', 'é', '€', '😀']) {
        const note = letter.repeat(Math.floor(length / letter.length))
        check({ stream: 'item-1', eventId: 'e1', type: 'ItemAdded', data: { note }, metadata: { note } })
      }
    }
  })
  it('is canonical however many names were seen before', () => {
    for (let n = 0; n < 12_000; n += 1) {
      const metadata = { b: 1, [`n${n}`]: 2, a: 3 } as never
      const whole = `"metadata":{"a":3,"b":1,"n${n}":2}`
      if (!leafOf({ ...event, metadata }).includes(whole)) expect.fail(whole)
    }
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
