import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import { memories as memoriesModel } from '../../infra/catalogue.ts'
import { memoryIndex } from '../../projections/memory/index.ts'
import { RankedIndex } from '../../projections/memory/rank.ts'
import { wordsOf } from '../../projections/memory/words.ts'
import { History, randomHistory, randomOf, thing } from './history.ts'
import { freshPool, MemoryLog, reached, startRunner } from './support.ts'

describe('projections: words', () => {
  it('folds accents, case and compatibility forms, and reduces English words to their stem', () => {
    expect(wordsOf('Zürich CAFÉS, naïve ﬁnances running')).to.deep.equal(['zurich', 'cafe', 'naiv', 'financ', 'run'])
    expect(wordsOf('Łódź Straße Ørsted')).to.deep.equal(['lodz', 'strass', 'orst'])
  })

  it('has a word for each character of scripts that write without spaces', () => {
    expect(wordsOf('東京 2026')).to.deep.equal(['東', '京', '2026'])
  })

  it('finds no words in what has none', () => {
    expect(wordsOf('— … !!')).to.deep.equal([])
  })
})

describe('projections: ranking', () => {
  const WORDS = 'invoice tax design review travel hotel laptop client rent coffee'.split(' ')

  it('gives an index that followed changes the answers of one built anew', () => {
    const random = randomOf(31)
    const followed = new RankedIndex()
    const current = new Map<string, string>()
    for (let step = 0; step < 3_000; step += 1) {
      const key = `doc-${random(200)}`
      if (random(4) === 0) {
        followed.delete(key)
        current.delete(key)
        continue
      }
      const text = Array.from({ length: 1 + random(8) }, () => WORDS[random(WORDS.length)]).join(' ')
      followed.set({ key, kind: 'item', fields: [[text, 1]] })
      current.set(key, text)
    }
    const fresh = new RankedIndex()
    for (const [key, text] of [...current].sort()) fresh.set({ key, kind: 'item', fields: [[text, 1]] })
    for (const query of ['tax', 'invoice client', 'coffee rent hotel', 'reviewing designs']) {
      expect(followed.search(query)).to.deep.equal(fresh.search(query))
      expect(followed.search(query).length).to.be.greaterThan(0)
    }
  })

  it('puts the rarer word, the shorter text and the title first', () => {
    const index = new RankedIndex()
    for (let at = 0; at < 10; at += 1) index.set({ key: `common-${at}`, kind: 'item', fields: [['tax report', 1]] })
    index.set({ key: 'rare', kind: 'item', fields: [['yacht report', 1]] })
    index.set({ key: 'long', kind: 'item', fields: [[`yacht ${'word '.repeat(50)}`, 1]] })
    index.set({ key: 'title', kind: 'task', fields: [['yacht', 3]] })
    expect(
      index
        .search('tax yacht')
        .map(({ key }) => key)
        .slice(0, 2),
    ).to.deep.equal(['title', 'rare'])
    expect(index.search('yacht').map(({ key }) => key)).to.deep.equal(['title', 'rare', 'long'])
    expect(index.search('yacht', ['task']).map(({ key }) => key)).to.deep.equal(['title'])
  })
})

const unseal = async (_: string, envelopes: readonly { text: string }[]) => envelopes.map(({ text }) => text)

