import { budgets } from '../../../projections/wallet/budgets.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const data = { title: 'Paper', currency: 'EUR', amount: 20_000n, period: 'month', tag: 'material', owner: 'user-1' }
const added = { type: 'BudgetAdded', data }

describe('rows: budgets', () => {
  const { given } = rowsFor(budgets)

  it('have what may be spent, on what, and when', async () => {
    await given(added).then({ id: CONTEXT.id, ...data, wallet: undefined, created_at: CONTEXT.at })
    const changed = { type: 'BudgetChanged', data: { amount: 1n, tag: null, project: 'sea' } }
    await given(added, changed).then({ amount: 1n, tag: undefined, project: 'sea', revision: 1n })
    const passed = { from: '2026-05-01', to: '2026-05-31', currency: 'EUR', places: 2, amount: 1n, actual: 2n }
    await given(added, { type: 'BudgetPassed', data: { ...passed, owner: 'user-1' } }).then({ ...data, revision: 1n })
    await given(added, { type: 'BudgetRemoved', data: {} }).then()
  })
})
