import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

describe('the book of an item', () => {
  let app: App
  let client: Client
  let position = '0'
  const path = '/api/v1/kbfc/items/bakery/book'

  before(async () => {
    app = await startApp()
    client = await app.clientOf('books', 'team-member', 'mira')
    const { headers } = await client.call('POST', '/api/v1/kbfc/items', { body: { id: 'bakery', name: 'Bakery' } })
    position = String(headers['kogi-position'])
  })
  after(() => app.close())

  async function give(status: number, method: string, below: string, body?: object, headers = {}) {
    const answer = await client.call(method, path + below, { headers, ...(body && { body }) })
    expect(answer.status, `${method} ${below} ${JSON.stringify(answer.body)}`).to.equal(status)
    position = String(answer.headers['kogi-position'] ?? position)
    return answer
  }
  async function ask(below: string) {
    const mark = below.includes('?') ? '&' : '?'
    const answer = await client.call('GET', `${path}${below}${mark}at_least=${position}&wait=20000`)
    expect(answer.status, `${below} ${JSON.stringify(answer.body)}`).to.equal(200)
    return answer.body.data
  }

  it('is empty until its first edit, where there is the item', async () => {
    expect(await ask('')).to.deep.include({ id: 'bakery', version: 0, sections: [], notes: [] })
    for (const below of ['', '/parts', '/versions']) {
      const none = await client.call('GET', `/api/v1/kbfc/items/nothing/book${below}`)
      expect([none.status, none.body.error.code], below).to.deep.equal([404, 'not_found'])
    }
    const none = await client.call('PUT', '/api/v1/kbfc/items/nothing/book', { body: { charter: 'x' } })
    expect([none.status, none.body.error.code]).to.deep.equal([422, 'reference_unknown'])
    await give(200, 'PUT', '', {
      charter: 'Sell bread.\nAnd cake.\n',
      executive_summary: 'Bread.',
      sections: [
        { id: 'scope', title: 'Scope', content: 'Shop' },
        { id: 'time', title: 'Time', content: 'May' },
      ],
      references: [{ id: 'brief', title: 'The brief', url: 'https://example.com/brief' }],
      annotations: [{ id: 'why', about: 'scope', content: 'Why a shop?' }],
      comment: 'Begun',
    })
    const book = await ask('')
    expect(book).to.include({ id: 'bakery', item_id: 'bakery', version: 1, charter: 'Sell bread.\nAnd cake.\n' })
    expect(book.sections.map((each: object) => JSON.stringify(each)).join()).to.match(/Scope.*"section_order":1.*Time/)
    expect(book.references[0]).to.include({ id: 'brief', url: 'https://example.com/brief' })
    expect(book.annotations[0]).to.include({ about: 'scope' })
    expect((await client.call('GET', '/api/v1/briefcase/items/bakery/book')).body.data).to.deep.equal(book)
  })

  it('is found by the words of its parts', async () => {
    const found = async (words: string) => {
      const search = `/api/v1/kse/memories/search?q=${words}&at_least=${position}&wait=20000`
      const { status, body } = await client.call('GET', search)
      expect(status, JSON.stringify(body)).to.equal(200)
      return body.data.map(({ kind, source, subject }: Record<string, string>) => `${kind} ${source} ${subject}`)
    }
    expect(await found('cake')).to.deep.equal(['book bakery charter'])
    expect(await found('brief')).to.deep.equal(['book bakery brief'])
  })

  it('keeps every version, which can be read, compared and given back', async () => {
    await give(200, 'PUT', '', { charter: 'Sell bread.\nAnd coffee.\n', comment: 'No cake' })
    await give(200, 'PUT', '/parts/time/place', { before: 'scope' })
    await give(204, 'DELETE', '/parts/why')
    await give(200, 'PUT', '/parts/money', { kind: 'section', title: 'Money', content: 'Little', before: 'scope' })
    const now = await ask('')
    expect(now.version).to.equal(5)
    expect(now.sections.map(({ id }: { id: string }) => id)).to.deep.equal(['time', 'money', 'scope'])
    const first = await ask('?version=1')
    expect(first.charter).to.equal('Sell bread.\nAnd cake.\n')
    expect(first.sections.map(({ id }: { id: string }) => id)).to.deep.equal(['scope', 'time'])
    expect(first.annotations).to.have.length(1)
    const changes = await ask('/diff?from=1&to=5')
    const of = (part: string) => changes.parts.find((each: { part: string }) => each.part === part)
    expect(of('charter')).to.include({ change: 'changed', lines_added: 1, lines_removed: 1 })
    expect([of('money').change, of('why').change, of('brief')]).to.deep.equal(['added', 'removed', undefined])
    expect(changes.diff).to.include('-And cake.\n+And coffee.')
    await give(200, 'POST', '/restore', { version: 1, comment: 'Cake after all' })
    const restored = await ask('')
    expect(restored).to.include({ version: 6, restores: 1, comment: 'Cake after all' })
    const {
      version: _,
      updated_at: __,
      revision: ___,
      comment: ____,
      restores: _____,
      edited_by: ______,
      ...said
    } = restored
    const texts = (book: typeof restored) => [
      book.charter,
      book.executive_summary,
      book.sections.map(({ title, content }: { title: string; content: string }) => `${title} ${content}`),
      book.annotations.map(({ content }: { content: string }) => content),
    ]
    expect(texts(said)).to.deep.equal(texts(first))
    expect((await ask('/diff?from=1')).parts).to.deep.equal([])
    await give(404, 'POST', '/restore', { version: 77 })
  })

  it('lists its versions, newest first', async () => {
    const all = await ask('/versions?limit=4')
    expect(all.map(({ version }: { version: number }) => version)).to.deep.equal([6, 5, 4, 3])
    expect(all[0]).to.deep.include({ restores: 1, comment: 'Cake after all', edited_by: 'mira' })
    expect(all[2].removed).to.deep.equal(['why'])
    const { body } = await client.call('GET', `${path}/versions?limit=4`)
    const rest = await client.call('GET', `${path}/versions?limit=4&after=${body.pagination.next}`)
    expect(rest.body.data.map(({ version }: { version: number }) => version)).to.deep.equal([2, 1])
    const { position: then } = all[3]
    expect((await ask(`?as_of=${then}`)).version).to.equal(3)
    expect((await client.call('GET', `${path}?version=99`)).status).to.equal(404)
  })

  it('is edited by one at a time', async () => {
    const { headers } = await client.call('GET', path)
    await give(200, 'PUT', '', { details: 'One' }, { 'If-Match': String(headers.etag) })
    await give(412, 'PUT', '', { details: 'Two' }, { 'If-Match': String(headers.etag) })
  })
})
