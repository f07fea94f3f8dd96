import { placementProcess } from '../../../commands/processes/briefcase/placement.ts'
import { processSpec } from '../../support/process-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const added = (more: object = {}) => ({
  type: 'ItemAdded',
  data: { type: 'app', status: 'draft', name: 'Clock', metadata: {}, owner: 'mira', ...more },
})

describe('the process of a placement', () => {
  const { given } = processSpec(placementProcess)

  it('places a new item below the one that it was added under, or says why not', () => {
    const when = given().when(added({ parent: 'clocks' }))
    when.then(['tree.place', 'portfolio', { item: CONTEXT.id, parent: 'clocks' }])
    when
      .refused(0, { code: 'tree_full', message: 'Leave items at the top.' })
      .then([
        'item.refusePlacement',
        CONTEXT.id,
        { parent: 'clocks', code: 'tree_full', reason: 'Leave items at the top.' },
      ])
  })
  it('leaves the others at the top', () => given().when(added()).then())
})
