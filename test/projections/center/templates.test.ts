import { projectTemplates } from '../../../projections/center/templates.ts'
import { rowsFor } from '../../support/rows-spec.ts'

describe('rows: project templates', () => {
  it('has a row for a template, with its workflows', () => {
    const workflow = { name: 'own', statuses: [{ name: 'open', stage: 'doing', next: [] }] }
    return rowsFor(projectTemplates)
      .given({ type: 'ProjectTemplateAdded', data: { name: 'Show', workflow, task_workflow: 'free', owner: 'user-1' } })
      .then({ name: 'Show', workflow, task_workflow: 'free' })
  })
})
