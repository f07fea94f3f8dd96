import { expect } from 'chai'
import { Lists } from '../../../projections/memory/lists.ts'
import { RankedIndex } from '../../../projections/memory/rank.ts'
import { Vocabulary } from '../../../projections/memory/vocabulary.ts'
import { NaiveIndex } from '../../../scripts/bench/naive-search.ts'
import { randomOf } from '../history.ts'

/** Words none of which begins another one or is near it. */
const WORDS = 'invoice tax design review travel hotel laptop client rent coffee budget contract 東京 zürich'.split(' ')
const KINDS = ['item', 'task', 'note']

describe('projections: ranking of numbered documents', () => {
  it('gives the scores of the plain form, in its order, whatever was changed and removed', () => {
    const random = randomOf(90)
    const [index, plain] = [new RankedIndex(), new NaiveIndex()]
    const text = (most: number) => Array.from({ length: random(most) }, () => WORDS[random(WORDS.length)]).join(' ')
    for (let step = 0; step < 4_000; step += 1) {
      const key = `doc-${random(300)}`
      if (random(4) === 0) {
        index.delete(key)
        plain.delete(key)
      } else {
        const fields = [
          [text(4), 3],
          [text(40), 1],
        ] as const
        const document = { key, kind: KINDS[random(3)]!, fields }
        index.set(document)
        plain.set(document)
      }
      if (step % 50 > 0) continue
      const query = `${WORDS[random(WORDS.length)]} ${text(5)}`
      const kinds = [undefined, ['task'], ['note', 'item', 'unknown']][random(3)]
      const expected = plain.search(query, kinds)
      const limit = random(2) === 0 ? 10 : Number.POSITIVE_INFINITY
      const found = index.search(query, kinds, { limit }).map(({ key, score }) => ({ key, score }))
      expect(found).to.deep.equal(expected.slice(0, limit))
      expect(index.size).to.equal(plain.size)
    }
  })

  it('pages without loss or doubling, even if others are added and removed between the pages', () => {
    const index = new RankedIndex()
    const add = (key: string, text: string) => index.set({ key, kind: 'item', fields: [[text, 1]] })
    for (let at = 0; at < 100; at += 1) add(`doc-${at}`, `invoice ${'tax '.repeat(at % 7)}${'rent '.repeat(at % 11)}`)
    const query = 'invoice tax invo'
    const whole = index.search(query, undefined, { limit: 200 }).map(({ key }) => key)
    expect(whole).to.have.length(100)
    const paged: string[] = []
    for (let page = index.search(query, undefined, { limit: 9 }); page.length > 0; ) {
      paged.push(...page.map(({ key }) => key).filter(key => key.startsWith('doc')))
      for (let at = 0; at < 5; at += 1) add(`other-${paged.length}-${at}`, 'tax tax rent '.repeat(at * 20))
      index.delete(`other-${paged.length - 9}-0`)
      page = index.search(query, undefined, { limit: 9, after: page.at(-1)!.place })
    }
    expect(paged).to.deep.equal(whole)
  })
})

describe('projections: beginnings and wrong letters', () => {
  const index = new RankedIndex()
  const add = (key: string, text: string, kind = 'item') => index.set({ key, kind, fields: [[text, 1]] })
  add('invoice', 'invoice for march')
  add('invoicing', 'about invoicing and the organization of it')
  add('tax', `tax ${'and other things '.repeat(30)}`)
  add('taxi', 'taxi')
  add('secret', 'rather secretly', 'task')
  const found = (query: string, kinds?: readonly string[]) =>
    index.search(query, kinds).map(({ key, matched }) => `${key} ${matched.map(({ word, as }) => `${word}:${as}`)}`)

  it('finds the beginning of the last word, from three letters on', () => {
    expect(found('invo')).to.have.members(['invoice invo:prefix', 'invoicing invo:prefix'])
    expect(found('organizat')).to.deep.equal(['invoicing organizat:prefix'])
    expect(found('in')).to.deep.equal([])
    expect(found('invo march')).to.deep.equal(['invoice march:exact'])
    expect(found('march invo')).to.deep.equal(['invoice march:exact,invo:prefix', 'invoicing invo:prefix'])
  })

  it('puts beginnings behind every text that has the word itself', () => {
    expect(found('tax')).to.deep.equal(['tax tax:exact', 'taxi tax:prefix'])
    const [exact, begun] = index.search('tax')
    expect(begun!.score).to.be.above(exact!.score)
    expect(index.search('tax', undefined, { after: exact!.place }).map(({ key }) => key)).to.deep.equal(['taxi'])
    expect(index.search('tax', undefined, { after: begun!.place })).to.deep.equal([])
  })

  it('finds words with one letter wrong, missing, added or swapped, behind beginnings', () => {
    for (const query of ['imvoice', 'invoce', 'invvoice', 'inovice', 'invoiec']) {
      expect(found(query)[0], query).to.equal(`invoice ${query}:near`)
    }
    for (const query of ['imvoce', 'mach', 'texi']) expect(found(query), query).to.deep.equal([])
    add('hostel', 'hostel hostel')
    add('hotelier', `hotelier ${'of many words '.repeat(50)}`)
    expect(found('hotel')).to.deep.equal(['hotelier hotel:prefix', 'hostel hotel:near'])
    for (const key of ['hostel', 'hotelier']) index.delete(key)
  })

  it('looks for neighbours where the kinds that are asked about have no text with the word', () => {
    add('near', 'secrets')
    add('wrong', 'secrat')
    expect(found('secret', ['item'])).to.deep.equal(['near secret:exact'])
    index.delete('near')
    expect(found('secret', ['item'])).to.deep.equal(['wrong secret:near'])
    expect(found('secret')).to.deep.equal(['secret secret:prefix', 'wrong secret:near'])
    index.delete('wrong')
  })
})

