import { customRoles } from '../../../projections/identity/custom-roles.ts'
import { rowsFor } from '../../support/rows-spec.ts'

describe('rows: custom roles', () => {
  const { given } = rowsFor(customRoles)
  const defined = (...permissions: string[]) => ({ type: 'RoleDefined', data: { role: 'bookkeeper', permissions } })

  it('are the roles as they were defined last', () =>
    given(defined('wallet.*'), defined('wallet.entries.read')).then({
      role: 'bookkeeper',
      permissions: ['wallet.entries.read'],
      revision: 1n,
    }))
  it('end with them', () => given(defined('wallet.*'), { type: 'RoleDropped', data: { role: 'bookkeeper' } }).then())
})
