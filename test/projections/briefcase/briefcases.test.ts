import { briefcases } from '../../../projections/briefcase/briefcases.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const added = { type: 'BriefcaseAdded', data: { name: 'Studio', description: 'All of it.', owner: 'mira' } }

describe('rows: briefcases', () => {
  const { given } = rowsFor(briefcases)

  it('follows the changes of a briefcase', () =>
    given(added, { type: 'BriefcaseChanged', data: { description: null } }).then({
      id: 'thing-1',
      name: 'Studio',
      description: undefined,
      owner: 'mira',
      revision: 1n,
    }))
  it('goes with it', () => given(added, { type: 'BriefcaseRemoved', data: {} }).then())
})
