import { expect } from 'chai'
import { allows, permissions } from '../../infra/auth/permissions.ts'
import { aggregates, readPermissions } from '../../infra/catalogue.ts'
import { accessOf } from '../../read-api/live/announced.ts'
import { categoriesOf, MEMBERS, messageTypeOf } from '../../read-api/live/channels.ts'

describe('channels', () => {
  it('name columns and events that there are', () => {
    for (const { category, model, column, created, deleted } of MEMBERS) {
      const { events } = aggregates.find(({ name }) => name === category)!
      expect(Object.keys(events)).to.include.members([...created, ...deleted])
      expect(model.history, `${model.name}: members are looked up in its history`).to.equal(true)
      expect(model.row.shape, model.name).to.have.property(column)
      expect(model.key).to.deep.equal(['org', 'id'])
    }
  })

  it('are a kind and an id', () => {
    expect(categoriesOf('project:my project: 1')).to.deep.equal(['project', 'task', 'note'])
    expect(categoriesOf('room:r')).to.deep.equal(['room', 'message'])
    expect(categoriesOf('user:mira')).to.include.members(['task', 'transfer'])
    for (const text of [
      '',
      'project',
      'project:',
      'project: p',
      'wallet:w',
      'users:u',
      'project:p\n',
      `project:${'x'.repeat(129)}`,
    ])
      expect(categoriesOf(text), text).to.equal(undefined)
  })

  it('call messages by the thing and what became of it', () => {
    const called = [
      { category: 'item', type: 'ItemAdded' },
      { category: 'item', type: 'ItemArchived' },
      { category: 'task', type: 'TaskAssigned' },
      { category: 'wallet', type: 'WalletOpened' },
    ].map(messageTypeOf)
    expect(called).to.deep.equal(['item.created', 'item.deleted', 'task.updated', 'wallet.updated'])
  })
})

describe('what a caller is told', () => {
  it('needs for each category a permission that there is', () => {
    expect([...readPermissions.keys()]).to.have.members(aggregates.map(({ name }) => name))
    for (const permission of readPermissions.values()) expect(permissions).to.include(permission)
    expect(readPermissions.get('wallet')).to.equal('wallet.wallets.read')
  })

  it('is everything with the permission of the audit log, else what they may read', () => {
    const access = (...granted: string[]) =>
      accessOf({ readPermissions, allows }, { subject: 'a', org: 'o', roles: [], permissions: granted })
    expect(access('audit.*')).to.deep.equal({
      isWhole: true,
      categories: [...readPermissions.keys()],
      grantees: undefined,
    })
    expect(access('center.tasks.read')).to.deep.equal({ isWhole: false, categories: ['task'], grantees: ['user a'] })
    expect(access()).to.deep.equal({ isWhole: false, categories: [], grantees: ['user a'] })
    expect(access('briefcase.*').grantees).to.deep.equal(['user a'])
  })
})
