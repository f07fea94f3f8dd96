/** The files of persons who are erased go, and those of other persons stay, whatever the read models know. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm, utimes } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'chai'
import type { WriteDeps } from '../../commands/execute.ts'
import { erasure } from '../../domain/audit/erasure/erasure.ts'
import { auditExport } from '../../domain/audit/export/export.ts'
import { domainStreamPrefixes } from '../../infra/catalogue.ts'
import { Eraser } from '../../infra/erasures/eraser.ts'
import { erasureRows } from '../../infra/erasures/rows.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { fileStore } from '../../infra/files/open.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { give } from '../../infra/things.ts'
import { openWriteSide } from '../../infra/write-side.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const BOUNDARY = 'a-boundary'
const headers = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }
const HEAD = 'Content-Disposition: form-data; name="file"; filename="a.txt"'
const formOf = (content: string) => `--${BOUNDARY}\r\n${HEAD}\r\n\r\n${content}\r\n--${BOUNDARY}--\r\n`

describe('the files of persons who are erased', function erased() {
  this.timeout(60_000)
  let app: App
  let admin: Client
  let pool: Pool
  let keys: Pool
  let eraser: Eraser
  let writing: WriteDeps
  /** The last position in the log, as the eraser has it: one beyond the end makes the read model lag. */
  let head: () => Promise<bigint>
  let position = 0n
  const closing: (() => Promise<unknown>)[] = []

  before(async () => {
    app = await startApp()
    admin = await app.clientOf('acme')
    pool = createPool({ url: app.urls.databaseUrl, name: 'read', log: silentLog, max: 2 })
    keys = createPool({ url: app.urls.keysDatabaseUrl, name: 'keys', log: silentLog, max: 1 })
    const events = eventLog({ url: app.urls.eventStoreUrl, prefixes: domainStreamPrefixes })
    const { deps, close } = openWriteSide(app.urls, app.config, silentLog)
    writing = deps
    closing.push(
      close,
      () => events.close(),
      () => pool.end(),
      () => keys.end(),
    )
    head = events.head
    eraser = new Eraser({
      ...deps,
      rows: erasureRows(pool),
      keys,
      files: fileStore(app.config),
      head: () => head(),
      log: silentLog,
    })
    await admin.call('POST', '/api/v1/kbfc/items', { body: { id: 'item', name: 'Bakery' } })
  })
  after(async () => {
    await Promise.allSettled(closing.map(close => close()))
    await app?.close()
  })

  const placeOf = (content: string) => {
    const sha256 = createHash('sha256').update(content).digest('hex')
    return path.join(app.config.dataDir, 'files', 'kept', 'acme', sha256.slice(0, 2), sha256)
  }
  const isThere = (content: string) => existsSync(placeOf(content))
  async function age(content: string) {
    const old = new Date(Date.now() - 3_600_000)
    await utimes(placeOf(content), old, old)
  }
  async function upload(subject: string, content: string, below = 'items/item/files') {
    const by = await app.clientOf('acme', 'organization-admin', subject)
    const answer = await by.call('POST', `/api/v1/kbfc/${below}`, { raw: formOf(content), headers })
    position = BigInt((answer.headers['kogi-position'] as string | undefined) ?? position)
    return answer
  }
  async function uploaded(subject: string, content: string): Promise<string> {
    const { status, body } = await upload(subject, content)
    expect(status, JSON.stringify(body)).to.equal(201)
    await age(content)
    return body.data.id
  }
  const kmg = (query: string, more = '') =>
    admin.call('GET', `/api/v1/kmg/erasures?${query}&at_least=${position}&wait=20000${more}`)
  async function erase(...subjects: string[]) {
    for (const subject of subjects) {
      const body = { subject, basis: 'objection', reason: 'They asked for it.' }
      const answer = await admin.call('POST', '/api/v1/kmg/erasures', { body })
      expect(answer.status, JSON.stringify(answer.body)).to.equal(200)
      position = BigInt(String(answer.headers['kogi-position']))
    }
    await kmg('limit=1')
  }
  /** How many files the receipt of a person has; none while the erasure is not completed. */
  async function receiptOf(subject: string): Promise<number | undefined> {
    position = await head()
    return (await kmg(`subject=${subject}`)).body.data[0].files
  }

  it('are removed, but for bytes that another person has, and two who share bytes have them both counted', async () => {
    for (const [subject, content] of [
      ['jon', 'of jon'],
      ['jon', 'of jon and mira'],
      ['mira', 'of jon and mira'],
      ['jon', 'of jon and lea'],
      ['lea', 'of jon and lea'],
    ] as const) {
      await uploaded(subject, content)
    }
    await erase('jon', 'lea')
    expect(await eraser.look()).to.equal(true)
    expect(['of jon', 'of jon and mira', 'of jon and lea'].map(isThere)).to.deep.equal([false, true, false])
    expect([await receiptOf('jon'), await receiptOf('lea')]).to.deep.equal([2, 1])
  })

  it('stay where an audit export has the same bytes', async () => {
    await uploaded('ida', 'of ida and an export')
    const sha256 = createHash('sha256').update('of ida and an export').digest('hex')
    const done = { export: 'e', events: 1, bytes: 20n, sha256, head: 1n }
    for (const [name, body] of Object.entries({ request: { export: 'e' }, complete: done })) {
      const given = { by: 'exports', name, body, part: name }
      position = (await give(writing, auditExport, { org: 'acme', id: auditExport.only! }, given)).position
    }
    await erase('ida')
    expect(await eraser.look()).to.equal(true)
    expect(isThere('of ida and an export')).to.equal(true)
  })

  it('stay while the read model of files lags: bytes may be those of another person by now', async () => {
    await uploaded('max', 'of max')
    await erase('max')
    const real = head
    head = async () => 2n ** 62n
    for (const work of [() => eraser.look(), () => eraser.again()]) {
      const error = await work().catch(error => error as Error)
      expect(String(error)).to.contain('has not come to the end of the log')
    }
    head = real
    expect([isThere('of max'), await receiptOf('max')]).to.deep.equal([true, undefined])
    const { rows } = await keys.query(`select secret from subject_keys where subject = 'max'`)
    expect(rows, 'a key does not wait for files').to.deep.equal([{ secret: null }])
    await eraser.look()
    expect([isThere('of max'), await receiptOf('max')]).to.deep.equal([false, 1])
  })

  it('are not waited for where a thing is forgotten, which has none', async () => {
    const body = { category: 'memory', thing: 'm1', reason: 'It is over.' }
    const given = { by: 'memories', name: 'forget', body, part: 'm1' }
    position = (await give(writing, erasure, { org: 'acme', id: erasure.only! }, given)).position
    await kmg('limit=1')
    const real = head
    head = async () => 2n ** 62n
    expect(await eraser.look()).to.equal(true)
    head = real
    expect(await receiptOf('memory:m1')).to.equal(0)
  })

  it('stay for minutes where the bytes were stored just now: an upload may be under way', async () => {
    await uploaded('ada', 'of ada')
    await erase('ada')
    // As another person who uploads the same bytes, and whose event is not there yet.
    await fileStore(app.config).put(
      'acme',
      (async function* () {
        yield Buffer.from('of ada')
      })(),
    )
    expect(await eraser.look()).to.equal(false)
    await eraser.again()
    expect([isThere('of ada'), await receiptOf('ada')]).to.deep.equal([true, undefined])
    await age('of ada')
    expect(await eraser.look()).to.equal(true)
    expect([isThere('of ada'), await receiptOf('ada')]).to.deep.equal([false, 1])
  })

  it('are not added to: what would be removed is refused, whoever sends it', async () => {
    const id = await uploaded('tom', 'of tom')
    const kept = await uploaded('eva', 'of eva')
    await erase('tom')
    for (const [subject, below] of [
      ['tom', 'items/item/files'],
      ['eva', `files/${id}/versions`],
      ['tom', `files/${kept}/versions`],
    ] as const) {
      const { status, body } = await upload(subject, `more of ${subject}`, below)
      expect([status, body.error?.code], `${subject} ${below}`).to.deep.equal([422, 'subject_erased'])
    }
    expect((await upload('eva', 'another', `files/${kept}/versions`)).status).to.equal(200)
    const eva = await app.clientOf('acme', 'organization-admin', 'eva')
    expect((await eva.call('DELETE', `/api/v1/kbfc/files/${id}`)).status).to.equal(204)
  })

  it('that cannot be removed keep no other person from being erased', async () => {
    for (const subject of ['a-stuck', 'b', 'c']) await uploaded(subject, `of ${subject}`)
    const place = placeOf('of a-stuck')
    await rm(place)
    await mkdir(place)
    await age('of a-stuck')
    await erase('a-stuck', 'b', 'c')
    expect(String(await eraser.look().catch(error => error))).to.contain('directory')
    const files = [await receiptOf('a-stuck'), await receiptOf('b'), await receiptOf('c')]
    expect(files).to.deep.equal([undefined, 1, 1])
    await rm(place, { recursive: true })
    expect(await eraser.look()).to.equal(true)
    expect(await receiptOf('a-stuck')).to.equal(1)
  })
})
