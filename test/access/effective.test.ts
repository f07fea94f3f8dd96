import { expect } from 'chai'
import type { EventStore } from '../../commands/ports.ts'
import { type Directory, emptyDirectory } from '../../domain/identity/access.ts'
import { organization } from '../../domain/identity/organization/organization.ts'
import { rolebook } from '../../domain/identity/rolebook/rolebook.ts'
import { sharing } from '../../domain/identity/sharing/sharing.ts'
import { teamtree } from '../../domain/identity/teamtree/teamtree.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Principal } from '../../domain/kernel/route.ts'
import { directories } from '../../infra/access/directories.ts'
import { effective, isSharedWith } from '../../infra/access/effective.ts'
import { governed } from '../../infra/access/governed.ts'
import { thingsOf } from '../../infra/access/things.ts'
import { permissionsOfRoles } from '../../infra/auth/permissions.ts'
import { services } from '../../infra/catalogue.ts'
import { stateOf } from '../support/spec.ts'

const NOW = Date.parse('2026-02-01T00:00:00.000Z')
const END = '2026-03-01T00:00:00.000Z'
const founded = { type: 'OrganizationFounded', data: { name: 'x', founder: 'mira' } } as const
const added = (user: string, ...roles: string[]) => ({ type: 'MemberAdded', data: { user, roles } }) as const
const reads: string[] = ['wallet.entries.read']
const book = { type: 'RoleDefined', data: { role: 'bookkeeper', permissions: reads } } as const

const directoryOf = (facts: readonly object[], others: Partial<Directory> = {}): Directory => ({
  ...emptyDirectory,
  organization: stateOf(organization, [founded, ...facts] as never),
  rolebook: stateOf(rolebook, [book]),
  ...others,
})

const bearer = (subject: string, more: Partial<Principal> = {}): Principal => ({
  subject,
  org: 'acme',
  roles: ['team-lead'],
  permissions: permissionsOfRoles(['team-lead']),
  ...more,
})
const may = (principal: Principal, directory: Directory, now = NOW) => effective(principal, directory, now).principal
const refusal = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    return (error as KogiError).code
  }
  return undefined
}

