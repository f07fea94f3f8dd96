/** Museum records with long titles as portfolio items: stored whole, and found with and without accents. */
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { type Client, inLanes } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, commandsOf, visible } from './checks.ts'
import { dataSet } from './data-sets.ts'

type Artwork = { readonly acno: string; readonly title: string; readonly classification: string | null }

const withoutAccents = (text: string) => text.normalize('NFD').replaceAll(/\p{M}/gu, '')

describe('tate_items: artworks as portfolio items', function () {
  const set = dataSet(this, 'tate_items', 'items.jsonl')
  const lines = set.oracle ? set.text('items.jsonl').trimEnd().split('\n') : []
  const artworks: Artwork[] = lines.map(line => JSON.parse(line))
  let system: System
  let client: Client

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('tate')
    const command = commandsOf(client)
    await command('POST', '/api/v1/kbfc/briefcases', 'tate', { id: 'tate', name: 'Tate' })
    let position = 0n
    await inLanes(artworks, 32, async ({ acno, title, ...metadata }) => {
      const tags = metadata.classification ? [metadata.classification.slice(0, 64)] : []
      const body = { id: acno, briefcase: 'tate', type: 'asset', name: title, tags, metadata }
      const answer = await command('POST', '/api/v1/kbfc/items', acno, body)
      expect(answer.status, JSON.stringify(answer.body)).to.equal(201)
      const at = BigInt(answer.headers['kogi-position'] as string)
      if (at > position) position = at
    })
    await visible(client, position)
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  it('keeps every record whole', async () => {
    const items = (await allRows(client, '/api/v1/kbfc/items?briefcase=tate')) as unknown as {
      id: string
      name: string
      metadata: object
    }[]
    expect(items).to.have.length(set.oracle.items)
    const byId = new Map(items.map(item => [item.id, item]))
    for (const { acno, title, ...metadata } of artworks) {
      expect(byId.get(acno)).to.deep.include({ name: title, metadata })
    }
    const acnos = items.map(({ id }) => id).sort()
    expect(Math.max(...items.map(({ name }) => [...name].length))).to.equal(set.oracle.longest_title)
    const hash = createHash('sha256').update(acnos.join('\n')).digest('hex')
    const ended = createHash('sha256')
      .update(`${acnos.join('\n')}\n`)
      .digest('hex')
    expect([hash, ended]).to.include(set.oracle.sha256_acno)
  })

  it('counts them by what they are', async () => {
    const { body } = await client.call('GET', '/api/v1/kbfc/catalog?briefcase=tate&limit=1')
    expect(body.data.total).to.equal(set.oracle.items)
    const counts = new Map(body.data.facets.tags.map(({ value, count }: never) => [value, count]))
    for (const [name, count] of Object.entries(set.oracle.classifications))
      expect(counts.get(name), name).to.equal(count)
  })

  it('finds every title that is not ASCII, with and without its accents', async () => {
    const titles = artworks.filter(({ title }) => /[^\0-\x7f]/.test(title))
    expect(titles).to.have.length(set.oracle.non_ascii_titles)
    // Fewer than one organization may read at once: none waits for a place, and is refused where that lasts too long.
    await inLanes(titles, 4, async ({ acno, title }) => {
      for (const words of new Set([title, withoutAccents(title), title.toUpperCase()])) {
        const { status, body } = await client.call(
          'GET',
          `/api/v1/kbfc/catalog?limit=500&q=${encodeURIComponent(words)}`,
        )
        expect(status).to.equal(200)
        expect(
          body.data.items.map(({ id }: { id: string }) => id),
          words,
        ).to.include(acno)
      }
    })
  })

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})
