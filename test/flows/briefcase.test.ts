import { expect } from 'chai'
import { silentLog } from '../../infra/log.ts'
import { createPool } from '../../infra/postgres.ts'
import { itemValues } from '../../projections/briefcase/item-values.ts'
import { items } from '../../projections/briefcase/items.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

describe('a portfolio', () => {
  let app: App
  let client: Client
  let position = '0'

  before(async () => {
    app = await startApp({ worker: true })
    client = await app.clientOf('portfolio', 'team-member', 'mira')
    await give(201, 'POST', '/kbfc/briefcases', { id: 'studio', name: 'Studio Mira' })
  })
  after(() => app.close())

  async function give(status: number, method: string, path: string, body?: unknown, by = client) {
    const answer = await by.call(method, `/api/v1${path}`, { ...(body !== undefined && { body }) })
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).to.equal(status)
    position = answer.headers['kogi-position'] === undefined ? position : String(answer.headers['kogi-position'])
    return answer.body
  }
  async function ask(path: string, by = client) {
    const mark = path.includes('?') ? '&' : '?'
    const { status, body } = await by.call('GET', `/api/v1${path}${mark}at_least=${position}&wait=20000`)
    expect(status, `${path} ${JSON.stringify(body)}`).to.equal(200)
    return body
  }
  const until = async (path: string, holds: (body: { data: never }) => boolean) => {
    for (let tries = 0; tries < 200; tries++) {
      const answer = await client.call('GET', `/api/v1${path}`)
      if (answer.status === 200 && holds(answer.body)) return answer.body
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    return expect.fail(`${path} never came to be so`)
  }

  it('is reached under the paths and names of the platform', async () => {
    await give(201, 'POST', '/briefcase/items', {
      id: 'bakery',
      name: 'Bäckerei',
      briefcase_id: 'studio',
      type: 'project',
    })
    await give(200, 'PUT', '/kbfc/item/bakery', { name: 'Bäckerei Blüm', briefcase: 'studio', description: 'A shop.' })
    const { data } = await ask('/kbfc/item/bakery')
    expect(data).to.include({ id: 'bakery', briefcase_id: 'studio', owner_id: 'mira', version: '1', status: 'draft' })
    expect(data.created_at).to.equal(data.added_at)
    expect((await ask('/briefcase/items?type=project&status=draft&limit=20&offset=0')).data).to.have.length(1)
    expect((await ask('/briefcase')).data).to.include({ id: 'studio', name: 'Studio Mira', owner_id: 'mira' })
  })

  it('refuses a move that the lifecycle does not have, and names those that it has', async () => {
    const { error } = await give(422, 'PUT', '/kbfc/items/bakery/status', { status: 'completed' })
    expect(error).to.deep.include({ code: 'item_status_not_allowed' })
    expect(error.details).to.deep.equal([{ field: 'allowed', message: 'active, cancelled' }])
    await give(200, 'PUT', '/kbfc/items/bakery/status', { status: 'active' })
  })

  it('is a tree, in which nothing stands below itself, whoever moves what at the same time', async () => {
    for (const id of ['brands', 'food']) await give(201, 'POST', '/kbfc/items', { id, name: id, type: 'sub-portfolio' })
    await give(200, 'PUT', '/kbfc/items/food/parent', { parent: 'brands' })
    await give(200, 'PUT', '/kbfc/items/bakery/parent', { parent: 'food' })
    expect((await ask('/kbfc/items/bakery')).data.parent).to.equal('food')
    const refused = await give(422, 'PUT', '/kbfc/items/brands/parent', { parent: 'bakery' })
    expect(refused.error.code).to.equal('item_below_itself')
    expect((await give(422, 'PUT', '/kbfc/items/brands/parent', { parent: 'none' })).error.code).to.equal(
      'reference_unknown',
    )
    const catalog = (await ask('/kbfc/catalog?below=brands')).data
    expect(catalog.items.map(({ id }: { id: string }) => id)).to.have.members(['food', 'bakery'])
    expect((await ask('/kbfc/catalog?parent=brands')).data.items).to.have.length(1)
    await give(200, 'PUT', '/kbfc/items/food/parent', { parent: null })
    const moves = [
      client.call('PUT', '/api/v1/kbfc/items/food/parent', { body: { parent: 'brands' } }),
      client.call('PUT', '/api/v1/kbfc/items/brands/parent', { body: { parent: 'food' } }),
    ]
    expect((await Promise.all(moves)).map(({ status }) => status).sort()).to.deep.equal([200, 422])
  })

  it('places a new item below the one that it is added under', async () => {
    await give(201, 'POST', '/kbfc/items', { id: 'logo', name: 'Logo', type: 'asset', parent: 'bakery' })
    await until('/kbfc/items/logo', ({ data }) => (data as { parent: string }).parent === 'bakery')
  })

  it('is worth what its items were worth on a day, in each currency', async () => {
    const value = (id: string, amount: string, on: string, more: object = {}) =>
      give(200, 'PUT', `/kbfc/items/${id}/value`, { amount, currency: 'EUR', on, ...more })
    await value('bakery', '100000', '2026-01-01')
    await value('bakery', '150000', '2026-03-01')
    await value('logo', '5000', '2026-02-01')
    await value('food', '70', '2026-02-01', { currency: 'XAU', places: 2 })
    await value('brands', '12345', '2026-02-01', { places: 4 })
    const on = async (day: string, more = '') => (await ask(`/kbfc/value?on=${day}${more}`)).data
    expect((await on('2025-12-31')).totals).to.deep.equal([])
    expect((await on('2026-01-31')).totals).to.deep.equal([{ currency: 'EUR', places: 2, amount: '100000', items: 1 }])
    const march = await on('2026-03-01')
    expect(march.totals).to.deep.equal([
      { currency: 'EUR', places: 4, amount: '15512345', items: 3 },
      { currency: 'XAU', places: 2, amount: '70', items: 1 },
    ])
    expect(march.by_type).to.deep.include({ type: 'asset', currency: 'EUR', places: 2, amount: '5000', items: 1 })
    expect((await on('2026-03-01', '&below=bakery')).totals[0].amount).to.equal('5000')
    expect((await ask('/kbfc/items/bakery')).data.value).to.deep.equal({
      amount: '150000',
      currency: 'EUR',
      places: 2,
      on: '2026-03-01',
    })
    const before = position
    await give(204, 'DELETE', '/kbfc/items/bakery/values/2026-03-01')
    const { revision } = (await ask('/kbfc/items/bakery')).data
    await give(204, 'DELETE', '/kbfc/items/bakery/values/2026-03-01')
    expect((await ask('/kbfc/items/bakery')).data.revision).to.equal(revision)
    expect((await on('2026-03-01', '&type=project')).totals[0].amount).to.equal('100000')
    expect((await on('2026-03-01', `&type=project&as_of=${before}`)).totals[0].amount).to.equal('150000')
    expect((await ask('/kbfc/items/bakery/values')).data).to.have.length(1)
    expect((await give(422, 'DELETE', '/kbfc/items/logo/values/2000-01-01')).error.code).to.equal('item_value_unknown')
  })

  it('is added up to any length, and in as many groups as an answer can have', async () => {
    const rich = await app.clientOf('rich', 'team-member', 'mira')
    const most = '9'.repeat(38)
    for (const [id, places] of [
      ['a', 0],
      ['b', 0],
      ['c', 30],
    ] as const) {
      await give(201, 'POST', '/kbfc/items', { id, name: id }, rich)
      const value = { amount: most, currency: 'OWN', places, on: '2026-01-01' }
      await give(200, 'PUT', `/kbfc/items/${id}/value`, value, rich)
    }
    const amount = String(2n * BigInt(most) * 10n ** 30n + BigInt(most))
    const { totals } = (await ask('/kbfc/value', rich)).data
    expect(totals).to.deep.equal([{ currency: 'OWN', places: 30, amount, items: 3 }])
    expect((await ask('/kbfc/dashboard', rich)).data.value.totals).to.deep.equal(totals)

    const pool = createPool({ url: app.urls.databaseUrl, name: 'read', log: silentLog, max: 1 })
    const [item, value] = [tableOf(items), tableOf(itemValues)]
    const copied = (table: string, id: string) => `insert into ${table}
      select (jsonb_populate_record(r, jsonb_build_object('${id}', r."${id}" || '-' || n, 'currency', 'X' || n))).*
      from ${table} r, generate_series(1, 10001) n where r.org = 'rich' and r."${id}" = 'a'`
    await pool.query(copied(item, 'id'))
    await pool.query(copied(value, 'item'))
    await pool.end()
    for (const path of ['/kbfc/value', '/kbfc/dashboard']) {
      const { status, body } = await rich.call('GET', `/api/v1${path}`)
      expect([status, body.error?.code], path).to.deep.equal([400, 'invalid_parameter'])
      expect(body.error.message).to.match(/more than 10000 kinds of values.*`type`/)
    }
    expect((await ask('/kbfc/value?type=app', rich)).data.totals).to.deep.equal([])
  })

  it('finds items by words with and without accents, and counts the kinds of what it found', async () => {
    await give(200, 'PATCH', '/kbfc/items/bakery', { tags: ['web', 'food'], metadata: { town: 'Łódź' } })
    for (const words of ['backerei', 'Bäckerei', 'BLUM', 'Blüm', 'lodz', 'backerei blum']) {
      const { data } = await ask(`/kbfc/catalog?q=${encodeURIComponent(words)}`)
      expect(
        data.items.map(({ id }: { id: string }) => id),
        words,
      ).to.deep.equal(['bakery'])
    }
    const { data, pagination } = await ask('/kbfc/catalog?limit=2')
    expect(data).to.include({ total: 4 })
    expect(pagination).to.deep.include({ total: 4, has_more: true })
    expect(data.facets.type).to.deep.equal([
      { value: 'sub-portfolio', count: 2 },
      { value: 'asset', count: 1 },
      { value: 'project', count: 1 },
    ])
    expect(data.facets.tags).to.deep.equal([
      { value: 'food', count: 1 },
      { value: 'web', count: 1 },
    ])
    expect((await ask('/kbfc/catalog?tags=web&type=project,asset')).data.total).to.equal(1)
    expect((await ask('/kbfc/catalog?q=nothingofthekind')).data).to.deep.include({ total: 0, items: [] })
  })

  it('keeps what is archived, and gives it back', async () => {
    await give(204, 'DELETE', '/kbfc/items/logo', { reason: 'Sold' })
    const [archived] = (await ask('/kbfc/archive')).data
    expect(archived).to.include({ id: 'logo', archive_reason: 'Sold', name: 'Logo' })
    expect((await give(422, 'PATCH', '/kbfc/items/logo', { name: 'X' })).error.code).to.equal('item_archived')
    await give(200, 'PUT', '/kbfc/items/logo/restore', {})
    expect((await ask('/kbfc/archive')).data).to.deep.equal([])
  })

  it('is shared by role', async () => {
    const jon = await app.clientOf('portfolio', 'team-member', 'jon')
    await give(422, 'PUT', '/kbfc/items/bakery/shares', { with: 'jon', role: 'owner' }, jon)
    await give(200, 'PUT', '/kbfc/items/bakery/shares', { with: 'jon', role: 'reader' })
    expect((await give(422, 'PATCH', '/kbfc/items/bakery', { name: 'Y' }, jon)).error.code).to.equal('item_not_yours')
    expect((await ask('/kbfc/item-shares?with=jon', jon)).data).to.have.length(1)
    await give(200, 'PUT', '/kbfc/items/bakery/shares', { with: 'jon', role: 'editor' })
    await give(200, 'PUT', '/kbfc/items/bakery/editing', { editing: 'restricted' })
    await give(200, 'PATCH', '/kbfc/items/bakery', { name: 'Bäckerei Blüm' }, jon)
    const eve = await app.clientOf('portfolio', 'team-lead', 'eve')
    await give(422, 'PATCH', '/kbfc/items/bakery', { name: 'Y' }, eve)
    const admin = await app.clientOf('portfolio', 'organization-admin', 'root')
    await give(204, 'DELETE', '/kbfc/items/bakery/shares/user/jon', undefined, admin)
    expect((await ask('/kbfc/items/bakery/shares')).data).to.deep.equal([])
  })

  it('is seen at a glance', async () => {
    const { data } = await ask('/kbfc/dashboard')
    expect(data.items).to.deep.equal({ active: 4, archived: 0 })
    expect(data.by_type[0]).to.deep.equal({ type: 'sub-portfolio', count: 2 })
    expect(data.by_status).to.deep.equal([
      { status: 'draft', count: 3 },
      { status: 'active', count: 1 },
    ])
    expect(data.value.totals).to.have.length(2)
    expect(data.activity).to.have.length(10)
    expect(data.activity[0].text).to.match(/shared the item “Bäckerei Blüm” with jon no more/)
    expect((await ask('/kbfc/dashboard?briefcase=studio&activity=0')).data.items).to.deep.equal({
      active: 1,
      archived: 0,
    })
  })

  it('begins items with what a template says', async () => {
    await give(201, 'POST', '/kbfc/item-templates', {
      id: 'site',
      title: 'Website',
      type: 'app',
      tags: ['web'],
      metadata: { pages: 5 },
    })
    await give(201, 'POST', '/kbfc/items', { id: 'shop', name: 'Shop', template: 'site', metadata: { pages: 7 } })
    const { data } = await ask('/kbfc/items/shop')
    expect(data).to.deep.include({ type: 'app', status: 'draft', tags: ['web'], metadata: { pages: 7 } })
    await give(200, 'PATCH', '/kbfc/item-templates/site', { tags: null, description: null })
    await give(201, 'POST', '/kbfc/items', { id: 'kiosk', name: 'Kiosk', template: 'site' })
    expect((await ask('/kbfc/items/kiosk')).data).to.deep.include({ type: 'app', tags: [] })
    await give(204, 'DELETE', '/kbfc/items/kiosk')
    await give(204, 'DELETE', '/kbfc/items/shop')
    const binder = { id: 'bank', name: 'For the bank', workspace_id: 'desk' }
    await give(201, 'POST', '/kbfc/workspaces', { id: 'desk', name: 'Desk', item_id: 'bakery' })
    const content = [
      { content_type: 'item', content_id: 'bakery' },
      { content_type: 'item', content_id: 'logo' },
    ]
    await give(201, 'POST', '/kbfc/binders', { ...binder, content })
    await give(200, 'PATCH', '/kbfc/binders/bank', { content: content.toReversed() })
    expect((await ask('/kbfc/binders/bank')).data).to.deep.include({
      content: content.toReversed(),
      workspace_id: 'desk',
    })
  })

  it('tells what each version of a thing changed, and gives an earlier one back', async () => {
    await give(201, 'POST', '/kbfc/items', { id: 'sign', name: 'Sign', tags: ['wood'], metadata: { wide: 2 } })
    await give(200, 'PATCH', '/kbfc/items/sign', { name: 'Signs', tags: [], metadata: { wide: null } })
    const { versions, difference } = (await ask('/kbfc/versions/item/sign')).data
    const changes = {
      name: { from: 'Sign', to: 'Signs' },
      tags: { from: ['wood'], to: [] },
      metadata: { from: { wide: 2 }, to: {} },
    }
    expect([versions.length, versions[1].changes, difference]).to.deep.equal([2, changes, changes])
    await give(200, 'POST', '/kbfc/versions/item/sign/restore', { revision: '0' })
    const back = { name: 'Sign', tags: ['wood'], metadata: { wide: 2 }, status: 'draft', revision: '2' }
    expect((await ask('/kbfc/items/sign')).data).to.deep.include(back)
    await give(404, 'POST', '/kbfc/versions/item/sign/restore', { revision: '7' })
    await give(200, 'PATCH', '/kbfc/briefcases/studio', { name: 'Studio' })
    await give(200, 'POST', '/kbfc/versions/briefcase/studio/restore', { revision: '0' })
    expect((await ask('/kbfc/briefcases/studio')).data).to.include({ name: 'Studio Mira', revision: '2' })
    await give(204, 'DELETE', '/kbfc/items/sign')
  })
})
