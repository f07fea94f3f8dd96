import { expect } from 'chai'
import fc from 'fast-check'
import { backlog } from '../../../domain/center/backlog/backlog.ts'
import type { events } from '../../../domain/center/backlog/messages.ts'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

type Fact = EventOf<typeof events>

const { given } = specFor(backlog)
const opened: Fact = { type: 'BacklogOpened', data: { name: 'Ideas' } }
const added = (task: string, rank: string): Fact => ({
  type: 'BacklogItemAdded',
  data: { task, itemType: 'task', rank },
})
const some = [opened, added('a', 'i'), added('b', 'r')]

describe('backlog', () => {
  it('is opened, changed and removed', () => {
    given().when('open', { name: 'Ideas' }).then(opened)
    given(opened).when('open', { name: 'Ideas' }).rejects('backlog_already_opened')
    given(opened)
      .when('change', { name: 'Ideas', description: 'x' })
      .then({ type: 'BacklogChanged', data: { description: 'x' } })
    const removed: Fact = { type: 'BacklogRemoved', data: {} }
    given(opened).when('remove', {}).then(removed)
    given(opened, removed).when('change', { name: 'x' }).rejects('backlog_removed')
  })

  it('takes tasks at a place, each once', () => {
    given(opened).when('addItem', { task: 'a', item_type: 'task' }).then(added('a', 'V'))
    given(...some)
      .when('addItem', { task: 'c', item_type: 'task' })
      .then(added('c', 's'))
    given(...some)
      .when('addItem', { task: 'c', item_type: 'task', after: 'a' })
      .then(added('c', 'm'))
    given(...some)
      .when('addItem', { task: 'c', item_type: 'task', before: 'a' })
      .then(added('c', 'h'))
    given(...some)
      .when('addItem', { task: 'a', item_type: 'task' })
      .rejects('backlog_item_already_there')
    given(...some)
      .when('addItem', { task: 'c', item_type: 'task', after: 'x' })
      .rejects('backlog_item_unknown')
    given(...some)
      .when('addItem', { task: 'c', item_type: 'task', after: 'b', before: 'a' })
      .rejects('backlog_place_impossible')
  })

  it('moves one task alone, and not where it stands', () => {
    given(...some)
      .when('moveItem', { task: 'a' })
      .then({ type: 'BacklogItemMoved', data: { task: 'a', itemType: 'task', from: 'i', rank: 's' } })
    given(...some)
      .when('moveItem', { task: 'a', before: 'b' })
      .changesNothing()
    given(...some)
      .when('moveItem', { task: 'b' })
      .changesNothing()
    given(...some)
      .when('moveItem', { task: 'x' })
      .rejects('backlog_item_unknown')
    given(...some)
      .when('removeItem', { task: 'a' })
      .then({ type: 'BacklogItemRemoved', data: { task: 'a', rank: 'i' } })
    given(...some)
      .when('removeItem', { task: 'x' })
      .rejects('backlog_item_unknown')
  })

  it('stands in the order of its ranks, whatever is moved, as a list does', () => {
    const moves = fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.boolean()), { maxLength: 80 })
    fc.assert(
      fc.property(moves, asked => {
        let state = backlog.initial
        let order: string[] = []
        const apply = (facts: readonly Fact[]) => {
          for (const { type, data } of facts) state = backlog.evolve[type](state, data as never, CONTEXT.at)
        }
        apply([opened])
        for (const [n, m, isAfter] of asked) {
          const [task, other] = [`t${n}`, `t${m}`]
          if (task === other || !order.includes(other)) {
            if (!order.includes(task)) {
              apply(backlog.decide.addItem(state, { task, item_type: 'task' }, CONTEXT))
              order.push(task)
            }
            continue
          }
          const place = isAfter ? { after: other } : { before: other }
          apply(
            order.includes(task)
              ? backlog.decide.moveItem(state, { task, ...place }, CONTEXT)
              : backlog.decide.addItem(state, { task, item_type: 'task', ...place }, CONTEXT),
          )
          order = order.filter(each => each !== task)
          order.splice(order.indexOf(other) + (isAfter ? 1 : 0), 0, task)
        }
        expect(state.status === 'open' && state.items.map(([task]) => task)).to.deep.equal(order)
      }),
      { numRuns: process.env.KOGI_LONG ? 1_000 : 60 },
    )
  })
})
