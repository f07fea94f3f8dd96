import path from 'node:path'
import { expect } from 'chai'
import { projections, resources } from '../../infra/catalogue.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { entries } from '../../projections/wallet/entries.ts'
import type { AuditFault } from '../../read-api/audit/bundle.ts'
import { folderSource } from '../../read-api/audit/folder-source.ts'
import { answerOf } from '../../read-api/audit/query.ts'
import { differing, replay } from '../../read-api/audit/replay.ts'
import { makeWorld, type World } from '../read-api/support.ts'
import { books, CHECK, exported, inFolder } from './support.ts'

describe('replay of an export', () => {
  let world: World
  before(async () => {
    world = await makeWorld()
  })
  after(() => world.close())

  const history = books(20)
  const replayed = (folder: string) =>
    replay({ ...CHECK, source: folderSource(folder), live: { pool: world.pool, skips: new Map(), waitMs: 0 } })
  const codeOf = (folder: string) => replayed(folder).catch((error: AuditFault) => error.code)

  it('gives the rows of the live read models from the export alone, and sees a row that differs', async () => {
    await inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(history, out)
      await world.write(history)
      const found = await replayed(out)
      expect(differing(found)).to.deep.equal([])
      expect(found.tables.map(({ projection }) => projection)).to.deep.equal(projections.map(({ name }) => name))
      expect(found.tables.find(({ projection }) => projection === 'entries')!.live!.rows).to.equal(20)

      await world.pool.query(`update ${tableOf(balances)} set balance = balance + 1 where org = 'south'`)
      expect(differing(await replayed(out)), 'another org').to.deep.equal([])
      await world.pool.query(`update ${tableOf(balances)} set balance = balance + 1 where org = 'north'`)
      expect(differing(await replayed(out))).to.deep.equal(['balances'])
      await world.pool.query(`delete from ${tableOf(entries)} where org = 'north' and revision = 5`)
      expect(differing(await replayed(out))).to.deep.equal(['balances', 'entries'])
    })
  })

  it('says when the read models are behind the export or ahead of it, rather than that they differ', async () => {
    await inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(history, out)
      await world.write(history)
      await world.move(history.position - 100n)
      expect(await codeOf(out)).to.equal('live_behind')
      await world.move(history.position)
      await world.pool.query(`update checkpoints set position = position + 1 where projection = 'tasks'`)
      expect(await codeOf(out), 'the audit log cannot tell yet').to.equal('live_behind')
      const later = books(20).add('north', 'task', 'late', 'TaskCreated', { name: 'x', status: 'open' })
      await world.write(later)
      expect(await codeOf(out)).to.equal('live_ahead')
    })
  })

  it('needs no read models when it compares with none', async () => {
    await inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(history, out)
      const { tables, manifest } = await replay({ ...CHECK, source: folderSource(out), projections })
      expect(manifest.types).to.include({ EntryPosted: 20, TaskAssigned: 7, WalletOpened: 1 })
      expect(manifest.categories).to.deep.equal({ item: 1, task: 8, wallet: 22 })
      for (const { live, replayed } of tables) {
        expect(live).to.equal(undefined)
        expect(replayed.sha256).to.match(/^[0-9a-f]{64}$/)
      }
    })
  })

  it('answers a query as of any position and time, and refuses one that no list answers', async () => {
    await inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(history, out)
      const source = folderSource(out)
      const ask = (query: string, asOf?: string) => answerOf({ ...CHECK, source, resources, query, asOf })
      const own = history.events.filter(({ metadata }) => metadata.org === 'north')
      let balance = 0n
      for (const { type, data, position, metadata } of own) {
        if (type !== 'EntryPosted') continue
        balance += (data as { postings: { amount: bigint }[] }).postings[0]!.amount
        const then = await ask('/kwlt/wallets/w/accounts', String(position))
        expect(then.rows.map(row => [row.account, row.balance])).to.deep.equal([['Kasse ü', String(balance)]])
        expect(then.position).to.equal(position)
        const [row] = (await ask(`/api/v1/kwlt/wallets/w/accounts/${encodeURIComponent('Kasse ü')}/EUR`, metadata.at))
          .rows
        const upTo = own.filter(event => event.metadata.at <= metadata.at && event.type === 'EntryPosted')
        expect(row).to.include({ postings: String(upTo.length), currency: 'EUR' })
      }
      expect((await ask('/kwlt/accounts', String(own[0]!.position))).rows).to.deep.equal([])
      expect((await ask('/kwlt/accounts', '2000-01-01T00:00:00Z')).position).to.equal(0n)
      expect((await ask('/kwlt/accounts?currency=CZK')).rows).to.deep.equal([])
      expect((await ask('/kwlt/accounts?currency=EUR')).rows).to.have.length(1)
      const refusal = (query: string, asOf?: string) => ask(query, asOf).catch((error: AuditFault) => error.code)
      expect(await refusal('/kwlt/nonsense')).to.equal('invalid_parameter')
      expect(await refusal('/kwlt/accounts?balance=3')).to.equal('invalid_parameter')
      expect(await refusal('/kwlt/%')).to.equal('invalid_parameter')
      for (const time of ['yesterday', '2026-06-30T23:59:59', '2026-06-30T23:59:60Z0', '2026-06-31T00:00:00Z']) {
        expect(await refusal('/kwlt/accounts', time), time).to.equal('invalid_parameter')
      }
      const [first] = own
      const [at, early] = [Date.parse(first!.metadata.at), Date.parse(first!.metadata.at) - 1]
      const inZone = (time: number) => new Date(time + 7_200_000).toISOString().replace('Z', '+02:00')
      expect((await ask('/kwlt/accounts', inZone(at))).position >= first!.position, 'in a zone').to.equal(true)
      expect((await ask('/kwlt/accounts', inZone(early))).position).to.equal(0n)
      expect(await refusal('/kwlt/accounts', String(history.position + 1n))).to.equal('invalid_parameter')
    })
  })

  it('answers every list as the live system does', async () => {
    await inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(history, out)
      await world.write(history)
      const source = folderSource(out)
      let compared = 0
      for (const { path: list, parents, projection } of resources) {
        if (Object.keys(parents).length > 0) continue
        const { data, code } = await world.call('north', `${list}?limit=100`)
        if (code !== undefined || !Array.isArray(data)) continue
        const { rows } = await answerOf({ ...CHECK, source, resources, query: list })
        const names = projection.key.filter(name => name !== 'org')
        const keys = (all: readonly object[]) =>
          all.map(row => JSON.stringify(names.map(name => (row as Record<string, unknown>)[name]))).toSorted()
        if (data.length > 0 && names.some(name => !(name in data[0]))) continue
        expect(keys(rows), list).to.deep.equal(keys(data))
        compared += data.length
      }
      expect(compared).to.be.greaterThan(20)
    })
  })
})
