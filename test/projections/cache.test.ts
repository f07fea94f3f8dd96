import { expect } from 'chai'
import fc from 'fast-check'
import { RowCache } from '../../projections/runner/cache.ts'

/** One use of a cache: a row is asked for, and written if `writes`; `turn` ends a batch. */
const steps = fc.array(fc.record({ key: fc.integer({ min: 0, max: 60 }), writes: fc.boolean(), turn: fc.boolean() }), {
  maxLength: 400,
})

describe('projections: rows in memory', () => {
  it('a cache that begins with an empty table never says of a stored row that there is none', () =>
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), (list, max) => {
        const cache = new RowCache(max, true)
        const stored = new Map<string, Readonly<Record<string, unknown>>>()
        for (const [n, { key, writes, turn }] of list.entries()) {
          const text = `org\0${key}`
          const known = cache.of(text, { key })
          expect(known.row ?? undefined).to.be.oneOf([undefined, stored.get(text)])
          if (known.row === null) expect(stored.has(text), `${text} is stored`).to.equal(false)
          if (known.row === undefined) known.row = stored.get(text) ?? null
          if (writes) {
            known.row = { n }
            stored.set(text, known.row)
          }
          if (turn) cache.turn(0)
        }
      }),
    ))

  it('a cache that begins with a table that may have rows knows nothing of what it was not asked for', () => {
    const cache = new RowCache(2)
    expect(cache.of('a', {}).row).to.equal(undefined)
    expect(new RowCache(2, true).of('a', {}).row).to.equal(null)
  })

  it('what was asked for stays for a turn', () => {
    const cache = new RowCache(1)
    cache.of('a', {}).row = { at: 1 }
    cache.turn(0)
    expect(cache.of('a', {}).row).to.deep.equal({ at: 1 })
  })

  it('few rows are forgotten too where the events of the batches were large', () => {
    const cache = new RowCache(1_000)
    cache.of('a', {}).row = { at: 1 }
    for (const text of [2 ** 26, 2 ** 25, 2 ** 24]) cache.turn(text)
    expect(cache.of('a', {}).row).to.deep.equal({ at: 1 })
    for (let n = 0; n < 2; n += 1) cache.turn(2 ** 26)
    expect(cache.of('a', {}).row).to.equal(undefined)
  })
})
