import { expect } from 'chai'
import { personalFields } from '../../../commands/seal.ts'
import { RETAINED } from '../../../domain/audit/retentionrule/messages.ts'
import { retentionrule } from '../../../domain/audit/retentionrule/retentionrule.ts'
import { aggregates } from '../../../infra/catalogue.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(retentionrule)
const fields = { category: 'note', days: 30, basis: 'What the office keeps.' }
const added = { type: 'RetentionRuleAdded', data: { ...fields, owner: 'user-1' } } as const

describe('retention rule', () => {
  it('is added with its fields, and removed', () => {
    given().when('add', fields).then(added)
    given(added).when('remove', {}).then({ type: 'RetentionRuleRemoved', data: {} })
  })

  it('is for files and the categories that have personal data, all of them', () => {
    const personal = aggregates.filter(({ commands }) =>
      Object.values(commands).some(schema => personalFields(schema as never).size > 0),
    )
    expect([...RETAINED]).to.have.members(['file', ...personal.map(({ name }) => name)])
  })
})
