import { expect } from 'chai'
import fc from 'fast-check'
import { tree } from '../../../domain/briefcase/tree/tree.ts'
import { Rejection } from '../../../domain/kernel/errors.ts'
import { memberOf } from '../../../domain/record/keyed.ts'
import { CONTEXT, specFor, stateOf } from '../../support/spec.ts'

const { given } = specFor(tree)
const placed = (item: string, parent: string | null, from: string | null = null) =>
  ({ type: 'ItemPlaced', data: { item, from, parent } }) as const

describe('tree', () => {
  it('places an item below another, and moves it from there', () => {
    given().when('place', { item: 'a', parent: 'b' }).then(placed('a', 'b'))
    given(placed('a', 'b'))
      .when('place', { item: 'a', parent: 'c' })
      .then(placed('a', 'c', 'b'))
    given(placed('a', 'b'))
      .when('place', { item: 'a', parent: null })
      .then(placed('a', null, 'b'))
  })
  it('changes nothing where it is so', () => {
    given(placed('a', 'b')).when('place', { item: 'a', parent: 'b' }).changesNothing()
    given().when('place', { item: 'a', parent: null }).changesNothing()
  })
  it('never places an item below itself, however far', () => {
    given().when('place', { item: 'a', parent: 'a' }).rejects('item_below_itself')
    given(placed('b', 'a'), placed('c', 'b')).when('place', { item: 'a', parent: 'c' }).rejects('item_below_itself')
    given(placed('b', 'a'), placed('b', null, 'a'))
      .when('place', { item: 'a', parent: 'b' })
      .then(placed('a', 'b'))
  })

  it('takes what makes no circle and refuses what makes one, as a walk over all edges finds', () => {
    const item = fc.constantFrom(...'abcdefgh')
    const moves = fc.array(fc.record({ item, parent: fc.option(item, { nil: null }) }), { maxLength: 40 })
    fc.assert(
      fc.property(moves, all => {
        const edges = new Map<string, string>()
        const facts: ReturnType<typeof placed>[] = []
        for (const move of all) {
          const isCircle = move.parent !== null && reaches(edges, move.parent, move.item)
          try {
            const [fact] = tree.decide.place(stateOf(tree, facts), move, CONTEXT)
            expect(isCircle).to.equal(false)
            if (fact) facts.push(fact as ReturnType<typeof placed>)
            if (move.parent === null) edges.delete(move.item)
            else edges.set(move.item, move.parent)
          } catch (error) {
            if (!(error instanceof Rejection)) throw error
            expect(isCircle).to.equal(true)
          }
        }
        const { parents, count } = stateOf(tree, facts)
        expect(count).to.equal(edges.size)
        for (const each of 'abcdefgh') expect(memberOf(parents, each)).to.equal(edges.get(each))
      }),
    )
  })
})

/** Whether one leads to another, found from below by all edges again and again. */
function reaches(edges: ReadonlyMap<string, string>, from: string, to: string): boolean {
  const above = new Set([from])
  for (let size = 0; size < above.size; ) {
    size = above.size
    for (const [item, parent] of edges) if (above.has(item)) above.add(parent)
  }
  return above.has(to)
}
