import { expect } from 'chai'
import { memories as memoriesModel } from '../../../infra/catalogue.ts'
import { memoryIndex } from '../../../projections/memory/index.ts'
import type { IndexStore } from '../../../projections/memory/stored-index.ts'
import { History, thing } from '../history.ts'
import { freshPool, MemoryLog, reached, startRunner } from '../support.ts'

const unseal = async (_: string, envelopes: readonly { text: string }[]) => envelopes.map(() => 'Quarterly figures')
const body = { key: '0b0e7f6a-9a39-4d0b-8f0a-0d6a7f1f9b11', nonce: 'n'.repeat(16), text: 'c'.repeat(22) }

/** Stored indexes of one test. */
function inMemory(): IndexStore & { readonly kept: Map<string, Buffer> } {
  const kept = new Map<string, Buffer>()
  return {
    kept,
    read: async org => kept.get(org),
    begin: async org => async parts => void kept.set(org, Buffer.concat(parts)),
    remove: async org => void kept.delete(org),
  }
}

describe('memory: an index that was stored, and its rows', () => {
  it('takes the rows that came since; it answers as one that was built anew', async () => {
    const pool = await freshPool()
    const history = new History()
    const add = (id: string, name: string) =>
      history.add(thing('item', 'acme', id), 'ItemAdded', {
        type: 'asset',
        status: 'draft',
        name,
        metadata: {},
        owner: 'me',
      })
    for (let n = 0; n < 20; n += 1) add(`i${n}`, `Harbour ship ${n}`)
    history.add(thing('note', 'acme', 'plan'), 'NoteAdded', { title: 'Plan', body, tags: [], owner: 'mira' })
    const book = thing('book', 'acme', 'log')
    const parts = [{ part: 'all', kind: 'note', content: 'Lighthouse' }]
    history.add(book, 'BookEdited', { version: 1, parts, moved: [], removed: [] })
    const log = new MemoryLog(history.events)
    const runner = startRunner(pool, log)
    const stored = inMemory()
    const taken: number[] = []
    const query = async (config: unknown) => {
      const answer = (await pool.query(config as never)) as unknown as { rows: { org: unknown }[] }
      taken.push(answer.rows.filter(({ org }) => org === 'acme').length)
      return answer
    }
    const options = { pool: { query } as never, memories: memoriesModel, unseal, stored, storedFrom: 1 }
    const found = async (index: ReturnType<typeof memoryIndex>, words: string) =>
      (await index.search('acme', words, { limit: 30, type: 'hybrid' })).hits.map(({ subject, score }) => [
        subject,
        score,
      ])
    await reached(pool, history.events.at(-1)!.position)
    const first = memoryIndex(options)
    expect((await found(first, 'quarterly'))[0]![0]).to.equal('plan')
    await first.close()
    log.append(add('late', 'Harbour late'))
    await reached(pool, history.events.at(-1)!.position)
    taken.length = 0
    const [second, anew] = [memoryIndex(options), memoryIndex({ ...options, stored: inMemory() })]
    expect(await found(second, 'harbour late')).to.deep.equal(await found(anew, 'harbour late'))
    expect(taken.slice(0, 1), 'the late one').to.deep.equal([1])
    expect(await found(second, 'figures')).to.deep.equal(await found(anew, 'figures'))
    log.append(history.add(book, 'BookEdited', { version: 2, parts: [], moved: [], removed: ['all'] }))
    await reached(pool, history.events.at(-1)!.position)
    expect((await found(second, 'lighthouse')).map(([subject]) => subject)).to.not.include('all')
    expect([...stored.kept.keys()], 'nothing is kept that holds what was removed').to.deep.equal([])
    await runner.close()
  })

  it('is left alone where the database went back behind it', async () => {
    const pool = await freshPool()
    const history = new History()
    const item = { type: 'asset', status: 'draft', name: 'Harbour', metadata: {}, owner: 'me' }
    history.add(thing('item', 'acme', 'one'), 'ItemAdded', item)
    const runner = startRunner(pool, new MemoryLog(history.events))
    await reached(pool, history.events.at(-1)!.position)
    const stored = inMemory()
    const options = { pool, memories: memoriesModel, unseal, stored, storedFrom: 1 }
    const first = memoryIndex(options)
    await first.search('acme', 'harbour', { limit: 9, type: 'hybrid' })
    await first.close()
    await runner.close()
    const empty = await freshPool()
    const other = startRunner(empty, new MemoryLog([]))
    const second = memoryIndex({ ...options, pool: empty })
    const { hits } = await second.search('acme', 'harbour', { limit: 9, type: 'hybrid' })
    expect(hits).to.deep.equal([])
    await other.close()
  })
})
