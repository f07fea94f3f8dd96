import { risks } from '../../../projections/center/risks.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const fields = { title: 'The printer closes', probability: 0.2, impact: 0.8, status: 'open' }
const added = { type: 'RiskAdded', data: { ...fields, owner: 'user-1' } }

describe('rows: risks', () => {
  it('has a row for each risk', async () => {
    const { given } = rowsFor(risks)
    await given(added).then({ id: 'thing-1', ...fields, risk_score: 0.16 })
    await given(added, { type: 'RiskChanged', data: { impact: 0.5 } }).then({ impact: 0.5, risk_score: 0.1 })
    await given(added, { type: 'RiskRemoved', data: {} }).then()
  })
})
