/** Indexes over rows: what is forgotten leaves nothing in any leg, and no org sees what another one remembers. */
import { expect } from 'chai'
import type { Sealed } from '../../domain/kernel/schema.ts'
import { guards, memories } from '../../infra/catalogue.ts'
import { OrgIndex } from '../../projections/memory/follow.ts'
import { memoryIndex } from '../../projections/memory/index.ts'
import { Recall } from '../../projections/memory/recall/recall.ts'
import { snapshotOf } from '../../projections/memory/recall/snapshot.ts'
import { searchReadable } from '../../read-api/memory/search.ts'
import { randomOf } from '../projections/history.ts'
import { History, makeWorld, type World } from './support.ts'

const ROUNDS = process.env.KOGI_LONG === '1' ? 10_000 : 60
const ORG = 'north'
const WORDS = 'harbour navy ship Anna Meier Berlin invoice late cheap urgent EUR 250.00 hotel boat plan'.split(' ')

const sealedAs = (text: string): Sealed => ({
  key: '11111111-1111-4111-8111-111111111111',
  nonce: 'n'.repeat(16),
  text: Buffer.from(text).toString('base64url').padEnd(22, 'A'),
})
const stored = (text: string, more: object = {}) => ({
  type: 'general',
  text: sealedAs(text),
  subjects: ['mira'],
  author: 'mira',
  tags: ['red'],
  privacy: 'organization',
  ...more,
})

