import { expect } from 'chai'
import { heldOf } from '../../../projections/memory/recall/held.ts'
import { Recall, type Recalled } from '../../../projections/memory/recall/recall.ts'

const NOTHING = { lexical: 0, neural: 0, conceptual: 0, knowledge: 0 }
const SECRET = 'Zacharias Quill owes EUR 99.00, urgent!'

const memoryOf = (n: number, text: string): Recalled => ({
  key: `note/${n}`,
  kind: 'note',
  position: BigInt(n),
  at: '2026-01-01T00:00:00.000Z',
  source: `s${n}`,
  subjects: [],
  fields: [[text, 1]],
})

describe('memory: what an index says of its memories', () => {
  /** An index of some memories, one of which is the secret. */
  function indexed(): Recall {
    const index = new Recall()
    for (let n = 0; n < 20; n += 1) index.set(memoryOf(n, `Anna Meier paid EUR ${n}.00 in Berlin.`))
    index.set({ ...memoryOf(20, SECRET), key: 'secret' })
    return index
  }

  it('is what each leg has of one, and nothing of one that was taken out', () => {
    const index = indexed()
    expect(heldOf(index, 'secret')).to.deep.equal({ lexical: 1, neural: 1, conceptual: 1, knowledge: 1 })
    index.delete('secret')
    expect(heldOf(index, 'secret')).to.deep.equal(NOTHING)
  })

  it('is which leg kept something of one that was taken out', () => {
    for (const leg of ['neural', 'knowledge'] as const) {
      const index = indexed()
      index[leg].remove = () => {}
      index.delete('secret')
      expect(heldOf(index, 'secret')).to.deep.equal({ ...NOTHING, [leg]: 1 })
    }
  })

  it('says which memory states the relation that a way goes by', () => {
    const linked = new Recall()
    for (const [n, id] of ['plan', 'other'].entries()) {
      const key = `memory/${id}`
      const relations = [{ from: `memory:${id}`, type: 'about', to: 'note:menu', memory: key }]
      linked.set({ ...memoryOf(n, 'soup'), key, relations })
    }
    const { hits } = linked.search('plan', { mode: 'knowledge' })
    expect(hits.find(({ key }) => key === 'memory/other')!.path).to.deep.equal([
      'memory:plan',
      'memory/plan',
      'note:menu',
    ])
  })
})
