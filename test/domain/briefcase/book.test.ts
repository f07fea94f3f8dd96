import { expect } from 'chai'
import fc from 'fast-check'
import { book } from '../../../domain/briefcase/book/book.ts'
import type { events } from '../../../domain/briefcase/book/messages.ts'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { memberOf } from '../../../domain/record/keyed.ts'
import { CONTEXT, specFor, stateOf } from '../../support/spec.ts'

type Fact = EventOf<typeof events>
type Data = Fact['data']
const { given } = specFor(book)
const edited = (version: number, more: Partial<Data>): Fact => ({
  type: 'BookEdited',
  data: { version, parts: [], moved: [], removed: [], ...more },
})
const charter = { part: 'charter', kind: 'charter', content: 'Sell bread.' } as const
const section = (part: string, rank: string, content = part) => ({ part, kind: 'section', rank, content }) as const
const three = edited(1, { parts: [section('a', '1'), section('b', '2'), section('c', '3')] })

describe('book', () => {
  it('begins with its first edit, and counts its versions', () => {
    given()
      .when('edit', { charter: 'Sell bread.' })
      .then(edited(1, { parts: [charter] }))
    given(edited(1, { parts: [charter] }))
      .when('edit', { details: 'Shop.', comment: 'More' })
      .then(edited(2, { parts: [{ part: 'details', kind: 'details', content: 'Shop.' }], comment: 'More' }))
  })
  it('states only what changes, and nothing where all is so', () => {
    const begun = edited(1, { parts: [charter, section('a', '1')] })
    given(begun).when('edit', { charter: 'Sell bread.' }).changesNothing()
    given(begun)
      .when('edit', { charter: 'Sell bread.', sections: [{ id: 'a', content: 'a' }] })
      .changesNothing()
    given(begun)
      .when('edit', { charter: 'Sell cake.', sections: [{ id: 'a', content: 'a' }] })
      .then(edited(2, { parts: [{ ...charter, content: 'Sell cake.' }] }))
    given(begun)
      .when('edit', { charter: null, guidelines: null })
      .then(edited(2, { removed: ['charter'] }))
    given().when('edit', { guidelines: null }).changesNothing()
  })
  it('replaces all parts of a kind in order: some stay, some move, some are gone', () => {
    given(three)
      .when('edit', { sections: [{ id: 'c', content: 'c' }, { id: 'a', content: 'a' }, { content: 'new' }] })
      .then(
        edited(2, {
          parts: [section(CONTEXT.newId(2), '5', 'new')],
          moved: [{ part: 'a', rank: '4' }],
          removed: ['b'],
        }),
      )
  })
  it('writes single parts, behind the others or before one of them', () => {
    given(three)
      .when('writePart', { part: 'd', kind: 'section', content: 'd' })
      .then(edited(2, { parts: [section('d', '4')] }))
    given(three)
      .when('writePart', { part: 'd', kind: 'section', content: 'd', before: 'b' })
      .then(edited(2, { parts: [section('d', '1V')] }))
    given(three)
      .when('writePart', { part: 'b', kind: 'section', content: 'B' })
      .then(edited(2, { parts: [section('b', '2', 'B')] }))
    given(three).when('writePart', { part: 'b', kind: 'section', content: 'b' }).changesNothing()
  })
  it('moves a part without a change of the others', () => {
    given(three)
      .when('movePart', { part: 'c', before: 'a' })
      .then(edited(2, { moved: [{ part: 'c', rank: '0V' }] }))
    given(three)
      .when('movePart', { part: 'a', before: null })
      .then(edited(2, { moved: [{ part: 'a', rank: '4' }] }))
    given(three).when('movePart', { part: 'a', before: 'b' }).changesNothing()
    given(three).when('movePart', { part: 'c', before: null }).changesNothing()
    given(three).when('movePart', { part: 'x', before: null }).rejects('part_unknown')
    given(three).when('movePart', { part: 'a', before: 'x' }).rejects('part_unknown')
  })
  it('removes a part once', () => {
    given(three)
      .when('removePart', { part: 'a' })
      .then(edited(2, { removed: ['a'] }))
    given(three).when('removePart', { part: 'x' }).changesNothing()
  })
  it('keeps names and kinds apart', () => {
    given().when('writePart', { part: 'charter', kind: 'section' }).rejects('part_misnamed')
    given().when('writePart', { part: 'x', kind: 'charter' }).rejects('part_misnamed')
    given(three).when('writePart', { part: 'a', kind: 'note' }).rejects('part_misnamed')
    given(three)
      .when('edit', { notes: [{ id: 'a' }] })
      .rejects('part_misnamed')
    given(edited(1, { parts: [charter] }))
      .when('movePart', { part: 'charter', before: null })
      .rejects('part_misnamed')
  })
  it('gives an earlier version back: what is others now, what was there, and not what came since', () => {
    given(edited(1, { parts: [charter, section('a', '1')] }), edited(2, { parts: [section('b', '2')], removed: ['a'] }))
      .when('rewrite', { restores: 1, parts: [charter, section('a', '1')] })
      .then(edited(3, { parts: [section('a', '1')], removed: ['b'], restores: 1 }))
  })
  it('has a size that one event can hold', () => {
    const large = 'é'.repeat(300_000)
    const begun = edited(1, { parts: [{ part: 'details', kind: 'details', content: large }] })
    given(begun).when('edit', { charter: large }).rejects('book_too_large')
    given(begun)
      .when('edit', { details: 'short' })
      .then(edited(2, { parts: [{ part: 'details', kind: 'details', content: 'short' }] }))
  })
  it('gives a part back as the kind that it was, also where it says the same', () => {
    const note = { part: 'a', kind: 'note', rank: '1', content: 'a' } as const
    given(edited(1, { parts: [section('a', '1')] }), edited(2, { removed: ['a'] }), edited(3, { parts: [note] }))
      .when('rewrite', { restores: 1, parts: [section('a', '1')] })
      .then(edited(4, { parts: [section('a', '1')], restores: 1 }))
  })
  it('has a part once, within a list and over all lists', () => {
    const one = { id: 'x', content: 'one' }
    const two = { id: 'x', content: 'two' }
    given()
      .when('edit', { sections: [one, two] })
      .rejects('part_named_twice')
    given()
      .when('edit', { sections: [one], notes: [two] })
      .rejects('part_named_twice')
    given(three)
      .when('edit', { sections: [{ id: 'a' }, { id: 'b' }, { id: 'a' }] })
      .rejects('part_named_twice')
  })
  it('counts a part once that an early edit wrote twice, and knows what the second one says', () => {
    const twice = edited(1, { parts: [section('a', '1', 'one'), section('a', '2', 'three')] })
    const { names, bytes, parts } = stateOf(book, [twice])
    expect([names, bytes, memberOf(parts, 'a')?.rank]).to.deep.equal([['a'], 5, '2'])
  })
  it('finds room for every move, with ranks that an event can hold', () => {
    let state = stateOf(book, [edited(1, { parts: [...'abc'].map((name, n) => section(name, String(n + 1))) })])
    let order = ['a', 'b', 'c']
    let most = 0
    for (let n = 0; n < 1_200; n += 1) {
      const [first, second, last] = order as [string, string, string]
      const move = n % 2 === 0 ? { part: first, before: last } : { part: last, before: second }
      order = n % 2 === 0 ? [second, first, last] : [first, last, second]
      const [fact] = book.decide.movePart(state, move, CONTEXT)
      for (const { rank } of fact!.data.moved) most = Math.max(most, rank.length)
      state = book.evolve.BookEdited(state, fact!.data, CONTEXT.at)
      const rankOf = (name: string) => memberOf(state.parts, name)!.rank!
      expect([...state.names].sort((x, y) => (rankOf(x) < rankOf(y) ? -1 : 1))).to.deep.equal(order)
    }
    expect(most).to.equal(255)
  })
  it('writes a part where no room is left, and lists one behind the longest rank', () => {
    const narrow = edited(1, { parts: [section('a', `1${'0'.repeat(253)}1`), section('b', `1${'0'.repeat(253)}2`)] })
    given(narrow)
      .when('writePart', { part: 'c', kind: 'section', content: 'c', before: 'b' })
      .then(
        edited(2, {
          parts: [section('c', 'W')],
          moved: [
            { part: 'a', rank: 'V' },
            { part: 'b', rank: 'X' },
          ],
        }),
      )
    given(edited(1, { parts: [section('a', 'z'.repeat(255))] }))
      .when('edit', {
        sections: [
          { id: 'a', content: 'a' },
          { id: 'b', content: 'b' },
        ],
      })
      .then(edited(2, { parts: [section('b', 'W')], moved: [{ part: 'a', rank: 'V' }] }))
  })
  it('holds no text in its state, however often it is edited', () => {
    const facts = Array.from({ length: 200 }, (_, n) =>
      edited(n + 1, { parts: [section('a', '1', 'x'.repeat(1_000 + n))] }),
    )
    expect(JSON.stringify(stateOf(book, facts)).length).to.be.lessThan(300)
  })

  it('has its parts in the order of a list, whatever is put where', () => {
    const step = fc.record({
      part: fc.constantFrom(...'abcdefg'),
      before: fc.option(fc.constantFrom(...'abcdefg'), { nil: null }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const facts: Fact[] = []
        let order: string[] = []
        const ranks = new Map<string, string>()
        for (const { part, before } of steps) {
          if (before === part || (before !== null && !order.includes(before))) continue
          const command = order.includes(part)
            ? book.decide.movePart(stateOf(book, facts), { part, before }, CONTEXT)
            : book.decide.writePart(
                stateOf(book, facts),
                { part, kind: 'section', content: part, ...(before !== null && { before }) },
                CONTEXT,
              )
          facts.push(...command)
          for (const { data } of command) {
            for (const { part: name, rank } of [...data.parts, ...data.moved]) ranks.set(name, rank!)
          }
          order = order.filter(name => name !== part)
          order.splice(before === null ? order.length : order.indexOf(before), 0, part)
        }
        const byRank = [...ranks].sort(([, a], [, b]) => (a < b ? -1 : 1)).map(([name]) => name)
        expect(byRank).to.deep.equal(order)
        expect(new Set(ranks.values()).size).to.equal(ranks.size)
      }),
    )
  })
})