describe('forgetting, in indexes', () => {
  let world: World
  /** Texts of persons who were erased. */
  const erased = new Set<string>()
  const unseal = async (_: string, envelopes: readonly Sealed[]) =>
    envelopes.map(envelope => {
      const text = Buffer.from(envelope.text, 'base64url').toString()
      return [...erased].some(mark => text.includes(mark)) ? null : text
    })

  before(async () => {
    world = await makeWorld()
  })
  after(() => world.close())
  beforeEach(() => erased.clear())

  const source = () => ({ pool: world.pool as never, memories, unseal, erased: async () => erased.size })
  async function snapshot(index = new OrgIndex(source(), ORG, new Recall())): Promise<string> {
    expect(await index.follow()).to.equal(true)
    return snapshotOf(index.ranking)
  }
  /** The history without the events of a thing, whose others stand where they stood. */
  const without = (history: History, id: string) =>
    Object.assign(new History(), {
      events: history.events.filter(({ metadata }) => metadata.id !== id),
    })

  /** Many memories that share words, sessions, tags and links with the one that goes. */
  function others(seed: number): History {
    const random = randomOf(seed)
    const history = new History().add(ORG, 'note', 'n9', 'NoteAdded', { title: 'Harbour', tags: [], owner: 'mira' })
    for (let n = 0; n < 80; n += 1) {
      const text = Array.from({ length: 3 + random(20) }, () => WORDS[random(WORDS.length)]).join(' ')
      history.add(ORG, 'memory', `m${n}`, 'MemoryStored', stored(text, { session: `s${random(5)}` }))
      if (random(4) === 0) history.add(ORG, 'memory', `m${n}`, 'MemoryTagged', { tags: ['blue'] })
      if (random(4) === 0) {
        history.add(ORG, 'memory', `m${n}`, 'MemoryLinked', { type: 'is about', kind: 'note', to: 'n9' })
      }
    }
    return history
  }
  const secret = 'Zacharias Quill owes EUR 99.00 to Anna Meier, urgent! zq@quill.example'
  const remember = (history: History) =>
    history
      .add(ORG, 'memory', 'secret', 'MemoryStored', stored(secret, { session: 's1', subjects: ['quill'] }))
      .add(ORG, 'memory', 'secret', 'MemoryLinked', { type: 'is about', kind: 'project', to: 'p9' })

  for (const type of ['MemoryForgotten', 'MemoryExpired']) {
    it(`leaves the bytes of an index that never held it, whenever that followed: ${type}`, async () => {
      const history = remember(others(70))
      await world.write(history)
      const live = new OrgIndex(source(), ORG, new Recall())
      expect(await snapshot(live)).to.match(/quill/)
      const data = type === 'MemoryExpired' ? { expiresAt: '2026-01-01T00:00:00.000Z' } : {}
      await world.write(history.add(ORG, 'memory', 'secret', type, data))
      const [after, late] = [await snapshot(live), await snapshot()]
      await world.write(without(history, 'secret'))
      const never = await snapshot()
      expect(after).to.equal(never)
      expect(late).to.equal(never)
      expect(live.rows.has('memory/secret')).to.equal(false)
    })
  }

  it('leaves the same where a person of it was erased', async () => {
    const history = remember(others(71))
    await world.write(history)
    const live = new OrgIndex(source(), ORG, new Recall())
    expect(await snapshot(live)).to.match(/quill/)
    erased.add('Quill')
    const [after, late] = [await snapshot(live), await snapshot()]
    await world.write(without(history, 'secret'))
    const never = await snapshot()
    expect(after).to.equal(never)
    expect(late).to.equal(never)
  })

  it('leaves the same where a link or a tag goes', async () => {
    const history = others(72)
    await world.write(history)
    const before = await snapshot()
    const link = { type: 'is about', kind: 'note', to: 'n1' }
    await world.write(history.add(ORG, 'memory', 'm3', 'MemoryLinked', link))
    const live = new OrgIndex(source(), ORG, new Recall())
    expect(await snapshot(live)).to.match(/note:n1/)
    history.add(ORG, 'memory', 'm3', 'MemoryUnlinked', link)
    await world.write(history)
    const [after, anew] = [await snapshot(live), await snapshot()]
    expect(after).to.equal(anew)
    expect(after).to.not.match(/note:n1/)
    expect(after.length).to.equal(before.length)
  })

  it('keeps two orgs apart that are written and searched at the same time', async () => {
    await world.write(new History())
    const index = memoryIndex(source())
    const orgs = ['north', 'south']
    const random = randomOf(73)
    let position = 1_000n
    const insert = `insert into memories_v${memories.version}
      select * from json_populate_recordset(null::memories_v${memories.version}, $1)`
    const write = async (org: string, round: number) => {
      position += 1n
      const id = `m${round % 500}`
      const traits = { type: org, author: org, tags: [org], subjects: [org], session: 'same', links: [] }
      const text = `${WORDS[random(WORDS.length)]} of ${org} ${WORDS[random(WORDS.length)]}`
      const row = { org, kind: 'memory', subject: id, source: id, sealed_body: sealedAs(text), traits, actor: org }
      await world.pool.query(`delete from memories_v${memories.version} where org = $1 and subject = $2`, [org, id])
      await world.pool.query(insert, [
        JSON.stringify([{ ...row, at: '2026-01-02T03:04:05.678Z', position: String(position) }]),
      ])
      await world.move(position)
    }
    const deps = { pool: world.pool as never, guards, search: index.search }
    const signal = new AbortController().signal
    let hits = 0
    const search = async (org: string) => {
      const principal = { subject: org, org, roles: [], permissions: ['*'] }
      const type = (['text', 'hybrid', 'lexical', 'neural', 'conceptual', 'knowledge'] as const)[random(6)]!
      const words = `${WORDS[random(WORDS.length)]} north south`
      const options = { limit: 10, kinds: ['memory'], type }
      const found = await searchReadable(deps, { principal, signal }, words, options)
      for (const hit of found.hits) {
        expect(hit.traits).to.include({ author: org, type: org })
        expect(hit.text).to.include(`of ${org} `)
        hits += 1
      }
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(orgs.flatMap(org => [write(org, round), search(org)]))
    }
    expect(hits).to.be.above(ROUNDS)
  }).timeout(ROUNDS * 500 + 30_000)
})