describe('projections: the memory index', () => {
  it('follows the rows, filters by kind, pages, and keeps orgs apart', async () => {
    const pool = await freshPool()
    const history = new History()
    const item = thing('item', 'acme', 'yacht')
    history.add(item, 'ItemAdded', {
      type: 'asset',
      status: 'draft',
      name: 'Yacht',
      metadata: { port: 'Málaga' },
      owner: 'me',
    })
    const log = new MemoryLog(history.events)
    const runner = startRunner(pool, log)
    const memories = memoryIndex({ pool, memories: memoriesModel, unseal })
    await reached(pool, history.events.at(-1)!.position)
    const found = await memories.search('acme', 'malaga', { limit: 10 })
    expect(found.position).to.equal(history.events.at(-1)!.position)
    expect(found.hits[0]).to.include({ kind: 'item', subject: 'yacht', title: 'Yacht', text: 'Málaga' })
    expect((await memories.search('other', 'malaga', { limit: 10 })).hits).to.deep.equal([])

    log.append(history.add(item, 'ItemUpdated', { name: 'Dinghy' }))
    log.append(history.add(thing('task', 'acme', 'paint'), 'TaskCreated', { name: 'Paint the dinghy', status: 'open' }))
    await reached(pool, history.events.at(-1)!.position)
    const renamed = await memories.search('acme', 'dinghy', { limit: 10 })
    expect(renamed.hits.map(({ subject }) => subject)).to.have.members(['yacht', 'paint'])
    expect((await memories.search('acme', 'yacht', { limit: 10 })).hits).to.deep.equal([])
    expect((await memories.search('acme', 'dinghy', { limit: 10, kinds: ['task'] })).hits).to.have.length(1)
    const [first, second] = renamed.hits
    const page = await memories.search('acme', 'dinghy', { limit: 1, after: first!.place })
    expect(page.hits.map(({ subject }) => subject)).to.deep.equal([second!.subject])
    await runner.close()
  })

  it('reads many rows in pages, shares a turn among searches, and lets others work meanwhile', async () => {
    const pool = await freshPool()
    const history = new History()
    const words = 'invoice tax design review travel hotel'.split(' ')
    for (let at = 0; at < 1_200; at += 1) {
      const description = Array.from({ length: 200 }, (_, n) => `${words[(at + n) % words.length]}${at}`).join(' ')
      history.add(thing('task', 'acme', `task-${at}`), 'TaskCreated', {
        name: `Task ${at}`,
        status: 'open',
        description,
      })
    }
    const runner = startRunner(pool, new MemoryLog(history.events))
    const end = history.events.at(-1)!.position
    await reached(pool, end)
    await runner.close()
    let reads = 0
    const query = ((config: never) => {
      reads += 1
      return pool.query(config)
    }) as never
    const memories = memoryIndex({ pool: { query }, memories: memoriesModel, unseal })
    const others = setInterval(() => (turns += 1), 1)
    let turns = 0
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => memories.search('acme', `tax${at}`, { limit: 10 })),
    )
    clearInterval(others)
    for (const [at, { position, hits }] of answers.entries()) {
      expect(position).to.equal(end)
      expect(hits[0]!.subject).to.equal(`task-${at}`)
    }
    expect(reads).to.equal(3)
    expect(turns).to.be.greaterThan(5)
  })

  it('takes all memories of one event, of which a page of rows may hold a part alone', async () => {
    const pool = await freshPool()
    const history = new History()
    const book = thing('book', 'acme', 'bakery')
    const wordOf = (n: number) => `w${String(n).padStart(3, '0')}`
    const parts = Array.from({ length: 900 }, (_, n) => ({
      part: `p${n}`,
      kind: 'note',
      content: `${wordOf(n)} ${'long '.repeat(n === 7 ? 15_000 : 1)}last`,
    }))
    history.add(thing('item', 'acme', 'bakery'), 'ItemAdded', {
      type: 'app',
      name: 'Bakery',
      owner: 'me',
      metadata: {},
      status: 'draft',
    })
    history.add(book, 'BookEdited', { version: 1, parts, moved: [], removed: [] })
    history.add(thing('book', 'acme', 'shop'), 'BookEdited', { version: 1, parts: [parts[3]!], moved: [], removed: [] })
    const log = new MemoryLog(history.events)
    const runner = startRunner(pool, log)
    const memories = memoryIndex({ pool, memories: memoriesModel, unseal })
    const found = async (words: string) =>
      (await memories.search('acme', words, { limit: 1_000 })).hits.map(({ source, subject }) => `${source} ${subject}`)
    await reached(pool, history.events.at(-1)!.position)
    expect(await found('note')).to.have.length(901)
    for (const n of [0, 499, 500, 501, 899]) expect(await found(wordOf(n))).to.deep.equal([`bakery p${n}`])
    expect(await found('w003')).to.have.members(['bakery p3', 'shop p3'])
    const [long] = (await memories.search('acme', 'w007 last', { limit: 1 })).hits
    expect([long!.subject, long!.text!.length]).to.deep.equal(['p7', 5_000])
    log.append(history.add(book, 'BookEdited', { version: 2, parts: [], moved: [], removed: ['p3'] }))
    await reached(pool, history.events.at(-1)!.position)
    expect(await found('w003')).to.deep.equal(['shop p3'])
    await runner.close()
  })

  it('finds the words of sealed texts while their key is there, and forgets what was removed', async () => {
    const pool = await freshPool()
    const history = new History()
    const note = thing('note', 'acme', 'plan')
    const body = { key: '0b0e7f6a-9a39-4d0b-8f0a-0d6a7f1f9b11', nonce: 'n'.repeat(16), text: 'c'.repeat(22) }
    history.add(note, 'NoteAdded', { title: 'Plan', body, tags: ['d’été'], owner: 'mira' })
    const log = new MemoryLog(history.events)
    const runner = startRunner(pool, log)
    let key = true
    const keys = async (_: string, envelopes: readonly unknown[]) =>
      envelopes.map(() => (key ? 'Quarterly figures' : null))
    const memories = memoryIndex({ pool, memories: memoriesModel, unseal: keys })
    const textsOf = async (query: string) =>
      (await memories.search('acme', query, { limit: 10 })).hits.map(({ text }) => text)
    await reached(pool, history.events.at(-1)!.position)
    expect(await textsOf('figure')).to.deep.equal(['Quarterly figures\nd’été'])
    key = false
    expect(await textsOf('ete')).to.deep.equal(['d’été'])
    memories.drop()
    expect(await textsOf('figure')).to.deep.equal([])
    log.append(history.add(note, 'NoteRemoved', {}))
    await reached(pool, history.events.at(-1)!.position)
    expect(await textsOf('plan ete')).to.deep.equal([])
    await runner.close()
  })

  it('forgets what was sealed under a key that was erased, and not where the key is only missing', async () => {
    const pool = await freshPool()
    const history = new History()
    const bodyOf = (text: string) => ({ key: '0b0e7f6a-9a39-4d0b-8f0a-0d6a7f1f9b11', nonce: 'n'.repeat(16), text })
    for (const id of ['erased', 'missing'])
      history.add(thing('note', 'acme', id), 'NoteAdded', {
        title: id,
        body: bodyOf(id.padEnd(22, 'c')),
        tags: [],
        owner: id,
      })
    const runner = startRunner(pool, new MemoryLog(history.events))
    let count = 0
    const keys = async (_: string, envelopes: readonly { text: string }[]) =>
      envelopes.map(({ text }) => (count === 0 ? 'figures' : text.startsWith('erased') ? null : undefined))
    const memories = memoryIndex({ pool, memories: memoriesModel, unseal: keys, erased: async () => count })
    const found = async () => (await memories.search('acme', 'figures', { limit: 9 })).hits.map(({ title }) => title)
    await reached(pool, history.events.at(-1)!.position)
    expect(await found()).to.have.members(['erased', 'missing'])
    count = 1
    expect(await found()).to.deep.equal(['missing'])
    await runner.close()
  })

  it('takes long texts a few at a time, keeps little of them, and forgets orgs by what they take', async () => {
    const pool = await freshPool()
    const history = new History()
    const content = 'long '.repeat(60_000).trimEnd()
    for (let n = 0; n < 32; n += 1) {
      const parts = [{ part: 'all', kind: 'note', content }]
      const book = thing('book', n < 16 ? 'acme' : 'other', `book-${n}`)
      history.add(book, 'BookEdited', { version: 1, parts, moved: [], removed: [] })
    }
    const runner = startRunner(pool, new MemoryLog(history.events))
    await reached(pool, history.events.at(-1)!.position)
    await runner.close()
    const pages: { readonly from: bigint; readonly characters: number }[] = []
    const query = (async (config: { values: bigint[] }) => {
      const answer: { rows: unknown[] } = await pool.query(config as never)
      const rows = answer.rows as { body: string | null }[]
      pages.push({ from: config.values[4]!, characters: rows.reduce((sum, { body }) => sum + (body?.length ?? 0), 0) })
      return answer
    }) as never
    const options = { pool: { query }, memories: memoriesModel, unseal }
    const indexes = [memoryIndex(options), memoryIndex({ ...options, bytesMax: 250_000 })]
    const beginnings = () => pages.splice(0).filter(({ from }) => from === 0n).length
    for (const [index, begun] of [2, 4].entries()) {
      for (const org of ['acme', 'other', 'acme', 'other']) {
        const { hits } = await indexes[index]!.search(org, 'long', { limit: 30 })
        expect(hits.map(({ text }) => text!.length)).to.deep.equal(Array(16).fill(5_000))
      }
      expect(Math.max(...pages.map(({ characters }) => characters))).to.be.within(300_000, 4_500_000)
      expect(beginnings()).to.equal(begun)
    }
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    pages.length = 0
    collect()
    const full = process.memoryUsage().heapUsed
    for (const index of indexes) index.drop()
    collect()
    // Whole texts would be 19 MB, their first 5,000 characters are 0.3 MB; the heap has up to 5 MB of other things.
    expect(full - process.memoryUsage().heapUsed, 'bytes of two indexes').to.be.lessThan(9_000_000)
  })

  it('answers the same, in the same order, when it is dropped and built anew', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 32, count: 400, orgs: 2 })
    const log = new MemoryLog(events.slice(0, 100))
    const runner = startRunner(pool, log)
    const memories = memoryIndex({ pool, memories: memoriesModel, unseal })
    await reached(pool, events[99]!.position)
    await memories.search('org-0', 'cafe', { limit: 10 })
    for (const event of events.slice(100)) log.append(event)
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    for (const query of ['cafe invoice', 'zurich', '東京 tax', 'rechnung design 2026']) {
      const followed = await memories.search('org-0', query, { limit: 100 })
      memories.drop()
      expect(await memories.search('org-0', query, { limit: 100 })).to.deep.equal(followed)
      expect(followed.hits.length).to.be.greaterThan(0)
    }
  })
})
