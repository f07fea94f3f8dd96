import { expect } from 'chai'
import { memories } from '../../../infra/catalogue.ts'
import { PastIndexes } from '../../../projections/memory/as-of.ts'
import { OrgIndex } from '../../../projections/memory/follow.ts'
import type { Source } from '../../../projections/memory/held-index.ts'
import { Recall } from '../../../projections/memory/recall/recall.ts'
import { snapshotOf } from '../../../projections/memory/recall/snapshot.ts'
import { History, randomOf, thing } from '../history.ts'
import { freshPool, MemoryLog, reached, startRunner } from '../support.ts'

const WORDS = 'harbour ships invoice urgent cheap client Anna Meier Berlin studio deadline travel'.split(' ')
const ORG = 'acme'
const sealedAs = (text: string) => ({
  key: '0b0e7f6a-9a39-4d0b-8f0a-0d6a7f1f9b11',
  nonce: 'n'.repeat(16),
  text: Buffer.from(text).toString('base64url').padEnd(22, '0'),
})

describe('memory: as of a position', function asOf() {
  this.timeout(60_000)

  it('is the index of then, byte for byte, but for what was forgotten for good', async () => {
    const random = randomOf(90)
    const text = () => Array.from({ length: 2 + random(9) }, () => WORDS[random(WORDS.length)]).join(' ')
    const history = new History()
    const things = Array.from({ length: 12 }, (_, n) => thing(n < 6 ? 'item' : 'memory', ORG, `t${n}`))
    const forgotten = things.slice(10)
    const log = new MemoryLog([])
    const step = () => {
      const some = things[random(things.length)]!
      const [isNew, isItem] = [some.revision === 0n, some.category === 'item']
      if (isNew && isItem) {
        const more = { type: 'asset', status: 'draft', metadata: {}, owner: 'me' }
        return history.add(some, 'ItemAdded', { ...more, name: text() })
      }
      if (isItem) return history.add(some, 'ItemUpdated', { name: text(), description: text() })
      if (!isNew) return history.add(some, 'MemoryRevised', { text: sealedAs(text()) })
      const stored = { type: 'call', subjects: ['mira'], author: 'mira', tags: [], privacy: 'organization' }
      return history.add(some, 'MemoryStored', { ...stored, text: sealedAs(text()), session: `s${random(2)}` })
    }
    const unseal: Source['unseal'] = async (_, envelopes) =>
      envelopes.map(each => Buffer.from(each.text, 'base64url').toString())
    const pool = await freshPool()
    const runner = startRunner(pool, log)
    const source = { pool, memories, unseal }
    const then = new Map<bigint, string>()
    for (let round = 0; round < 16; round += 1) {
      for (let n = 0; n < (round < 4 ? 2 : 7); n += 1) log.append(step())
      const { position } = history.events.at(-1)!
      await reached(pool, position)
      const index = new OrgIndex(source, ORG, new Recall())
      await index.follow()
      for (const { id } of forgotten) index.forget(`memory/${id}`)
      then.set(position, snapshotOf(index.ranking))
    }
    const now = new OrgIndex(source, ORG, new Recall())
    await now.follow()
    const beforeForgetting = new PastIndexes(source, 1e9)
    const first = [...then.keys()][8]!
    const withAll = await beforeForgetting.of(ORG, now, first)
    for (const some of forgotten) if (some.revision > 0n) log.append(history.add(some, 'MemoryForgotten', {}))
    await reached(pool, history.events.at(-1)!.position)
    await now.follow()
    const past = new PastIndexes(source, 1e9)
    for (const [position, snapshot] of then) {
      const index = await past.of(ORG, now, position)
      expect(snapshotOf(index.ranking), String(position)).to.equal(snapshot)
      for (const memory of index.rows.values()) expect(memory.position <= position).to.equal(true)
      expect(await past.of(ORG, now, position), 'kept').to.equal(index)
    }
    expect(await past.of(ORG, now, now.position), 'nothing came since').to.equal(now)
    const again = await beforeForgetting.of(ORG, now, first)
    expect(again, 'what was forgotten since is in no index that was made before').to.not.equal(withAll)
    expect(snapshotOf(again.ranking)).to.equal(then.get(first))
    await runner.close()
  })
})