describe('projections: the vocabulary', () => {
  const random = randomOf(91)
  const word = (length: number) => Array.from({ length }, () => 'abc'[random(3)]).join('')

  it('finds every form that one edit makes, and no other', () => {
    const vocabulary = new Vocabulary()
    const texts = [...new Set(Array.from({ length: 3_000 }, () => `q${word(3 + random(6))}`))]
    const forms = new Map(texts.map(text => [vocabulary.formOf(text), text]))
    for (const form of forms.keys()) vocabulary.use(form)
    for (let at = 0; at < 60; at += 1) {
      const text = `q${word(4 + random(5))}`
      const expected = new Set(texts.filter(other => other === text || edits(text, other) === 1))
      const words = new Set(
        [...forms].filter(([, other]) => expected.has(other)).map(([form]) => vocabulary.wordOf(form)),
      )
      expect(vocabulary.near(text), text).to.deep.equal(words)
    }
  })

  it('knows no form that no text has any more', () => {
    const vocabulary = new Vocabulary()
    for (const text of ['invoice', 'invoicing', 'invoicing']) vocabulary.use(vocabulary.formOf(text))
    const invoice = vocabulary.find('invoic')!
    expect(vocabulary.beginningWith('invoicin')).to.deep.equal(new Set([invoice]))
    vocabulary.release(vocabulary.formOf('invoicing'))
    expect(vocabulary.beginningWith('invoicin')).to.deep.equal(new Set([invoice]))
    vocabulary.release(vocabulary.formOf('invoicing'))
    expect(vocabulary.beginningWith('invoicin')).to.deep.equal(new Set())
    vocabulary.release(vocabulary.formOf('invoice'))
    expect(vocabulary.find('invoic')).to.equal(undefined)
  })
})

describe('projections: lists of numbers', () => {
  it('keeps every list in order under random changes', () => {
    const random = randomOf(92)
    const lists = new Lists()
    const plain = Array.from({ length: 150 }, () => new Map<number, number>())
    for (let step = 0; step < 30_000; step += 1) {
      const list = Math.min(random(150), random(150))
      const [item, count] = [random(400), 1 + random(9)]
      if (plain[list]!.has(item)) {
        lists.remove(list, item)
        plain[list]!.delete(item)
      } else {
        lists.insert(list, item, count)
        plain[list]!.set(item, count)
      }
    }
    for (const [list, expected] of plain.entries()) {
      const places = Array.from({ length: lists.lengthOf(list) }, (_, at) => lists.startOf(list) + at)
      const found = places.map(place => [lists.items[place], lists.counts[place]])
      expect(found).to.deep.equal([...expected].sort(([a], [b]) => a - b))
    }
  })
})

/** Edits between two texts, a swap of neighbours being one: the plain form of the comparison. */
function edits(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => i + j))
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      rows[i]![j] = Math.min(replaced, rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        rows[i]![j] = Math.min(rows[i]![j]!, rows[i - 2]![j - 2]! + 1)
      }
    }
  }
  return rows[a.length]![b.length]!
}
