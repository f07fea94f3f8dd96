import { expect } from 'chai'
import { ROLES, type Role } from '../../domain/kernel/service.ts'
import { allows, permissions, permissionsOfRoles, permissionsOfScope } from '../../infra/auth/permissions.ts'

const byScope = (a: string, b: string) => (a.startsWith('b') === b.startsWith('b') ? 0 : a.startsWith('b') ? -1 : 1)

describe('permissions', () => {
  const may = (grants: string[], needed: string) => allows({ permissions: grants }, needed)

  it('are refused unless granted', () => {
    expect(may([], 'wallet.wallets.read')).to.equal(false)
    expect(may(['wallet.wallets.read'], 'wallet.wallets.read')).to.equal(true)
    expect(may(['wallet.wallets.read'], 'wallet.wallets.write')).to.equal(false)
    expect(may(['wallet.*'], 'wallet.entries.write')).to.equal(true)
    expect(may(['wallet.entries.*'], 'wallet.wallets.read')).to.equal(false)
    expect(may(['wallet.*'], 'walletx.entries.write')).to.equal(false)
    expect(may(['*'], 'anything.at.all')).to.equal(true)
    expect(may(['*.read', 'wallet', 'wallet.wallets'], 'wallet.wallets.read')).to.equal(false)
  })

  it('follow from scopes as tokens write them', () => {
    expect(permissionsOfScope(['briefcase:read', 'audit:read'])).to.deep.equal(
      permissions.filter(name => /^(briefcase|audit)\..*\.read$/.test(name)).sort(byScope),
    )
    expect(permissionsOfScope(['wallet:*'])).to.deep.equal(['wallet.*'])
    expect(permissionsOfScope('openid *:read nothing:read a:b:c :read wallet:'.split(' '))).to.deep.equal([])
  })

  /** What each role may do; a change of a service's list has to be made here as well, on purpose. */
  const things = ['wallet.wallets', 'wallet.accounts', 'wallet.entries', 'briefcase.items', 'center.projects']
  things.push('center.tasks', 'office.notes', 'memory.memories', 'audit.log', 'wallet.holds', 'wallet.transfers')
  things.push('hub.inbox', 'hub.inboxes', 'apps.webhooks', 'hub.mails')
  things.push('wallet.rates', 'wallet.investments', 'wallet.imports', 'wallet.users')
  things.push('wallet.accountlinks')
  things.push('wallet.budgets', 'wallet.campaigns', 'wallet.contributions')
  things.push('wallet.reconciliations')
  things.push('platform.log')
  const table: Record<Role, string> = {
    'platform-admin': 'rw r rw rw rw rw rw rw r rw rwa w r rw r rw rw rw rw rw rw rw rw rw r',
    'organization-admin': 'rw r rw rw rw rw rw rw r rw rwa w r rw r rw rw rw rw rw rw rw rw rw -',
    'team-lead': 'r r rw rw rw rw rw rw - rw rwa w - rw - rw rw rw rw rw rw rw rw rw -',
    'team-member': 'r r r rw rw rw rw rw - r r w - - - r r r rw r r r r r -',
    contributor: '- - - rw rw rw rw rw - - - w - - - - - - - - - - - - -',
    viewer: 'r r r r r r r r - r r w - - - r r r r r r r r r -',
    guest: '- - - r r r - - - - - w - - - - - - - - - - - - -',
    auditor: 'r r r r r r r r r r r w - r - r r r r r r r r r -',
  }
  const ofWork = ['comments', 'time', 'backlogs', 'risks', 'measurements', 'pages']
  const ofLead = ['sprints', 'metrics', 'keyresults', 'resources']
  const ofPlan = ['centers', 'templates', 'plans', 'objectives']
  const centerThings = [...ofWork, ...ofLead, ...ofPlan].map(name => `center.${name}`)
  const ofCenter: Record<Role, string> = {
    'platform-admin': 'rw rwp rw rw rw rw rw rw rw rw rw rw rw rw',
    'organization-admin': 'rw rwp rw rw rw rw rw rw rw rw rw rw rw rw',
    'team-lead': 'rw rwp rw rw rw rw rw rw rw rw rw rw rw rw',
    'team-member': 'rw rw rw rw rw rw rw rw rw rw r r r r',
    contributor: 'rw rw rw rw rw rw r r r r r r r r',
    viewer: 'r r r r r r r r r r r r r r',
    guest: 'r r r r r r r r r r r r r r',
    auditor: 'r r r r r r r r r r r r r r',
  }
  /** The same by thing, for each role in the order of `ROLES`. */
  const byName: Record<string, string> = {
    'briefcase.briefcases': 'rw rw rw rw rw r - r',
    'briefcase.books': 'rw rw rw rw rw r - r',
    'briefcase.files': 'rw rw rw rw rw r - r',
    'briefcase.workspaces': 'rw rw rw rw rw r - r',
    'briefcase.binders': 'rw rw rw rw rw r - r',
    'briefcase.libraries': 'rw rw rw rw rw r - r',
    'briefcase.library-assets': 'rw rw rw rw rw r - r',
    'briefcase.item-templates': 'rw rw rw rw rw r - r',
    'office.offices': 'rw rw rw rw rw r - r',
    'office.contact-books': 'rw rw rw rw rw r - r',
    'office.contacts': 'rw rw rw rw rw r - r',
    'office.note-books': 'rw rw rw rw rw r - r',
    'office.office-workspaces': 'rw rw rw rw rw r - r',
    'office.calendars': 'rw rw rw rw rw r - r',
    'office.benefit-plans': 'rw rw rw rw rw r - r',
    'office.benefits': 'rw rw rw rw rw r - r',
    'office.calendar-events': 'rwa rwa rwa rwa rwa ra - r',
    'exchange.listings': 'rw rw rw rw rw r - r',
    'exchange.auctions': 'rw rw rw rw rw r - r',
    'exchange.bids': 'rw rw rw rw rw r - r',
    'exchange.negotiations': 'rw rw rw rw rw r - r',
    'exchange.vendors': 'rw rw rw rw rw r - r',
    'exchange.orders': 'rw rw rw rw rw r - r',
    'exchange.reviews': 'rw rw rw rw rw r - r',
    'exchange.resource-requests': 'rw rw rw rw rw r - r',
    'exchange.capacities': 'rw rw rw rw rw r - r',
    'exchange.allocations': 'rw rw rw rw rw r - r',
    'exchange.disputes': 'w w w - - - - -',
    'rooms.rooms': 'rw rw rw rw rw r - r',
    'rooms.messages': 'rw rw rw rw rw r - r',
    'audit.erasures': 'rw rw - - - - - r',
    'audit.exports': 'rw rw - - - - - rw',
    'audit.disclosures': 'w w - - - - - -',
    'audit.refusals': 'r r - - - - - r',
    'audit.sensitive-reads': 'r r - - - - - r',
    'audit.compliance': 'r r - - - - - r',
    'audit.persons': 'r r - - - - - r',
    'audit.own-data': 'r r r r r r r r',
    'audit.operations': 'r r - - - - - r',
    'audit.consents': 'rw rw rw - - - - r',
    'audit.access-requests': 'rw rw - - - - - r',
    'audit.legal-holds': 'rw rw - - - - - r',
    'audit.retention-rules': 'rw rw - - - - - r',
    'audit.personal-data': 'r r - - - - - r',
    'memory.search-profiles': 'rw rw rw r r r - r',
    'identity.organization': 'rw rw r r r r r r',
    'identity.members': 'rw rw r r - - - r',
    'identity.roles': 'rw rw r r - - - r',
    'identity.teams': 'rw rw r r - - - r',
    'identity.access': 'r r - - - - - r',
    'identity.invitations': 'a a a a a a a a',
    'identity.grants': 'w w w w w w w w',
    'identity.delegations': 'w w w w w w w w',
    'identity.keys': 'rw rw w w w w w rw',
    'settings.own-values': 'w w w w w w w w',
    'settings.values': 'rw rw - - - - - -',
    'settings.flags': 'w w - - - - - -',
    'platform.settings': 'rw - - - - - - -',
    'platform.quotas': 'w - - - - - - -',
    'platform.maintenance': 'w - - - - - - -',
    'platform.announcements': 'w - - - - - - -',
    'platform.organizations': 'w - - - - - - -',
    'vault.secrets': 'rw rw r - - - - r',
    'vault.leases': 'rw rw - - - - - r',
  }
  const zip = (names: readonly string[], rights: string) =>
    names.map((thing, n) => [thing, rights.split(' ')[n]!] as const)
  it('are all in the table', () => {
    expect(Object.keys(table)).to.have.members([...ROLES])
    expect(new Set(permissions.map(name => name.slice(0, name.lastIndexOf('.'))))).to.deep.equal(
      new Set([...things, ...centerThings, ...Object.keys(byName)]),
    )
  })
  for (const [role, rights] of Object.entries(table)) {
    const byThing = new Map([
      ...zip(things, rights),
      ...zip(centerThings, ofCenter[role as Role]),
      ...Object.entries(byName).map(([thing, all]) => [thing, all.split(' ')[ROLES.indexOf(role as Role)]!] as const),
    ])
    it(`of the role ${role} are those of the table`, () => {
      const grants = permissionsOfRoles([role])
      for (const needed of permissions) {
        const [thing, action] = [needed.slice(0, needed.lastIndexOf('.')), needed.slice(needed.lastIndexOf('.') + 1)]
        expect(may(grants, needed), needed).to.equal(byThing.get(thing)!.includes(action[0]!))
      }
    })
  }

  it('of unknown roles are none', () => expect(permissionsOfRoles(['root', 'toString', '__proto__'])).to.deep.equal([]))
})
