import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { indexFolder } from '../../../infra/files/index-folder.ts'
import type { IndexKey, IndexKeys } from '../../../infra/index-keys.ts'
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

  it('is sealed under a key of its own, without which nothing of it can be read', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kogi-index-'))
    try {
      const keys = someKeys()
      const indexes = indexFolder(folder, keys)
      const index = filled()
      await store(index, indexes, 'acme', source())
      const [name] = await readdir(folder)
      const file = await readFile(path.join(folder, name!))
      expect(file.toString('latin1')).to.not.match(/harbour|quill|note/i)
      const loaded = new OrgIndex(source(), 'acme', new Recall())
      await load(loaded, indexes, 'acme', 2)
      expect([loaded.position, loaded.hasSealed, loaded.characters]).to.deep.equal([7n, true, index.characters])
      expect([...loaded.rows.keys()]).to.deep.equal(['note/open', 'note/sealed'])
      expect(snapshotOf(loaded.ranking)).to.equal(snapshotOf(index.ranking))
      const other = new OrgIndex(source(), 'acme', new Recall())
      await load(other, indexes, 'acme', 3)
      expect([other.position, other.rows.size]).to.deep.equal([0n, 0])
      for (const at of [3, 40, 60, 70, file.length - 1]) {
        const damaged = Buffer.from(file)
        damaged[at]! ^= 1
        await writeFile(path.join(folder, name!), damaged)
        expect(await indexes.read('acme'), `byte ${at}`).to.equal(undefined)
      }
      await writeFile(path.join(folder, name!), file)
      expect(await indexes.read('acme')).to.not.equal(undefined)
      await keys.destroy('acme')
      expect(await indexes.read('acme')).to.equal(undefined)
      await indexes.remove('acme')
      expect(await readdir(folder)).to.deep.equal([])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('has no word of what was erased before it was stored, and is begun before that is looked for', async () => {
    const done: string[] = []
    const kept: Buffer[] = []
    const indexes: IndexStore = {
      read: async () => undefined,
      remove: async () => {},
      async begin() {
        done.push('begun')
        return async parts => void kept.push(...parts)
      },
    }
    const erasures = async () => {
      done.push('looked')
      return 1
    }
    const unseal: Source['unseal'] = async (_, envelopes) => envelopes.map(() => null)
    const index = filled()
    await store(index, indexes, 'acme', { ...source(), erasures, unseal })
    expect(done).to.deep.equal(['begun', 'looked'])
    const text = Buffer.concat(kept).toString('latin1')
    expect(text)
      .to.match(/harbour/i)
      .and.not.match(/quill/i)
    expect(index.ranking.search('quill').hits).to.deep.equal([])
  })
})

const source = () => ({ memories: { version: 2 } }) as Source

/** Keys that are kept by this process alone. */
function someKeys(): IndexKeys {
  const kept = new Map<string, IndexKey>()
  return {
    async make(org) {
      const key = { key: randomUUID(), secret: randomBytes(32) }
      kept.set(org, key)
      return key
    },
    async find(org, key) {
      const known = kept.get(org)
      return known?.key === key ? known.secret : undefined
    },
    destroy: async org => void kept.delete(org),
  }
}

function filled(): OrgIndex<Recall> {
  const index = new OrgIndex(source(), 'acme', new Recall())
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
