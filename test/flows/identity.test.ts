import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Answer, Client } from '../support/client.ts'

const reason = 'So it is.'
const FAR = '2099-01-31T00:00:00.000Z'

describe('people of an organization', function () {
  this.timeout(60_000)
  let app: App
  let mira: Client
  let jon: Client
  let position = '0'

  before(async () => {
    app = await startApp()
    mira = await app.clientOf('bluebird', 'organization-admin', 'mira')
    jon = await app.clientOf('bluebird', 'organization-admin', 'jon')
  })
  after(() => app?.close())

  async function send(by: Client, method: string, path: string, body?: object): Promise<Answer> {
    const answer = await by.call(method, `/api/v1${path}`, { body })
    if (answer.status < 300) position = String(answer.headers['kogi-position'])
    return answer
  }
  async function done(by: Client, method: string, path: string, body?: object): Promise<void> {
    const answer = await send(by, method, path, body)
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).to.be.below(300)
  }
  const get = (by: Client, path: string) =>
    by.call('GET', `/api/v1${path}`, { headers: { 'kogi-min-position': position } })
  const codeOf = ({ status, body }: Answer) => (status < 300 ? status : body.error.code)
  const explained = async (query: string, by = mira) => (await get(by, `/kbs/access/explain?${query}`)).body.data

  it('may do what their tokens say, until the organization is founded', async () => {
    expect(codeOf(await send(jon, 'POST', '/koff/notes', { title: 'Before' }))).to.equal(201)
    const { decision, why } = await explained('subject=jon&permission=office.notes.write')
    expect([decision, why]).to.deep.equal(['by_token', 'no_organization'])
    await done(mira, 'POST', '/kbs/organization', { name: 'Bluebird' })
    expect(codeOf(await send(jon, 'POST', '/koff/notes', { title: 'Outsider' }))).to.equal(201)
  })

  it('may do what the organization says from the next request on, whatever their tokens claim', async () => {
    await done(mira, 'POST', '/kbs/members', { user: 'jon', roles: ['viewer'], reason })
    expect(codeOf(await send(jon, 'POST', '/koff/notes', { title: 'Viewer' }))).to.equal('forbidden')
    expect(codeOf(await get(jon, '/koff/notes'))).to.equal(200)
    const members = (await get(mira, '/kbs/members?sort=user')).body.data
    expect(members.map(({ user, status }: Record<string, string>) => `${user} ${status}`)).to.deep.equal([
      'jon active',
      'mira active',
    ])
  })

  it('have no names of processes and memories', async () => {
    for (const name of ['process:till', 'memory:m1']) {
      const asked: readonly (readonly [string, string, object])[] = [
        ['POST', '/kbs/members', { user: name, roles: [] }],
        ['POST', '/kbs/invitations', { user: name, roles: [], until: FAR }],
        ['POST', '/kbs/delegations', { to: name, roles: ['organization-admin'], until: FAR }],
        ['POST', '/kbs/api-keys', { name: 'Till', owner: name, scopes: ['office.*'] }],
      ]
      for (const [method, path, body] of asked)
        expect(codeOf(await send(mira, method, path, { ...body, reason })), `${path} ${name}`).to.equal('invalid_body')
    }
  })

  it('have roles that the organization defines, and teams', async () => {
    await done(mira, 'PUT', '/kbs/roles/scribe', { permissions: ['office.notes.write'], reason })
    await done(mira, 'POST', '/kbs/teams', { team: 'house', name: 'House' })
    await done(mira, 'POST', '/kbs/teams', { team: 'desk', name: 'Desk', parent: 'house' })
    await done(mira, 'PUT', '/kbs/teams/house/roles', { roles: ['scribe'], reason })
    await done(mira, 'PUT', '/kbs/teams/desk/members/jon', { reason })
    expect(codeOf(await send(jon, 'POST', '/koff/notes', { title: 'Scribe' }))).to.equal(201)
    const { because } = await explained('subject=jon&permission=office.notes.write')
    expect(because).to.deep.equal([{ by: 'team', role: 'scribe', team: 'house' }])
    await done(mira, 'DELETE', '/kbs/roles/scribe')
    expect(codeOf(await send(jon, 'POST', '/koff/notes', { title: 'No more' }))).to.equal('forbidden')
  })

  it('share single things', async () => {
    await done(mira, 'POST', '/kctr/projects', { id: 'menu', name: 'Menu' })
    await done(mira, 'POST', '/kctr/projects', { id: 'other', name: 'Other' })
    const change = (id: string) => send(jon, 'PATCH', `/kctr/projects/${id}`, { name: `${id} of Jon` })
    expect(codeOf(await change('menu'))).to.equal('forbidden')
    const grant = { grant: 'g-1', category: 'project', thing: 'menu', kind: 'team', with: 'house', role: 'editor' }
    expect(codeOf(await send(jon, 'POST', '/kbs/grants', { ...grant, reason }))).to.equal('thing_not_yours')
    await done(mira, 'POST', '/kbs/grants', { ...grant, reason })
    expect(codeOf(await change('menu'))).to.equal(200)
    expect(codeOf(await change('other'))).to.equal('forbidden')
    // The grant says nothing of other things that the body names, in whichever spelling.
    await done(mira, 'POST', '/kwlt/wallets', { id: 'till', kind: 'office' })
    for (const field of ['wallet', 'wallet_id']) {
      const named = await send(jon, 'PATCH', '/kctr/projects/menu', { [field]: 'till' })
      expect(codeOf(named), field).to.equal('forbidden')
    }
    const told = await explained('subject=jon&permission=center.projects.write&thing=project:menu')
    expect([told.decision, told.because]).to.deep.equal([
      'allowed',
      [{ by: 'grant', grant: 'g-1', role: 'editor', team: 'house' }],
    ])
    await done(mira, 'DELETE', '/kbs/grants/g-1')
    expect(codeOf(await change('menu'))).to.equal('forbidden')
  })

  it('lend their roles until a time', async () => {
    const until = new Date(Date.now() + 2_000).toISOString()
    await done(mira, 'POST', '/kbs/delegations', { to: 'jon', roles: ['organization-admin'], until, reason })
    expect(codeOf(await get(jon, '/kbs/delegations'))).to.equal(200)
    const { because } = await explained('subject=jon&permission=identity.members.write', jon)
    expect(because[0]).to.include({ by: 'delegation', role: 'organization-admin', from: 'mira', until })
    // Lent roles are not theirs to lend.
    const on = { to: 'nia', roles: ['organization-admin'], until: FAR, reason }
    expect(codeOf(await send(jon, 'POST', '/kbs/delegations', on))).to.equal('delegation_not_yours')
    await sleep(Math.max(0, Date.parse(until) - Date.now()) + 20)
    expect(codeOf(await send(jon, 'POST', '/koff/notes', { title: 'Over' }))).to.equal('forbidden')
  })

  it('are suspended from the next request on, with tokens in hand, and told why', async () => {
    await done(mira, 'POST', '/kbs/members/jon/suspend', { reason: 'The laptop was lost.' })
    expect(codeOf(await get(jon, '/koff/notes'))).to.equal('account_suspended')
    expect(codeOf(await send(jon, 'POST', '/bulk', { commands: [] }))).to.equal('account_suspended')
    const told = await explained('subject=jon&permission=office.notes.read')
    expect([told.decision, told.why, told.standing]).to.deep.equal(['refused', 'suspended', 'suspended'])
    await done(mira, 'POST', '/kbs/members/jon/resume', { reason })
    expect(codeOf(await get(jon, '/koff/notes'))).to.equal(200)
    const { body } = await get(mira, '/kmg/administration?category=organization&limit=100')
    const suspended = body.data.find(({ type }: { type: string }) => type === 'MemberSuspended')
    expect(suspended.actor, JSON.stringify(suspended)).to.equal('mira')
    expect(suspended.data.reason).to.equal('The laptop was lost.')
  })

  it('join by invitation, and are refused once they are removed, or never were members', async () => {
    const nia = await app.clientOf('bluebird', 'viewer', 'nia')
    await done(mira, 'PUT', '/kbs/outsiders', { outsiders: 'refused', reason })
    expect(codeOf(await get(nia, '/koff/notes'))).to.equal('not_a_member')
    await done(mira, 'POST', '/kbs/invitations', { user: 'nia', roles: ['contributor'], until: FAR, reason })
    expect(codeOf(await get(nia, '/koff/notes'))).to.equal('forbidden')
    expect((await explained('subject=nia&permission=office.notes.read')).why).to.equal('invited')
    await done(nia, 'POST', '/kbs/invitations/nia/accept')
    expect(codeOf(await send(nia, 'POST', '/koff/notes', { title: 'Nia' }))).to.equal(201)
    await done(mira, 'DELETE', '/kbs/members/nia', { reason })
    expect(codeOf(await get(nia, '/koff/notes'))).to.equal('not_a_member')
    expect(codeOf(await send(jon, 'DELETE', '/kbs/members/mira'))).to.equal('forbidden')
    expect(codeOf(await send(mira, 'DELETE', '/kbs/members/mira'))).to.equal('organization_needs_administrator')
  })

  it('ask about themselves, and about others with the permission', async () => {
    expect((await explained('subject=jon&permission=office.notes.read', jon)).decision).to.equal('allowed')
    expect(codeOf(await get(jon, '/kbs/access/explain?subject=mira&permission=office.notes.read'))).to.equal(
      'forbidden',
    )
    expect(codeOf(await get(jon, '/kbs/access/explain?subject=jon&permission=nothing.at.all'))).to.equal(
      'invalid_parameter',
    )
    const away = await app.clientOf('elsewhere', 'organization-admin', 'mira')
    expect((await explained('subject=jon&permission=office.notes.read', away)).decision).to.equal('by_token')
  })
})
