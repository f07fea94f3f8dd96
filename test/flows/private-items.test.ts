/** What is private is shown to its readers alone, whatever is asked for. */
import { expect } from 'chai'
import fc from 'fast-check'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { guards, projections } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool } from '../../infra/postgres.ts'
import { senderRows } from '../../infra/webhooks/rows.ts'
import { CHECKPOINTS } from '../../projections/ownership/tables.ts'
import { toldOf } from '../../read-api/live/announced.ts'
import { frontierSql } from '../../read-api/live/statements.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const BOUNDARY = 'a-boundary'
const HEAD = 'Content-Disposition: form-data; name="file"; filename="canary.txt"'
const FORM = `--${BOUNDARY}\r\n${HEAD}\r\n\r\nThe canary sings.\r\n--${BOUNDARY}--\r\n`
const multipart = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }
const ORG = 'aviary'

/** The category of a private thing. */
const categoryOf = (id: string, file: string) =>
  /binder|gone/.test(id) ? 'binder' : id === 'canary-cage' ? 'workspace' : id === file ? 'file' : 'item'

type Operation = { readonly parameters?: readonly { name: string; in: string; schema: { enum?: readonly string[] } }[] }

describe('private items', function privacy() {
  this.timeout(60_000)
  let app: App
  let mira: Client
  let position = '0'
  let file = ''

  before(async () => {
    app = await startApp({ worker: true })
    mira = await app.clientOf(ORG, 'team-member', 'mira')
    await give('POST', '/kbfc/items', {
      id: 'canary-item',
      name: 'Canary',
      privacy: 'private',
      metadata: { a: 'canary' },
    })
    await give('POST', '/kbfc/items', { id: 'sparrow', name: 'Sparrow', parent: 'canary-item' })
    await give('POST', '/kbfc/items', { id: 'canary-egg', name: 'Canary egg', type: 'canary', parent: 'sparrow' })
    await give('PUT', '/kbfc/items/canary-egg/privacy', { privacy: 'private' })
    await give('PATCH', '/kbfc/items/canary-item', { name: 'Canary bird', tags: ['canary'] })
    await give('PUT', '/kbfc/items/canary-item/book', { charter: 'The canary charter.' })
    await give('PUT', '/kbfc/items/canary-item/book', { charter: 'The canary charter, again.' })
    await give('PUT', '/kbfc/items/canary-item/value', { amount: '987654321', currency: 'EUR', note: 'canary' })
    await give('PUT', '/kbfc/items/canary-item/shares', { kind: 'team', with: 'canary-keepers', role: 'reader' })
    await give('POST', '/kbfc/workspaces', { id: 'canary-cage', name: 'Canary cage', item: 'canary-item' })
    await give('POST', '/kbfc/binders', { id: 'canary-binder', name: 'Canary binder', workspace: 'canary-cage' })
    await give('POST', '/kbfc/binders', { id: 'canary-gone', name: 'Canary, gone', workspace: 'canary-cage' })
    await give('DELETE', '/kbfc/binders/canary-gone')
    file = await upload()
    await give('DELETE', `/kbfc/files/${await upload()}`)
    await give('DELETE', '/kbfc/items/canary-egg')
  })
  after(() => app.close())

  async function give(method: string, path: string, body?: unknown, by = mira) {
    const answer = await by.call(method, `/api/v1${path}`, { ...(body !== undefined && { body }) })
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).to.be.below(300)
    // A share that is there already is answered with the position of the item's last change, before those of others.
    const written = BigInt(String(answer.headers['kogi-position'] ?? position))
    if (written > BigInt(position)) position = String(written)
    return answer.body
  }
  async function upload(): Promise<string> {
    const { body, headers } = await mira.call('POST', '/api/v1/kbfc/items/canary-item/files', {
      raw: FORM,
      headers: multipart,
    })
    position = String(headers['kogi-position'])
    return body.data.id
  }
  async function ask(by: Client, path: string, status = 200) {
    const url = `/api/v1${path}${path.includes('?') ? '&' : '?'}at_least=${position}&wait=20000`
    const answer = await by.call('GET', url)
    expect(answer.status, `${path} ${JSON.stringify(answer.body)}`).to.equal(status)
    return answer.body
  }

  /** Every GET of the API, with every private thing in the place of each parameter: those whose answers name one. */
  async function singing(by: Client): Promise<ReadonlySet<string>> {
    const { paths } = (await by.call('GET', '/openapi.json')).body as {
      paths: Record<string, { get?: Operation }>
    }
    const ids = [
      'canary-item',
      'canary-egg',
      'canary-cage',
      'canary-binder',
      'canary-gone',
      'sparrow',
      file,
      'portfolio',
    ]
    const found = new Set<string>()
    let asked = 0
    for (const [path, { get }] of Object.entries(paths)) {
      if (!get || path === '/events') continue
      const names = (get.parameters ?? []).filter(each => each.in === 'query').map(({ name }) => name)
      const queries = ['', ...(names.includes('q') ? ['q=canary'] : [])]
      if (names.includes('by'))
        queries.push(`by=${get.parameters!.find(({ name }) => name === 'by')!.schema.enum?.[0] ?? 'owner'}`)
      if (names.includes('below')) queries.push('below=canary-item', 'below=sparrow')
      if (names.includes('as_of')) queries.push(`as_of=${position}`)
      if (names.includes('proof')) queries.push('proof=true')
      if (names.includes('version')) queries.push('version=1')
      if (names.includes('from') && path.includes('diff')) queries.push('from=1&to=2')
      if (names.includes('total')) queries.push('total=true&limit=100')
      for (const id of path.includes('{') ? ids : ['']) {
        const known = { on: new Date().toISOString().slice(0, 10), part: 'charter', category: categoryOf(id, file) }
        const filled = path.replaceAll(/\{(on|part|category)\}/g, (_, name: keyof typeof known) => known[name])
        for (const query of queries) {
          const url = `/api/v1${filled}`.replaceAll(/\{[^}]+\}/g, id) + (query && `?${query}`)
          const { status, body } = await by.call('GET', url)
          asked += 1
          const text = JSON.stringify(body)
          expect(status, url + text).to.not.equal(500)
          if (status < 300 && /canary|987654321/i.test(text)) found.add(`${path} ${query.split('=')[0]}`.trim())
        }
      }
    }
    expect(asked).to.be.greaterThan(300)
    return found
  }

  it('stand in no answer for somebody they are not shared with', async () => {
    for (const path of ['/kbfc/items', '/kbfc/files', '/kse/memories/search?q=canary']) await ask(mira, path)
    const eve = await app.clientOf(ORG, 'team-lead', 'eve', ['canary-watchers'])
    expect([...(await singing(eve))]).to.deep.equal([])
    const owner = await singing(mira)
    const expected = [
      '/kbfc/items',
      '/kbfc/items/{id}',
      '/kbfc/files/{id}',
      '/kbfc/files/{id}/content',
      '/kbfc/archive',
    ]
    expected.push('/kbfc/items/{id}/book', '/kbfc/items/{id}/values', '/kbfc/value')
    expected.push('/kbfc/catalog', '/kbfc/dashboard', '/kbfc/workspaces', '/kbfc/binders/{id}', '/kbfc/item-places')
    expected.push('/khub/activity', '/kbfc/items/{id}/shares', '/kbfc/item-books', '/kbfc/versions/{category}/{id}')
    const seen = new Set([...owner].map(path => path.split(' ')[0]!))
    expect(expected.filter(path => !seen.has(path))).to.deep.equal([])
    expect([...owner]).to.include('/kse/memories/search q')
    const keeper = await app.clientOf(ORG, 'viewer', 'kim', ['canary-keepers'])
    expect((await ask(keeper, '/kbfc/items/canary-item')).data.name).to.equal('Canary bird')
    await ask(keeper, '/kbfc/items/canary-egg', 404)
    const auditor = await app.clientOf(ORG, 'auditor', 'ada')
    for (const id of ['canary-item', 'canary-egg']) await ask(auditor, `/kbfc/items/${id}`)
  })

  it('are changed by nobody else either, and become readable when they are opened', async () => {
    const eve = await app.clientOf(ORG, 'team-lead', 'eve')
    for (const [method, path, body] of [
      ['PATCH', '/kbfc/items/canary-item', { name: 'Mine' }],
      ['PUT', '/kbfc/items/canary-item/book', { charter: 'Mine' }],
      ['PUT', '/kbfc/items/canary-item/privacy', { privacy: 'organization' }],
      ['PATCH', '/kbfc/binders/canary-binder', { name: 'Mine' }],
      ['POST', '/kbfc/versions/item/canary-item/restore', { revision: '0' }],
      ['POST', '/kbfc/versions/binder/canary-binder/restore', { revision: '0' }],
    ] as const) {
      const { status, body: answer } = await eve.call(method, `/api/v1${path}`, { body })
      expect([status, answer.error.code], path).to.deep.equal([422, 'item_not_yours'])
    }
    await give('PUT', '/kbfc/items/canary-item/privacy', { privacy: 'organization' })
    expect((await ask(eve, '/kbfc/items/canary-item/book')).data).to.not.equal(undefined)
    await give('PUT', '/kbfc/items/canary-item/privacy', { privacy: 'private' })
    await ask(eve, '/kbfc/items/canary-item/book', 404)
    await ask(eve, `/kbfc/items/canary-item?as_of=${position}`, 404)
  })

  it('come to live clients and webhooks of their readers alone', async () => {
    await give('POST', '/kbfc/items', { id: 'last-one', name: 'Last' })
    const told = async (subject: string, teams: readonly string[] = []) => {
      const token = await issueToken(app.config, { org: ORG, subject, roles: ['team-member'], teams, ttlSeconds: 600 })
      const stop = new AbortController()
      const { body } = await fetch(`${app.url}/api/v1/events?after=0`, {
        headers: { authorization: `Bearer ${token}` },
        signal: stop.signal,
      })
      let text = ''
      for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
        text += chunk
        if (text.includes('last-one')) break
      }
      stop.abort()
      return text
    }
    const everything = await told('mira')
    const open = await told('eve')
    expect(everything).to.contain('canary-item').and.contain('sparrow').and.contain('canary-binder')
    expect(open).to.contain('sparrow').and.not.contain('canary')
    expect(await told('kim', ['canary-keepers']))
      .to.contain('canary-item')
      .and.not.contain('canary-egg')
  })

  it('are sent to webhooks of who reads them by name, or reads all', async () => {
    await ask(mira, '/kbfc/items')
    const pool = createPool({ url: app.urls.databaseUrl, name: 'read', log: silentLog, max: 1 })
    try {
      const rows = senderRows(pool, projections, guards)
      const { events } = (await rows.news(new Map([[ORG, 0n]]))).get(ORG)!
      const sent = async (owner: string, grants = ['briefcase.items.read']) => {
        const endpoint = { org: ORG, id: 'hook', owner, upto: 0n, notifiedUpto: 0n, isToldOfNotifications: false }
        return (await rows.openTo(endpoint, grants, events)).map(event => toldOf(event, false)).join()
      }
      expect(await sent('eve'))
        .to.contain('sparrow')
        .and.not.match(/canary-(item|egg|cage|binder|gone)/)
      expect(await sent('mira'))
        .to.contain('canary-item')
        .and.contain('canary-gone')
      expect(await sent('ada', ['audit.log.read'])).to.contain('canary-egg')
      // What the scope `briefcase:*` of any token stands for.
      expect(await sent('eve', ['briefcase.*'])).to.not.match(/canary-(item|egg|cage|binder|gone)/)
    } finally {
      await pool.end()
    }
  })

  it('are announced to nobody before the rows that say who reads them', async () => {
    const pool = createPool({ url: app.urls.databaseUrl, name: 'read', log: silentLog, max: 1 })
    try {
      // A table of the connection takes the place of the real one.
      await pool.query(
        `create temp table ${CHECKPOINTS} (projection text, version int, bucket int, state text, position bigint)`,
      )
      for (const { name, version } of projections) {
        await pool.query(`insert into ${CHECKPOINTS} values ($1, $2, 0, 'running', 50)`, [name, version])
      }
      const upto = async (stalled: string) => {
        await pool.query(
          `update ${CHECKPOINTS} set state = case projection when $1 then 'stalled' else 'running' end,
            position = case projection when $1 then 20 else 50 end`,
          [stalled],
        )
        return (await pool.query(frontierSql(projections), [0])).rows[0].position
      }
      expect([await upto('budgets'), await upto('items'), await upto('item_files')]).to.deep.equal([50n, 20n, 20n])
    } finally {
      await pool.end()
    }
  })

  it('are counted, paged and summed up as if there were no others', async () => {
    const people = ['ann', 'ben', 'cat'] as const
    const teams = ['red', 'blue'] as const
    const share = fc.record({ kind: fc.constantFrom('user', 'team'), at: fc.nat(2), item: fc.nat(7) })
    const seed = Date.now()
    const [shares] = fc.sample(fc.array(share, { minLength: 6, maxLength: 12 }), { numRuns: 1, seed })
    const readers = new Map<string, Set<string>>()
    const org = 'random'
    const owner = await app.clientOf(org, 'team-member', 'owner')
    for (let n = 0; n < 8; n += 1) {
      const privacy = n % 3 === 0 ? 'organization' : 'private'
      await give('POST', '/kbfc/items', { id: `item-${n}`, name: `Thing ${n}`, type: 'asset', privacy }, owner)
      readers.set(`item-${n}`, new Set(['user owner', ...(privacy === 'private' ? [] : ['all'])]))
    }
    for (const { kind, at, item } of [...shares!, shares![0]!]) {
      const grantee = kind === 'user' ? people[at]! : teams[at % 2]!
      await give('PUT', `/kbfc/items/item-${item}/shares`, { kind, with: grantee, role: 'reader' }, owner)
      readers.get(`item-${item}`)!.add(`${kind} ${grantee}`)
    }
    for (const person of people) {
      const own = person === 'ann' ? ['red'] : person === 'ben' ? ['red', 'blue'] : []
      const names = new Set(['all', `user ${person}`, ...own.map(team => `team ${team}`)])
      const expected = [...readers].filter(([, of]) => [...of].some(name => names.has(name))).map(([item]) => item)
      const by = await app.clientOf(org, 'team-member', person, own)
      const paged: string[] = []
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page = await ask(by, `/kbfc/items?limit=2&total=true${after && `&after=${after}`}`)
        paged.push(...page.data.map(({ id }: { id: string }) => id))
        expect(page.pagination.total, `${person}, seed ${seed}`).to.equal(expected.length)
        after = page.pagination.next
      }
      expect(paged, `${person}, seed ${seed}`).to.deep.equal(expected)
      const [group] = (await ask(by, '/kbfc/items/summary?by=type')).data
      expect(group.count, `${person}, seed ${seed}`).to.equal(expected.length)
      const found: string[] = []
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page = await ask(
          by,
          `/kse/memories/search?q=thing&limit=2${after && `&after=${encodeURIComponent(after)}`}`,
        )
        found.push(...page.data.map(({ subject }: { subject: string }) => subject))
        after = page.pagination.next
      }
      expect(found.sort(), `${person}, seed ${seed}`).to.deep.equal(expected)
    }
  })
})
