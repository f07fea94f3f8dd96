import { expect } from 'chai'
import { messages } from '../../../domain/center/projecttemplate/messages.ts'
import { projectTemplate } from '../../../domain/center/projecttemplate/projecttemplate.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(projectTemplate)
const statuses = [
  { name: 'planned', stage: 'todo', next: ['open'] },
  { name: 'open', stage: 'doing', next: [] },
] as const

describe('project template', () => {
  it('holds workflows of its own, or names of built-in ones', () => {
    const workflow = { name: 'exhibition', statuses }
    given()
      .when('add', { name: 'Exhibition', workflow, task_workflow: 'task' })
      .then({
        type: 'ProjectTemplateAdded',
        data: { name: 'Exhibition', workflow, task_workflow: 'task', owner: 'user-1' },
      })
  })

  it('refuses workflows that name unknown or repeated statuses, or have the name of a built-in one', () => {
    const takes = (workflow: unknown) => messages.commands.add.safeParse({ name: 'x', workflow }).success
    expect(takes({ name: 'exhibition', statuses })).to.equal(true)
    expect(takes({ name: 'software', statuses })).to.equal(false)
    expect(takes({ name: 'exhibition', statuses: [] })).to.equal(false)
    expect(takes({ name: 'exhibition', statuses: [...statuses, statuses[0]] })).to.equal(false)
    expect(takes({ name: 'exhibition', statuses: statuses.slice(0, 1) })).to.equal(false)
    expect(takes('unheard')).to.equal(false)
    expect(takes('free')).to.equal(true)
  })
})
