/** Tables and paths that the platform's description names for the briefcase and the center, under those very names. */
import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { AFTER, BEFORE, BOUNDARY, type Sent, TABLES } from '../support/platform-tables.ts'

describe('tables and paths of the platform', () => {
  let app: App
  let client: Client
  let last = '0'
  before(async () => {
    app = await startApp()
    client = await app.clientOf('platform', 'organization-admin', 'mira')
  })
  after(() => app?.close())

  async function send([method, path, body]: Sent) {
    const form = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }
    const sent = typeof body === 'string' ? { raw: body, headers: form } : { body }
    const answer = await client.call(method, `/api/v1${path}`, sent)
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).to.be.within(200, 299)
    last = String(answer.headers['kogi-position'] ?? last)
  }
  async function read(path: string) {
    const { status, body } = await client.call('GET', `/api/v1${path}`, { headers: { 'kogi-min-position': last } })
    expect(status, `${path} ${JSON.stringify(body)}`).to.equal(200)
    return body.data
  }

  for (const [table, { columns, make, read: path }] of Object.entries(TABLES)) {
    it(`has ${table}, with all columns`, async () => {
      const sent = [...(BEFORE[table] ?? []), ...(make ? [make] : []), ...(AFTER[table] ?? [])]
      for (const command of sent) await send(command)
      const [of, list] = path.split(' ')
      const found = await read(of!)
      const rows = list === undefined ? found : found[list]
      const row = Array.isArray(rows) ? rows[0] : (rows.items?.[0] ?? rows)
      expect(row, JSON.stringify(row)).to.include.keys(...columns.split(' '))
      const said = Object.entries(typeof make?.[2] === 'object' ? make[2] : {}).filter(([name]) =>
        columns.split(' ').includes(name),
      )
      for (const [name, value] of said) if (typeof value !== 'object') expect(row[name], name).to.equal(value)
    })
  }

  it('tells the place of a section, what was archived, and ids that name one row', async () => {
    expect(await read('/kbfc/items/shop/book/parts/scope')).to.include({ section_order: 1 })
    const [archived] = await read('/kbfc/archive')
    expect(archived.archived_data).to.deep.include({
      name: 'Shop',
      type: 'project',
      metadata: { pages: 3, sold: null },
    })
    const { items } = await read('/kbfc/catalog?q=shop&search_vector=true')
    expect(items.map(({ search_vector }: { search_vector: string }) => search_vector)).to.deep.equal([
      "'a':2 'shop':1,3",
    ])
    const [dependency] = await read('/kctr/dependencies')
    const [item] = await read('/kctr/backlogs/ideas/items')
    expect([dependency.id, item.id].map(id => /^[0-9a-f]{32}$/.test(id))).to.deep.equal([true, true])
    expect(dependency.id).not.to.equal(item.id)
  })

  it('has the book of an item from its first day on, empty until somebody writes', async () => {
    await send(['POST', '/kbfc/item', { id: 'cart', name: 'Cart' }])
    const book = await read('/briefcase/items/cart/book')
    expect(book).to.include({ id: 'cart', item_id: 'cart', version: 0 })
    expect([book.sections, book.notes, book.references, book.annotations]).to.deep.equal([[], [], [], []])
    expect(await read('/briefcase/items/cart/book/parts')).to.deep.equal([])
    expect(await read('/briefcase/items/cart/book/versions')).to.deep.equal([])
    await send(['PUT', '/briefcase/items/cart/book', { charter: 'Wheels.' }])
    expect(await read('/briefcase/items/cart/book')).to.include({ version: 1, charter: 'Wheels.' })
    await send(['DELETE', '/briefcase/items/cart', { reason: 'sold' }])
    const { archived_data: was } = await read('/briefcase/items/cart')
    expect(was).to.include({ name: 'Cart' }).and.not.have.any.keys('description', 'briefcase')
  })

  it('takes a task with its sprint, and tells the hours that were worked', async () => {
    expect(await read('/kctr/tasks/menu')).to.include({ sprint_id: 'one', actual_hours: 0.5 })
    const [entry] = (await read('/kbfc/binders/bank')).binder_content
    expect(entry).to.include({ binder_id: 'bank', content_type: 'item', content_id: 'shop', content_order: 1 })
  })

  it('answers the paths of the description', async () => {
    await send(['POST', '/kbfc/item', { id: 'van', name: 'Van' }])
    await send(['PUT', '/briefcase/items/van', { name: 'Van', description: 'A red one.' }])
    for (const path of [
      ...['/briefcase', '/briefcase/items?type=project&status=draft&limit=20&offset=0', '/briefcase/items/van'],
      ...['/briefcase/items/van/files', '/kbfc/briefcase', '/kbfc/item/van', '/kctr/center'],
      ...['/kctr/project/app/analytics', '/center/projects', '/center/sprints', '/center/risks', '/center/tasks'],
    ]) {
      await read(path)
    }
    await send(['DELETE', '/briefcase/items/van', {}])
    expect(await read('/kbfc/item/van')).to.include({ state: 'archived', version: '2', description: 'A red one.' })
  })
})
