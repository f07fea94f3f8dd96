import { rolebook } from '../../../domain/identity/rolebook/rolebook.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(rolebook)
const reason = 'So it is.'
const body = { role: 'bookkeeper', permissions: ['wallet.entries.read', 'office.*'], reason }
const defined = { type: 'RoleDefined', data: body } as const
const may = { permissions: ['wallet.*', 'office.*'] }

describe('rolebook', () => {
  it('defines roles of what their maker may do', () => {
    given().when('define', body, may).then(defined)
    given()
      .when('define', body, { permissions: ['*'] })
      .then(defined)
    given()
      .when('define', body, { permissions: ['wallet.*', 'office.notes.read'] })
      .rejects('permission_not_yours')
    given().when('define', body).rejects('permission_not_yours')
    given()
      .when('define', { ...body, role: 'viewer' }, may)
      .rejects('role_of_platform')
  })

  it('defines them anew, and drops them', () => {
    given(defined).when('define', body, may).changesNothing()
    const less = { ...body, permissions: ['office.*'] }
    given(defined).when('define', less, may).then({ type: 'RoleDefined', data: less })
    given(defined)
      .when('drop', { role: 'bookkeeper' })
      .then({ type: 'RoleDropped', data: { role: 'bookkeeper' } })
    given().when('drop', { role: 'bookkeeper' }).changesNothing()
  })
})
