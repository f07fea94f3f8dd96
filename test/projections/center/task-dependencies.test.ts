import { taskDependencies } from '../../../projections/center/task-dependencies.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const ends = { task: 'b', dependency: 'a' }
const added = { type: 'DependencyAdded', data: { ...ends, type: 'finish_start', lag: 0 } }

describe('rows: task dependencies', () => {
  const { given } = rowsFor(taskDependencies)

  it('have a row for each dependency, as it is', async () => {
    const changed = { type: 'DependencyChanged', data: { ...ends, type: 'start_start', lag: -1.5 } }
    await given(added).then({ ...ends, type: 'finish_start', lag: 0 })
    await given(added, changed).then({ ...ends, type: 'start_start', lag: -1.5 })
    await given(added, { type: 'DependencyRemoved', data: ends }).then()
  })
})
