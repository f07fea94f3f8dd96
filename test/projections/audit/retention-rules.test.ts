import { retentionRules } from '../../../projections/audit/retention-rules.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const fields = { category: 'note', days: 30, basis: 'What the office keeps.' }
const added = { type: 'RetentionRuleAdded', data: { ...fields, owner: 'user-1' } }

describe('rows: retention rules', () => {
  it('has a row for each rule', async () => {
    const { given } = rowsFor(retentionRules)
    await given(added).then({ id: 'thing-1', ...fields })
    await given(added, { type: 'RetentionRuleChanged', data: { days: 60 } }).then({ ...fields, days: 60 })
    await given(added, { type: 'RetentionRuleRemoved', data: {} }).then()
  })
})