describe('what a caller may do', () => {
  it('is what the token says where there is no organization', () => {
    const jon = bearer('jon')
    expect(may(jon, emptyDirectory)).to.equal(jon)
  })

  it('is what the organization says for its members, whatever the token claims', () => {
    const directory = directoryOf([added('jon', 'viewer', 'bookkeeper', 'dropped')])
    const { permissions, roles } = may(bearer('jon'), directory)
    expect(permissions).to.have.members([...permissionsOfRoles(['viewer'])])
    expect(roles).to.deep.equal(['viewer', 'bookkeeper', 'dropped'])
    expect(may(bearer('jon', { permissions: ['*'] }), directory).permissions).to.not.include('*')
    expect(may(bearer('mira', { permissions: [] }), directory).permissions).to.include('identity.*')
    const custom = directoryOf([added('jon', 'bookkeeper')])
    expect(may(bearer('jon'), custom).permissions).to.deep.equal(['wallet.entries.read'])
  })

  it('is narrowed by the scopes of the token, never widened', () => {
    const directory = directoryOf([added('jon', 'viewer')])
    const scoped = ['wallet.*', 'office.notes.write']
    const { permissions } = may(bearer('jon', { scoped, permissions: scoped }), directory)
    const ofWallet = permissionsOfRoles(['viewer']).filter(name => name.startsWith('wallet.'))
    expect(permissions).to.have.members(ofWallet)
    expect(may(bearer('mira', { scoped }), directory).permissions).to.have.members(scoped)
  })

  it('is nothing for the suspended and the removed', () => {
    const suspended = directoryOf([added('jon', 'viewer'), { type: 'MemberSuspended', data: { user: 'jon' } }])
    expect(refusal(() => may(bearer('jon'), suspended))).to.equal('account_suspended')
    const removed = directoryOf([added('jon', 'viewer'), { type: 'MemberRemoved', data: { user: 'jon' } }])
    expect(refusal(() => may(bearer('jon'), removed))).to.equal('not_a_member')
  })

  it('is for outsiders what the organization lets them', () => {
    const open = directoryOf([])
    expect(may(bearer('kim'), open).permissions).to.deep.equal(bearer('kim').permissions)
    const invited = { type: 'MemberInvited', data: { user: 'nia', roles: [], until: END } }
    const closed = directoryOf([invited, { type: 'OutsidersSet', data: { outsiders: 'refused' } }])
    expect(refusal(() => may(bearer('kim'), closed))).to.equal('not_a_member')
    expect(may(bearer('nia'), closed).permissions).to.deep.equal(['identity.invitations.accept'])
    const operator = bearer('kim', { roles: ['platform-admin'], permissions: ['*'] })
    expect(may(operator, closed).permissions).to.deep.equal(['*'])
  })

  it('grows by teams, those above them too, and by roles that were lent until they end', () => {
    const team = (name: string, parent: string | null) => ({ type: 'TeamMade', data: { team: name, name, parent } })
    const tree = stateOf(teamtree, [
      team('house', null),
      team('kitchen', 'house'),
      { type: 'TeamRolesSet', data: { team: 'house', roles: ['bookkeeper'] } },
      { type: 'TeamJoined', data: { team: 'kitchen', user: 'jon' } },
    ] as never)
    const lent = stateOf(sharing, [
      {
        type: 'RolesDelegated',
        data: { delegation: 'd', from: 'mira', to: 'jon', roles: ['organization-admin'], until: END },
      },
    ])
    const inTeam = directoryOf([added('jon')], { teamtree: tree })
    expect(may(bearer('jon'), inTeam).permissions).to.deep.equal(['wallet.entries.read'])
    expect(may(bearer('jon'), inTeam).teams).to.deep.equal(['kitchen', 'house'])
    expect(may(bearer('kim', { teams: ['x'] }), inTeam).teams).to.deep.equal(['x'])
    const withLent = directoryOf([added('jon')], { sharing: lent })
    expect(may(bearer('jon'), withLent).permissions).to.include('identity.*')
    expect(effective(bearer('jon'), withLent, NOW).until).to.equal(Date.parse(END))
    expect(may(bearer('jon'), withLent, Date.parse(END)).permissions).to.deep.equal([])
    const lenderGone = directoryOf(
      [added('jon'), added('pia', 'organization-admin'), { type: 'MemberSuspended', data: { user: 'mira' } }],
      { sharing: lent },
    )
    expect(may(bearer('jon'), lenderGone).permissions).to.deep.equal([])
  })

  it('is more with one thing, by what is shared of it', () => {
    const shared = (role: string, kind: string, to: string, until?: string) =>
      stateOf(sharing, [
        {
          type: 'ThingShared',
          data: { grant: 'g', category: 'project', thing: 'menu', kind, with: to, role, ...(until && { until }) },
        },
      ] as never)
    const asks = (state: Directory['sharing'], needed: string, id = 'menu', caller = bearer('jon', { teams: ['t'] })) =>
      isSharedWith(
        directoryOf([], { sharing: state }),
        caller,
        { category: 'project', id },
        needed,
        new Date(NOW).toISOString(),
      )
    expect(asks(shared('reader', 'user', 'jon'), 'center.projects.read')).to.equal(true)
    expect(asks(shared('reader', 'user', 'jon'), 'center.projects.write')).to.equal(false)
    expect(asks(shared('editor', 'team', 't'), 'center.projects.write')).to.equal(true)
    expect(asks(shared('editor', 'user', 't'), 'center.projects.write')).to.equal(false)
    expect(asks(shared('owner', 'user', 'jon'), 'center.projects.write', 'other')).to.equal(false)
    expect(asks(shared('owner', 'user', 'jon', END), 'center.projects.write')).to.equal(true)
    const over = new Date(NOW).toISOString()
    expect(asks(shared('owner', 'user', 'jon', over), 'center.projects.write')).to.equal(false)
    const narrow = bearer('jon', { scoped: ['center.projects.read'] })
    expect(asks(shared('owner', 'user', 'jon'), 'center.projects.write', 'menu', narrow)).to.equal(false)
  })

  it('is about the thing of the path', () => {
    const thingOf = thingsOf(services)
    const of = (path: string, id = 'x') => thingOf({ path }, { id, wallet: id })
    expect(of('/kctr/projects/:id')).to.deep.equal({ category: 'project', id: 'x' })
    expect(of('/kwlt/wallets/:wallet/accounts/:account')).to.deep.equal({ category: 'wallet', id: 'x' })
    expect(of('/kbfc/items/:id/book')).to.deep.equal({ category: 'item', id: 'x' })
    for (const path of ['/kctr/projects', '/kctr/projects/summary', '/kbs/members/:user/roles', '/bulk']) {
      expect(of(path), path).to.equal(undefined)
    }
  })
})

