/** A restore into an event store that Kogi does not keep: by appends, through the client, to any EventStoreDB. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { EventStoreDBClient } from '@eventstore/db-client'
import { expect } from 'chai'
import { endOfLog, eventLines } from '../../infra/backup/event-lines.ts'
import { makeBackup } from '../../infra/backup/make.ts'
import { restore } from '../../infra/backup/restore.ts'
import { domainStreamPrefixes } from '../../infra/catalogue.ts'
import type { Line } from '../../infra/embedded/event-store/care/transfer.ts'
import { startEventStore } from '../../infra/embedded/event-store/index.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { readSkips, writeSkip } from '../../infra/event-store/skips.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool } from '../../infra/postgres.ts'
import { check, isEqual } from '../../scripts/check.ts'
import { type App, startApp } from '../support/app.ts'
import { freshDatabase } from '../support/postgres.ts'

async function linesIn(url: string): Promise<readonly Line[]> {
  const client = EventStoreDBClient.connectionString(url)
  const lines: Line[] = []
  try {
    for await (const line of eventLines(client, await endOfLog(client))) lines.push(line)
  } finally {
    await client.dispose()
  }
  return lines
}

const contentOf = ({ stream, revision, id, type, contentType, data, metadata }: Line) => ({
  stream,
  revision,
  id,
  type,
  contentType,
  data,
  metadata,
})

describe('a backup restored by appends', function appended() {
  this.timeout(120_000)
  let work: string
  let app: App
  before(async () => {
    work = await mkdtemp(path.join(tmpdir(), 'kogi-append-test-'))
    app = await startApp()
  })
  after(async () => {
    await app?.close()
    await rm(work, { recursive: true, force: true })
  })

  it('has every event with its id, bytes, order and revision; skips name the new positions', async () => {
    const client = await app.clientOf('okonjo')
    for (let n = 0; n < 40; n++) {
      const wallet = { id: `w${n}`, owner: `owner-${n}`, kind: 'personal', holder: `Zoë ${n} 🎉` }
      await client.call('POST', '/api/v1/kwlt/wallets', { body: wallet })
      const account = { account: `a${n}`, currency: 'EUR', overdraft: 'refused' }
      await client.call('POST', `/api/v1/kwlt/wallets/w${n % 3}/accounts`, { body: account })
    }
    const before = await linesIn(app.urls.eventStoreUrl)
    const at = before.find(({ type }) => type === 'AccountOpened')!
    const skip = { projection: 'balances', position: BigInt(at.position), reason: 'a test', actor: 'tester' }
    await writeSkip(app.urls.eventStoreUrl, skip)
    const keys = createPool({ url: app.urls.keysDatabaseUrl, name: 'keys', log: silentLog, max: 1 })
    await keys.query(`update subject_keys set secret = null, erased_at = now() where subject = 'owner-1'`)
    const folder = path.join(work, 'backup')
    const { config, urls } = app
    const manifest = await makeBackup({ folder, config: { ...config, eventStoreUrl: urls.eventStoreUrl }, urls, keys })
    await keys.end()
    expect(manifest).to.deep.include({ store: 'named', position: String(await endIn(urls.eventStoreUrl)) })
    expect(manifest.events.skips).to.equal(1)
    expect(manifest.keys).to.deep.equal({ all: 40, erased: 1, missing: [] })

    const target = await startEventStore({ memory: true })
    const [databaseUrl, keysDatabaseUrl] = [await freshDatabase(), await freshDatabase()]
    const storeUrl = async () => target.url
    const engines = { databaseUrl, keysDatabaseUrl, storeFolder: undefined, storeUrl, close: async () => {} }
    try {
      const options = { folder, manifest, config, engines, log: silentLog }
      const restored = await restore(options)
      expect(restored.files).to.equal(0)
      expect(restored.keys).to.deep.equal({ written: 40, erased: 1 })
      expect(restored.events).to.include({ found: 0, positionsKept: false })
      const after = await linesIn(target.url)
      const isSkip = ({ stream }: Line) => stream.startsWith('projection-')
      expect(after.filter(line => !isSkip(line)).map(contentOf)).to.deep.equal(before.map(contentOf))
      const [moved] = await readSkips(target.url, ['balances'])
      expect(after.find(({ position }) => BigInt(position) === moved!.position)).to.include({ id: at.id })
      expect(await isChecked(restored.urls)).to.equal(true)

      const again = await restore(options)
      expect(again.events).to.include({ written: 0, found: before.length + 1 })
      await writeSkip(target.url, { ...skip, projection: 'wallets' })
      const refused = await restore(options).catch(error => error)
      expect(refused).to.include({ code: 'not_empty' })
    } finally {
      await target.close()
    }
  })
})

async function endIn(url: string): Promise<number> {
  return (await linesIn(url)).at(-1)!.position
}

async function isChecked({ databaseUrl, eventStoreUrl }: App['urls']): Promise<boolean> {
  const pool = createPool({ url: databaseUrl, name: 'read', log: silentLog })
  const events = eventLog({ url: eventStoreUrl, prefixes: domainStreamPrefixes })
  try {
    return isEqual(await check({ pool, events }))
  } finally {
    await Promise.all([pool.end(), events.close()])
  }
}
