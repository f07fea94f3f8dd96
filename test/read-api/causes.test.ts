import { expect } from 'chai'
import fc from 'fast-check'
import { treeOf } from '../../read-api/audit/causes.ts'

describe('read API: causes', () => {
  it('are a tree: every event once, behind the one that led to it, children in the order of the log', () => {
    const chains = fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 60 }).map(steps =>
      steps.map(([cause, isFirst], n) => ({
        event_id: `e${n}`,
        // A caller's command, one of an event that is not among them, or one of an event before.
        causation_id: isFirst || n === 0 ? `c${n}` : `e${cause % n}`,
      })),
    )
    fc.assert(
      fc.property(chains, rows => {
        const tree = treeOf(rows)
        expect(tree.map(({ row }) => row)).to.have.members(rows)
        for (const [at, { depth, parent, row }] of tree.entries()) {
          const path = tree
            .slice(0, at)
            .filter((node, n) => tree.slice(n + 1, at).every(({ depth }) => depth > node.depth))
          const above = path.findLast(node => node.depth < depth)
          expect(above?.row.event_id).to.equal(parent)
          expect(parent).to.equal(
            rows.some(({ event_id }) => event_id === row.causation_id) ? row.causation_id : undefined,
          )
          expect(depth).to.equal(above ? above.depth + 1 : 0)
        }
        for (const { event_id } of [{ event_id: undefined }, ...rows]) {
          const children = tree.filter(({ parent }) => parent === event_id).map(({ row }) => rows.indexOf(row))
          expect(children).to.deep.equal(children.toSorted((a, b) => a - b))
        }
      }),
    )
  })
})
