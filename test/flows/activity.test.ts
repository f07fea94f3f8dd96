import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

type Row = {
  readonly position: string
  readonly text: string
  readonly category: string
  readonly parts: readonly { readonly text: string; readonly link?: string }[]
}

describe('the activity feed', function () {
  this.timeout(60_000)
  let app: App
  let mira: Client
  let jon: Client
  let last = ''

  const sent = async (client: Client, method: string, path: string, body: object = {}) => {
    const answer = await client.call(method, `/api/v1${path}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.be.within(200, 204)
    last = String(answer.headers['kogi-position'])
  }
  const feed = async (query = '', client = mira) => {
    const answer = await client.call('GET', `/api/v1/khub/activity?at_least=${last}${query}`)
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200)
    return answer.body as { data: Row[]; meta: Record<string, string>; pagination: { next?: string } }
  }
  const texts = async (query = '', client = mira) => (await feed(query, client)).data.map(({ text }) => text)

  before(async () => {
    app = await startApp()
    mira = await app.clientOf('studio', 'organization-admin', 'mira')
    jon = await app.clientOf('studio', 'team-member', 'jon')
    await sent(mira, 'POST', '/kctr/projects', { id: 'bakery', name: 'Bakery' })
    await sent(mira, 'POST', '/kctr/tasks', { id: 'menu/1', name: 'The menu', project: 'bakery', assignee: 'jon' })
    await sent(jon, 'PATCH', '/kctr/tasks/menu%2F1', { name: 'The menu of winter' })
    await sent(jon, 'POST', '/kctr/tasks/menu%2F1/complete', { reason: 'printed' })
    await sent(mira, 'POST', '/kwlt/wallets', { id: 'purse', kind: 'personal', holder: 'Mira Blum' })
    await sent(mira, 'DELETE', '/kctr/tasks/menu%2F1')
  })
  after(() => app?.close())

  it('tells an organization what happened, newest first, under the names of then', async () => {
    expect(await texts()).to.deep.equal([
      'mira removed the task “The menu of winter”',
      'mira opened the personal wallet purse',
      'jon completed the task “The menu of winter”',
      'jon changed the task “The menu of winter”',
      'mira created the task “The menu” in the project “Bakery” for jon',
      'mira added the project “Bakery”',
    ])
  })

  it('links the things that it names', async () => {
    const { data } = await feed()
    const created = data.at(-2)!
    expect(created.parts).to.deep.equal([
      { text: 'mira created the task ' },
      { text: '“The menu”', link: '/api/v1/kctr/tasks/menu%2F1' },
      { text: ' in the project ' },
      { text: '“Bakery”', link: '/api/v1/kctr/projects/bakery' },
      { text: ' for jon' },
    ])
    for (const { text, parts } of data) expect(parts.map(part => part.text).join('')).to.equal(text)
    for (const { link } of data.flatMap(({ parts }) => parts)) {
      if (link && !link.includes('menu')) expect((await mira.call('GET', link)).status, link).to.equal(200)
    }
    expect(JSON.stringify(data), 'what is sealed').not.to.include('Blum')
  })

  it('is of a person, of a thing, of a kind of thing, of a time', async () => {
    expect(await texts('&actor=jon')).to.have.length(2)
    expect(await texts('&category=project&id=bakery')).to.deep.equal(['mira added the project “Bakery”'])
    expect(await texts('&category=task,wallet')).to.have.length(5)
    expect(await texts('&type=TaskCompleted')).to.have.length(1)
    expect(await texts('&at[lt]=2020-01-01')).to.deep.equal([])
  })

  it('goes on by cursor, and is as it was at an earlier position', async () => {
    const whole = await texts()
    const pages: string[] = []
    for (let after = ''; ; ) {
      const { data, pagination } = await feed(`&limit=2${after}`)
      pages.push(...data.map(({ text }) => text))
      if (pagination.next === undefined) break
      after = `&after=${encodeURIComponent(pagination.next)}`
    }
    expect(pages).to.deep.equal(whole)
    const { data } = await feed()
    const then = data[3]!.position
    expect(await texts(`&as_of=${then}`)).to.deep.equal(whole.slice(3))
    const first = await feed(`&as_of=${then}&limit=2`)
    expect(first.meta.as_of).to.equal(then)
    const rest = await texts(`&as_of=${then}&limit=2&after=${encodeURIComponent(first.pagination.next!)}`)
    expect(rest).to.deep.equal(whole.slice(5))
    const broken = await mira.call('GET', `/api/v1/khub/activity?after=${encodeURIComponent(first.pagination.next!)}`)
    expect([broken.status, broken.body.error.code]).to.deep.equal([400, 'invalid_parameter'])
    const beyond = await mira.call('GET', '/api/v1/khub/activity?as_of=9000000000000000000')
    expect([beyond.status, beyond.body.error.code]).to.deep.equal([400, 'as_of_beyond_head'])
  })

  it('tells a caller of what they may read, and nobody of another organization', async () => {
    const guest = await app.clientOf('studio', 'guest', 'gast')
    const seen = await feed('', guest)
    expect(new Set(seen.data.map(({ category }) => category))).to.deep.equal(new Set(['task', 'project']))
    const refused = await guest.call('GET', '/api/v1/khub/activity?category=wallet')
    expect([refused.status, refused.body.error.code]).to.deep.equal([403, 'forbidden'])
    expect(await texts('', await app.clientOf('other', 'organization-admin', 'mira'))).to.deep.equal([])
    expect((await mira.call('GET', '/api/v1/hub/activity')).status, 'the alias').to.equal(200)
    expect((await mira.call('GET', '/api/v1/khub/activity?category=moon')).status).to.equal(400)
  })
})
