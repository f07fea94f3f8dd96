/** The memory of event ids, against a plain map. */
import { expect } from 'chai'
import fc from 'fast-check'
import { RecentIds } from '../../../infra/embedded/event-store/write/recent-ids.ts'

describe('the memory of recent event ids', () => {
  it('agrees with a plain map that forgets its oldest', () => {
    // Few ids that differ in one word only, so that chains and forgetting are exercised.
    const id = fc.nat(40).map(n => `0000000${n % 2}-0000-4000-8000-0000000000${n.toString(16).padStart(2, '0')}`)
    fc.assert(
      fc.property(fc.array(id, { maxLength: 200 }), fc.integer({ min: 1, max: 20 }), (ids, limit) => {
        const recent = new RecentIds(limit)
        const plain = new Map<string, number>()
        for (const [n, one] of ids.entries()) {
          recent.add(one, 7, n)
          if (plain.has(one)) continue
          if (plain.size === limit) plain.delete(plain.keys().next().value!)
          plain.set(one, n)
        }
        for (const one of ids)
          expect(recent.get(one)).to.deep.equal(
            plain.has(one) ? { streamNumber: 7, revision: plain.get(one)! } : undefined,
          )
      }),
    )
  })
})
