import { risk } from '../../../domain/center/risk/risk.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(risk)
const fields = { title: 'The printer closes', probability: 0.2, impact: 0.8, status: 'open' }
const added = { type: 'RiskAdded', data: { ...fields, owner: 'user-1' } } as const

describe('risk', () => {
  it('is added with its fields, and removed', () => {
    given().when('add', fields).then(added)
    given(added).when('remove', {}).then({ type: 'RiskRemoved', data: {} })
  })
})
