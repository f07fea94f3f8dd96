import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { silentLog } from '../../infra/log.ts'
import { migrate } from '../../infra/migrate.ts'
import { tileRows } from '../../infra/notary/tiles.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { leafHash, Tree } from '../../projections/notary/merkle.ts'
import { HEIGHT, WIDTH } from '../../projections/notary/tiles.ts'
import { freshDatabase } from '../support/postgres.ts'

const LEAVES = 700

describe('tiles in the database', () => {
  let pool: Pool
  let url: string
  const leaves = Array.from({ length: LEAVES }, () => leafHash(randomBytes(8)))
  before(async () => {
    url = await freshDatabase()
    await migrate({ url, set: 'read', log: silentLog })
    pool = createPool({ url, name: 'read', log: silentLog })
  })
  after(() => pool?.end())

  /** Gives the leaves to the rows, and writes them after every `step`. */
  async function grow(tree: string, rows: ReturnType<typeof tileRows>, steps: readonly number[]) {
    let position = 0n
    const made = new Tree((height, at, hash) => {
      if (height % HEIGHT === 0) rows.put(tree, { level: height / HEIGHT, at, hash, position })
    })
    let at = 0
    for (const step of steps) {
      for (const leaf of leaves.slice(at, at + step)) {
        position = BigInt(at++) * 10n + 5n
        made.add(leaf)
      }
      await rows.flush()
    }
  }
  const written = async (tree: string) =>
    (
      await pool.query(
        'select level, index, first_position, positions, hashes from notary_tiles where tree = $1 order by 1, 2',
        [tree],
      )
    ).rows.map(({ level, index, first_position, positions, hashes }) => ({
      level,
      index: Number(index),
      first: first_position,
      positions: positions.toString('hex'),
      hashes: hashes.toString('hex'),
    }))

  it('are the same however they were written, and written again', async () => {
    await grow('once', tileRows(pool, silentLog), [LEAVES])
    const whole = await written('once')
    expect(whole.map(({ level, index, hashes }) => [level, index, hashes.length / 64])).to.deep.equal([
      [0, 0, WIDTH],
      [0, 1, WIDTH],
      [0, 2, LEAVES - 2 * WIDTH],
      [1, 0, 2],
    ])
    expect(whole[1]!.first).to.equal(BigInt(WIDTH) * 10n + 5n)
    await grow('pieces', tileRows(pool, silentLog), [1, 2, 250, 3, 0, 1, 400, 43])
    expect(await written('pieces')).to.deep.equal(whole)
    const xmin = async () => (await pool.query("select xmin::text from notary_tiles where tree = 'once'")).rows
    const before = await xmin()
    await grow('once', tileRows(pool, silentLog), [10, LEAVES - 10])
    expect(await written('once')).to.deep.equal(whole)
    expect(await xmin(), 'rows that are right already are not written').to.deep.equal(before)
  })

  it('replace those of a log that ended', async () => {
    await grow('other', tileRows(pool, silentLog), [LEAVES])
    const sound = await written('other')
    await pool.query("update notary_tiles set hashes = overlay(hashes placing '\\x00' from 40) where tree = 'other'")
    await grow('other', tileRows(pool, silentLog), [100, 600])
    expect(await written('other')).to.deep.equal(sound)
  })

  it('wait while the database is away', async () => {
    let isAway = true
    const unreliable = new Proxy(pool, {
      get: (target, name) => {
        if (isAway && (name === 'connect' || name === 'query')) return () => Promise.reject(new Error('away'))
        const value = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const rows = tileRows(unreliable, silentLog)
    const seal = {
      size: 3,
      note: 'n',
      root: '',
      position: 1n,
      orgs: [{ org: 'o', size: 2, root: '', note: 'm' }],
      at: '',
    }
    await grow('late', rows, [300])
    await rows.heads(seal)
    await rows.cosigned('o', 'm cosigned')
    await rows.cosigned('none yet', 'k cosigned')
    expect(await written('late')).to.deep.equal([])
    isAway = false
    await rows.flush()
    const cosigned = async () =>
      (await pool.query('select tree, cosigned from notary_heads where cosigned is not null')).rows
    expect(await cosigned()).to.deep.equal([{ tree: 'o', cosigned: 'm cosigned' }])
    const headsNow = async () => (await pool.query('select tree, size, note from notary_heads order by tree')).rows
    expect(await headsNow()).to.have.length(2)
    await rows.heads({ ...seal, size: 4, note: 'n2', orgs: [] })
    await rows.cosigned('o', 'm again')
    expect(await cosigned()).to.deep.equal([{ tree: 'o', cosigned: 'm again' }])
    const late = await written('late')
    await grow('at-once', tileRows(pool, silentLog), [300])
    expect(late).to.deep.equal(await written('at-once'))
    expect(await headsNow()).to.deep.equal([
      { tree: '', size: 4n, note: 'n2' },
      { tree: 'o', size: 2n, note: 'm' },
    ])
  })
})
