import { backlogItems, backlogs } from '../../../projections/center/backlogs.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const facts = [
  { type: 'BacklogOpened', data: { name: 'Ideas', project: 'p' } },
  { type: 'BacklogItemAdded', data: { task: 'a', itemType: 'story', rank: 'i' } },
  { type: 'BacklogItemAdded', data: { task: 'b', itemType: 'bug', rank: 'r' } },
]

describe('rows: backlogs', () => {
  it('count their items', async () => {
    const { given } = rowsFor(backlogs)
    await given(...facts).then({ name: 'Ideas', project: 'p', items: 2 })
    await given(...facts, { type: 'BacklogItemRemoved', data: { task: 'a', rank: 'i' } }).then({ items: 1 })
    await given(...facts, { type: 'BacklogChanged', data: { name: 'x', description: 'y' } }).then({
      name: 'x',
      description: 'y',
    })
    await given(...facts, { type: 'BacklogRemoved', data: {} }).then()
  })
  it('have a row for each item, with its rank', async () => {
    const { given } = rowsFor(backlogItems)
    const moved = { type: 'BacklogItemMoved', data: { task: 'a', itemType: 'story', from: 'i', rank: 'v' } }
    await given(...facts, moved).then({ task: 'b', rank: 'r' }, { task: 'a', item_type: 'story', rank: 'v' })
    await given(...facts, { type: 'BacklogItemRemoved', data: { task: 'a', rank: 'i' } }).then({ task: 'b' })
  })
})
