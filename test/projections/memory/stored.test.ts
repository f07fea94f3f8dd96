import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { indexFolder } from '../../../infra/files/index-folder.ts'
import { OrgIndex } from '../../../projections/memory/follow.ts'
import type { Source } from '../../../projections/memory/held-index.ts'
import { Recall, type Recalled } from '../../../projections/memory/recall/recall.ts'
import { digestOf, snapshotOf } from '../../../projections/memory/recall/snapshot.ts'
import { packed, type RecallState, unpacked } from '../../../projections/memory/recall/stored.ts'
import { type IndexStore, load, store } from '../../../projections/memory/stored-index.ts'
import { randomOf } from '../history.ts'

const WORDS = `invoice urgent cheap client deadline studio travel rechnung dringend die der ist und facturas 東京 会議
  Anna Meier Berlin paid EUR 250.00 2026-03-01 anna@studio.example harbour ships navy fleet`.split(/\s+/)

function memoryOf(random: (n: number) => number, n: number): Recalled {
  const text = (most: number) => Array.from({ length: random(most) }, () => WORDS[random(WORDS.length)]).join(' ')
  return {
    key: `note/${random(80)}`,
    kind: ['note', 'task'][random(2)]!,
    position: BigInt(n),
    at: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
    source: `s${random(4)}`,
    ...(random(2) === 0 && { session: `chat-${random(4)}` }),
    fields: [
      [text(4), 3],
      [text(40), 1],
    ],
    relations: random(4) > 0 ? [] : [{ from: 'name:anna meier', type: 'works in', to: 'name:berlin', memory: 'x' }],
  }
}

const again = (index: Recall) => Recall.of(unpacked('x', Buffer.concat(packed('x', index.state))) as RecallState)

describe('memory: an index between runs', () => {
  it('is loaded as it was stored, answers the same, and goes on the same', () => {
    const random = randomOf(70)
    const index = new Recall()
    let loaded = again(index)
    for (let n = 0; n < 500; n += 1) {
      const memory = memoryOf(random, n)
      for (const each of [index, loaded]) n % 3 === 0 ? each.delete(memory.key) : each.set(memory)
      if (n % 100 > 0) continue
      loaded = again(index)
      expect(snapshotOf(loaded)).to.equal(snapshotOf(index))
      for (const query of ['urgent invoice', 'Anna Meier in Berlin', '東京会議', '"ships navy"', 'harbor inv']) {
        expect(loaded.search(query, { limit: 40 })).to.deep.equal(index.search(query, { limit: 40 }))
      }
    }
    expect(digestOf(loaded)).to.equal(digestOf(index))
  })

  it('holds no word of a memory that was taken out before it was stored', () => {
    const index = new Recall()
    const random = randomOf(71)
    for (let n = 0; n < 50; n += 1) index.set(memoryOf(random, n))
    index.set({ ...memoryOf(random, 99), key: 'secret', fields: [['Zacharias Quill owes zq@quill.example', 1]] })
    const bytes = () => Buffer.concat(packed('x', index.state)).toString('latin1')
    expect(bytes()).to.match(/quill/i)
    index.delete('secret')
    expect(bytes()).to.not.match(/quill|zachar/i)
  })

  it('is of no use where it is damaged, of another org, or of rows of another version', async () => {
    const parts = packed('2 acme', { a: 1 })
    const bytes = Buffer.concat(parts)
    expect(unpacked('2 acme', bytes)).to.deep.equal({ a: 1 })
    expect(unpacked('3 acme', bytes)).to.equal(undefined)
    expect(unpacked('2 other', bytes)).to.equal(undefined)
    for (const at of [0, 31, 32, bytes.length - 1]) {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 1
      expect(unpacked('2 acme', damaged), `byte ${at}`).to.equal(undefined)
    }
    expect(unpacked('2 acme', bytes.subarray(0, 10))).to.equal(undefined)
  })

  it('is stored without memories whose texts are sealed, which it says', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kogi-index-'))
    try {
      const indexes = indexFolder(folder)
      const index = filled()
      const before = index.ranking.size
      const file = await stored(index, indexes)
      expect(file.toString('latin1')).to.not.match(/quill|envelope/i)
      expect(index.ranking.size).to.equal(before)
      const loaded = new OrgIndex({} as Source, 'acme', new Recall())
      await load(loaded, indexes, 'acme', 2)
      expect([loaded.position, loaded.withoutSealed, loaded.hasSealed]).to.deep.equal([7n, 7n, true])
      expect([...loaded.rows.keys()]).to.deep.equal(['note/open'])
      expect(loaded.characters).to.equal('Harbour'.length)
      expect(loaded.ranking.search('harbour').hits.map(({ key }) => key)).to.deep.equal(['note/open'])
      const other = new OrgIndex({} as Source, 'acme', new Recall())
      await load(other, indexes, 'acme', 3)
      expect([other.position, other.rows.size]).to.deep.equal([0n, 0])
      await indexes.remove('acme')
      expect(await readdir(folder)).to.deep.equal([])
      expect(await indexes.read('acme')).to.equal(undefined)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

function filled(): OrgIndex<Recall> {
  const index = new OrgIndex({} as Source, 'acme', new Recall())
  const at = '2026-01-01T00:00:00.000Z'
  const row = (title: string) => ({ kind: 'note', subject: 'x', source: 'x', title, at, position: 7n })
  const remembered = (key: string, text: string): Recalled => ({
    key,
    kind: 'note',
    position: 7n,
    at,
    fields: [[text, 1]],
  })
  index.ranking.set(remembered('note/open', 'Harbour'))
  index.ranking.set(remembered('note/sealed', 'Zacharias Quill'))
  index.rows.set('note/open', row('Harbour'))
  index.rows.set('note/sealed', { ...row('A'), sealed: { text: 'envelope' } as never })
  Object.assign(index, { position: 7n, characters: 7 + 1 + 8, hasSealed: true, taken: 2 })
  return index
}

async function stored(index: OrgIndex<Recall>, indexes: IndexStore): Promise<Buffer> {
  await store(index, indexes, 'acme', 2)
  expect(index.taken).to.equal(0)
  return (await indexes.read('acme'))!
}
