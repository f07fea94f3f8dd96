import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

describe('roles in an item', () => {
  let app: App
  let client: Client
  let position = '0'

  before(async () => {
    app = await startApp({ worker: true })
    client = await app.clientOf('portfolio', 'team-member', 'mira')
    await give(201, 'POST', '/kbfc/items', { id: 'brands', name: 'Brands' })
  })
  after(() => app.close())

  async function give(status: number, method: string, path: string, body?: unknown, by = client) {
    const answer = await by.call(method, `/api/v1${path}`, { ...(body !== undefined && { body }) })
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).to.equal(status)
    position = answer.headers['kogi-position'] === undefined ? position : String(answer.headers['kogi-position'])
    return answer.body
  }
  async function ask(path: string) {
    const { status, body } = await client.call('GET', `/api/v1${path}?at_least=${position}&wait=20000`)
    expect(status, `${path} ${JSON.stringify(body)}`).to.equal(200)
    return body
  }

  it('decide who changes what belongs to it', async () => {
    const jon = await app.clientOf('portfolio', 'team-member', 'jon', ['design'])
    await give(201, 'POST', '/kbfc/items', { id: 'menu', name: 'Menu' })
    await give(201, 'POST', '/kbfc/workspaces', { id: 'kitchen', name: 'Kitchen', item: 'menu' })
    await give(201, 'POST', '/kbfc/binders', { id: 'dishes', name: 'Dishes', workspace: 'kitchen' })
    await give(200, 'PUT', '/kbfc/items/menu/book', { charter: 'Soup.' })
    const changes: readonly [method: string, path: string, body: object][] = [
      ['PUT', '/kbfc/items/menu/book', { charter: 'Soup and bread.' }],
      ['PUT', '/kbfc/items/menu/book/parts/note-1', { kind: 'note', content: 'More salt.' }],
      ['POST', '/kbfc/items/menu/book/restore', { version: 1 }],
      ['PUT', '/kbfc/items/menu/parent', { parent: 'brands' }],
      ['PUT', '/kbfc/items/cart/parent', { parent: 'menu' }],
      ['PATCH', '/kbfc/workspaces/kitchen', { name: 'Kitchens' }],
      ['POST', '/kbfc/workspaces', { id: 'cellar', name: 'Cellar', item: 'menu' }],
      ['PATCH', '/kbfc/binders/dishes', { name: 'All dishes' }],
      ['DELETE', '/kbfc/binders/dishes', {}],
    ]
    await give(201, 'POST', '/kbfc/items', { id: 'cart', name: 'Cart' }, jon)
    await give(200, 'PUT', '/kbfc/items/menu/shares', { kind: 'team', with: 'design', role: 'reader' })
    for (const [method, path, body] of changes.filter(([, path]) => !path.endsWith('restore'))) {
      expect((await give(422, method, path, body, jon)).error.code, path).to.equal('item_not_yours')
    }
    // Also what would change nothing: the answer would tell what is there.
    await give(422, 'PUT', '/kbfc/items/menu/book', { charter: 'Soup.' }, jon)
    await give(200, 'PUT', '/kbfc/items/menu/editing', { editing: 'restricted' })
    await give(200, 'PUT', '/kbfc/items/menu/shares', { kind: 'team', with: 'design', role: 'editor' })
    const eve = await app.clientOf('portfolio', 'team-lead', 'eve')
    for (const [method, path, body] of changes) {
      if (!path.endsWith('restore')) await give(422, method, path, body, eve)
      await give(method === 'DELETE' ? 204 : path.endsWith('workspaces') ? 201 : 200, method, path, body, jon)
    }
    await give(422, 'POST', '/kbfc/items/menu/book/restore', { version: 2 }, eve)
    for (const id of ['menu', 'cart']) await give(204, 'DELETE', `/kbfc/items/${id}`)
  })

  it('are those of teams also where a process places a new item', async () => {
    const jon = await app.clientOf('portfolio', 'team-member', 'jon', ['design', ' outer ', 'a\u0000b'])
    const placed = async (id: string) => {
      await give(201, 'POST', '/kbfc/items', { id, name: id, parent: 'shelf' }, jon)
      for (let tries = 0; tries < 200; tries++) {
        const { status, body } = await client.call('GET', `/api/v1/kbfc/items/${id}`)
        if (status === 200 && body.data.parent) return 'placed'
        if (status === 200 && body.data.revision !== '0') return 'refused'
        await new Promise(resolve => setTimeout(resolve, 50))
      }
      return 'neither placed nor refused'
    }
    await give(201, 'POST', '/kbfc/items', { id: 'shelf', name: 'Shelf' })
    await give(200, 'PUT', '/kbfc/items/shelf/shares', { kind: 'team', with: 'design', role: 'reader' })
    expect(await placed('jar')).to.equal('refused')
    await give(200, 'PUT', '/kbfc/items/shelf/editing', { editing: 'restricted' })
    await give(200, 'PUT', '/kbfc/items/shelf/shares', { kind: 'team', with: 'design', role: 'editor' })
    expect(await placed('cup')).to.equal('placed')
  })

  it('let its owners alone make it anew, and nobody else has a share in it then', async () => {
    const jon = await app.clientOf('portfolio', 'team-member', 'jon')
    await give(201, 'POST', '/kbfc/items', { id: 'stall', name: 'Stall' })
    await give(200, 'PUT', '/kbfc/items/stall/shares', { with: 'jon', role: 'editor' })
    await give(204, 'DELETE', '/kbfc/items/stall', undefined, jon)
    const refused = await give(422, 'POST', '/kbfc/items', { id: 'stall', name: 'Mine' }, jon)
    expect(refused.error.code).to.equal('item_not_yours')
    await give(201, 'POST', '/kbfc/items', { id: 'stall', name: 'Stall anew' })
    expect((await ask('/kbfc/items/stall/shares')).data).to.deep.equal([])
    await give(204, 'DELETE', '/kbfc/items/stall')
  })
})