describe('the directory of an org', () => {
  type Stored = Awaited<ReturnType<EventStore['read']>>
  /** A log of one org, and what is asked of it. */
  function logOf() {
    const events: object[] = []
    let reads = 0
    let isAway = false
    let clock = 0
    const store: Pick<EventStore, 'read'> = {
      async read(stream, from) {
        reads += 1
        if (isAway) throw new KogiError('engine_unavailable', 'away')
        if (!stream.startsWith('organization-')) return []
        return events.slice(Number(from)) as unknown as Stored
      },
    }
    const all = directories(store, () => clock)
    return {
      all,
      reads: () => reads,
      add: (type: string, data: object) =>
        events.push({
          type,
          data,
          revision: BigInt(events.length),
          metadata: { schema: 1, at: END },
          stream: 'organization-x',
        }),
      away: (is: boolean) => {
        isAway = is
      },
      pass: (ms: number) => {
        clock += ms
      },
    }
  }

  it('is read once in a while, and at once after a change of this process', async () => {
    const { all, add, pass, reads } = logOf()
    await all.of('acme')
    await all.of('acme')
    expect(reads()).to.equal(1)
    add('OrganizationFounded', { name: 'x', founder: 'mira' })
    expect((await all.of('acme')).organization.status).to.equal('none')
    all.changed('acme')
    expect(all.fresh('acme')).to.equal(undefined)
    const founded = await all.of('acme')
    expect(founded.organization.status).to.equal('founded')
    expect(all.fresh('acme')).to.equal(founded)
    add('MemberAdded', { user: 'jon', roles: [] })
    pass(2_000)
    expect((await all.of('acme')).organization.count).to.equal(2)
  })

  it('is not taken for fresh while the look after a change is under way', async () => {
    const { all, add } = logOf()
    add('OrganizationFounded', { name: 'x', founder: 'mira' })
    await all.of('acme')
    add('MemberAdded', { user: 'jon', roles: [] })
    all.changed('acme')
    const first = all.of('acme')
    expect(all.fresh('acme')).to.equal(undefined)
    expect((await all.of('acme')).organization.count).to.equal(2)
    expect((await first).organization.count).to.equal(2)
  })

  it('is the same object while nothing has happened', async () => {
    const { all, add, pass } = logOf()
    add('OrganizationFounded', { name: 'x', founder: 'mira' })
    const first = await all.of('acme')
    pass(60_000)
    expect(await all.of('acme')).to.equal(first)
  })

  it('allows nothing that was taken away for longer than five seconds while the log is away', async () => {
    const { all, add, pass, away } = logOf()
    const unavailable = async (org: string) => (await all.of(org).catch((error: KogiError) => error.code)) as unknown
    await all.of('loose')
    add('OrganizationFounded', { name: 'x', founder: 'mira' })
    const { organization: known } = await all.of('acme')
    away(true)
    pass(4_000)
    expect((await all.of('acme')).organization).to.equal(known)
    pass(2_000)
    expect(await unavailable('acme')).to.equal('engine_unavailable')
    expect(await unavailable('unheard')).to.equal('engine_unavailable')
    away(false)
    expect((await all.of('acme')).organization).to.equal(known)
  })

  it('takes what was allowed away from tokens in hand, and from open connections', async () => {
    const { all, add } = logOf()
    const token = Object.freeze(bearer('jon'))
    const authenticate = governed(() => token, all)
    add('OrganizationFounded', { name: 'x', founder: 'mira' })
    add('MemberAdded', { user: 'jon', roles: ['viewer'] })
    const caller = await authenticate('Bearer x')
    expect(await authenticate('Bearer x')).to.equal(caller)
    expect(caller.stands!()).to.equal(true)
    add('MemberAdded', { user: 'kim', roles: ['viewer'] })
    all.changed('acme')
    await all.of('acme')
    expect(caller.stands!()).to.equal(true)
    add('MemberSuspended', { user: 'jon' })
    all.changed('acme')
    await all.of('acme')
    expect(caller.stands!()).to.equal(false)
    expect(refusal(() => authenticate('Bearer x'))).to.equal('account_suspended')
  })
})
