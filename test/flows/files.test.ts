import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { utimes } from 'node:fs/promises'
import { request } from 'node:http'
import path from 'node:path'
import { expect } from 'chai'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { fileStore } from '../../infra/files/open.ts'
import { keptFiles } from '../../infra/files/sweep.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool } from '../../infra/postgres.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const BYTES_MAX = 300_000
const BOUNDARY = 'a-boundary'

/** A form with one file. */
function formOf(name: string, content: Buffer, field = 'file'): Buffer {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\n\r\n`
  return Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)])
}

describe('files of an item', () => {
  let app: App
  let client: Client
  let position = '0'
  const multipart = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }
  const pdf = Buffer.from('%PDF-1.7\n1 0 obj << >> endobj\n'.padEnd(1_000, 'x'))

  before(async () => {
    app = await startApp({ env: { KOGI_FILE_MAX_BYTES: String(BYTES_MAX) } })
    client = await app.clientOf('files', 'team-member', 'mira')
    await client.call('POST', '/api/v1/kbfc/items', { body: { id: 'bakery', name: 'Bakery' } })
  })
  after(() => app.close())

  async function upload(below: string, name: string, content: Buffer, headers: Record<string, string> = {}) {
    const answer = await client.call('POST', `/api/v1/kbfc/${below}`, {
      raw: formOf(name, content),
      headers: { ...multipart, ...headers },
    })
    position = String(answer.headers['kogi-position'] ?? position)
    return answer
  }
  const read = (below: string, headers: Record<string, string> = {}) =>
    client.call('GET', `/api/v1/kbfc/${below}${below.includes('?') ? '&' : '?'}at_least=${position}&wait=20000`, {
      headers,
    })
  const begun = () => {
    const folder = path.join(app.config.dataDir, 'files', 'begun')
    return existsSync(folder) ? readdirSync(folder) : []
  }

  it('are stored under what their content is, and given back as they were', async () => {
    const added = await upload('items/bakery/files', 'C:\\docs\\Angebot ü; 50%.pdf', pdf, { 'Idempotency-Key': 'one' })
    expect(added.status, JSON.stringify(added.body)).to.equal(201)
    const again = await upload('items/bakery/files', 'C:\\docs\\Angebot ü; 50%.pdf', pdf, { 'Idempotency-Key': 'one' })
    expect(again.body.data).to.include({ replayed: true, id: added.body.data.id })
    const { data } = (await read(`files/${added.body.data.id}`)).body
    expect(data).to.include({
      item_id: 'bakery',
      file_type: 'application/pdf',
      size: '1000',
      version: 1,
      owner: 'mira',
    })
    const listed = (await read('items/bakery/files')).body.data
    expect(listed).to.have.length(1)
    expect((await client.call('GET', '/api/v1/briefcase/items/bakery/files')).body.data).to.have.length(1)
    const got = await client.call('GET', data.file_path)
    expect(got.body).to.equal(pdf.toString('utf8'))
    expect(got.headers).to.include({
      'content-type': 'application/pdf',
      'content-length': '1000',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      etag: `"${data.sha256}"`,
    })
    expect(got.headers['content-disposition']).to.match(
      /^attachment; filename="[ -~]+"; filename\*=UTF-8''Angebot%20.*%C3%BC/,
    )
    expect(
      (await client.call('GET', data.file_path, { headers: { 'If-None-Match': `"${data.sha256}"` } })).status,
    ).to.equal(304)
  })

  it('are read in parts', async () => {
    const [{ id, sha256 }] = (await read('items/bakery/files')).body.data
    const part = (range: string, more = {}) =>
      client.call('GET', `/api/v1/kbfc/files/${id}/content`, { headers: { Range: range, ...more } })
    const whole = pdf.toString('latin1')
    for (const [range, from, to] of [
      ['bytes=0-3', 0, 3],
      ['bytes=990-', 990, 999],
      ['bytes=-10', 990, 999],
      ['bytes=998-5000', 998, 999],
    ] as const) {
      const { status, headers, body } = await part(range)
      expect([status, headers['content-range']], range).to.deep.equal([206, `bytes ${from}-${to}/1000`])
      expect(body.length).to.equal(whole.slice(from, to + 1).length)
    }
    expect((await part('bytes=0-3')).body).to.equal('%PDF')
    const beyond = await part('bytes=1000-')
    expect([beyond.status, beyond.headers['content-range'], beyond.body.error.code]).to.deep.equal([
      416,
      'bytes */1000',
      'range_not_satisfiable',
    ])
    for (const range of ['bytes=0-1,5-6', 'items=0-1', 'bytes=5-3', 'bytes=-'])
      expect((await part(range)).status, range).to.equal(200)
    expect((await part('bytes=0-3', { 'If-Range': '"other"' })).status).to.equal(200)
    expect((await part('bytes=0-3', { 'If-Range': `"${sha256}"` })).status).to.equal(206)
    const head = await client.call('HEAD', `/api/v1/kbfc/files/${id}/content`)
    expect([head.status, head.headers['content-length'], head.body]).to.deep.equal([200, '1000', undefined])
  })

  it('have versions, and are removed', async () => {
    const [{ id }] = (await read('items/bakery/files')).body.data
    expect((await upload(`files/${id}/versions`, 'x', Buffer.from('Second.\n'))).status).to.equal(200)
    expect((await read(`files/${id}`)).body.data).to.include({ version: 2, type: 'text/plain; charset=utf-8' })
    expect((await read(`files/${id}/content`)).body).to.equal('Second.\n')
    expect((await read(`files/${id}/content?version=1`)).body).to.equal(pdf.toString('utf8'))
    expect((await read(`files/${id}/content?version=3`)).status).to.equal(404)
    expect((await client.call('PATCH', `/api/v1/kbfc/files/${id}`, { body: { name: 'offer.txt' } })).status).to.equal(
      200,
    )
    expect((await client.call('DELETE', `/api/v1/kbfc/files/${id}`)).status).to.equal(204)
    expect((await upload(`files/${id}/versions`, 'x', Buffer.from('Third.'))).body.error.code).to.equal('file_removed')
  })

  it('are gone with all their versions once they are removed', async () => {
    const { body } = await upload('items/bakery/files', 'gone.txt', Buffer.from('Not for long.'))
    const { id } = body.data
    expect((await read(`files/${id}/content?version=1`)).body).to.equal('Not for long.')
    const removed = await client.call('DELETE', `/api/v1/kbfc/files/${id}`)
    position = String(removed.headers['kogi-position'])
    for (const below of ['', '/content', '/content?version=1']) {
      expect((await read(`files/${id}${below}`)).status, below).to.equal(404)
    }
  })

  it('are changed by who may change the item', async () => {
    const { body } = await upload('items/bakery/files', 'ours.txt', Buffer.from('Ours.'))
    const { id } = body.data
    const jon = await app.clientOf('files', 'team-member', 'jon')
    const changes = [
      () => jon.call('PATCH', `/api/v1/kbfc/files/${id}`, { body: { name: 'mine.txt' } }),
      () =>
        jon.call('POST', `/api/v1/kbfc/files/${id}/versions`, {
          raw: formOf('x', Buffer.from('2')),
          headers: multipart,
        }),
      () =>
        jon.call('POST', '/api/v1/kbfc/items/bakery/files', { raw: formOf('x', Buffer.from('3')), headers: multipart }),
      () => jon.call('DELETE', `/api/v1/kbfc/files/${id}`),
    ]
    const share = (role: string) =>
      client.call('PUT', '/api/v1/kbfc/items/bakery/shares', { body: { with: 'jon', role } })
    await share('reader')
    for (const change of changes) expect((await change()).body.error.code).to.equal('item_not_yours')
    await share('editor')
    for (const change of changes) expect((await change()).status).to.be.lessThan(300)
  })

  it('refuses what is too large, a program, no form, and an unknown item, and leaves nothing begun', async () => {
    const large = await upload('items/bakery/files', 'large', randomBytes(BYTES_MAX + 1))
    expect([large.status, large.body.error.code]).to.deep.equal([413, 'body_too_large'])
    expect((await upload('items/bakery/files', 'most', randomBytes(BYTES_MAX))).status).to.equal(201)
    const elf = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), Buffer.alloc(100)])
    const program = await upload('items/bakery/files', 'notes.txt', elf)
    expect([program.status, program.body.error.code]).to.deep.equal([415, 'unsupported_media_type'])
    const json = await client.call('POST', '/api/v1/kbfc/items/bakery/files', { body: { file: 'x' } })
    expect(json.status).to.equal(415)
    const other = await client.call('POST', '/api/v1/kbfc/items/bakery/files', {
      raw: formOf('a', pdf, 'other'),
      headers: multipart,
    })
    expect([other.status, other.body.error.code]).to.deep.equal([400, 'invalid_body'])
    const none = await client.call('POST', '/api/v1/kbfc/items/bakery/files', {
      raw: `--${BOUNDARY}--\r\n`,
      headers: multipart,
    })
    expect(none.status).to.equal(400)
    const nowhere = await upload('items/nothing/files', 'a', pdf)
    expect([nowhere.status, nowhere.body.error.code]).to.deep.equal([422, 'reference_unknown'])
    expect(begun()).to.deep.equal([])
  })

  it('leaves nothing of an upload that breaks off, and goes on', async () => {
    const token = await issueToken(app.config, {
      org: 'files',
      subject: 'mira',
      roles: ['team-member'],
      ttlSeconds: 600,
    })
    const whole = formOf('cut.bin', randomBytes(200_000))
    const ended = await client.call('POST', '/api/v1/kbfc/items/bakery/files', {
      raw: whole.subarray(0, 150_000),
      headers: multipart,
    })
    expect([ended.status, ended.body.error.code]).to.deep.equal([400, 'invalid_body'])
    for (let n = 0; n < 5; n += 1) {
      await new Promise<void>(resolve => {
        const url = new URL('/api/v1/kbfc/items/bakery/files', app.url)
        const sent = request(url, {
          method: 'POST',
          headers: { ...multipart, authorization: `Bearer ${token}`, 'content-length': whole.length },
        })
        sent.on('error', () => {}).on('close', resolve)
        sent.write(whole.subarray(0, 1 + n * 30_000), () => setTimeout(() => sent.destroy(), 30))
      })
    }
    for (let tries = 0; begun().length > 0 && tries < 100; tries += 1)
      await new Promise(resolve => setTimeout(resolve, 20))
    expect(begun()).to.deep.equal([])
    expect((await upload('items/bakery/files', 'after.txt', Buffer.from('Still here.'))).status).to.equal(201)
  })

  it('sweeps what no event tells of once it is old, and nothing else', async () => {
    const store = fileStore(app.config)
    async function* bytes() {
      yield Buffer.from('Nobody tells of this.')
    }
    const { sha256 } = await store.put('files', bytes())
    const kept = async (_: string, digests: readonly string[]) => new Set(digests.filter(each => each !== sha256))
    expect(await store.sweep(kept, Date.now() - 24 * 3_600_000)).to.equal(0)
    const orphan = path.join(app.config.dataDir, 'files', 'kept', 'files', sha256.slice(0, 2), sha256)
    const old = new Date(Date.now() - 48 * 3_600_000)
    await utimes(orphan, old, old)
    expect(await store.sweep(async (_, digests) => new Set(digests), Date.now())).to.equal(0)
    expect(await store.sweep(kept, Date.now() - 24 * 3_600_000)).to.equal(1)
    expect(existsSync(orphan)).to.equal(false)
  })

  it('sweeps nothing while the read model has not come to the end of the log', async () => {
    const { body } = await upload('items/bakery/files', 'kept.txt', Buffer.from('An event tells of this.'))
    const { sha256 } = (await read(`files/${body.data.id}`)).body.data
    const orphan = createHash('sha256').update('Nobody tells of this either.').digest('hex')
    const pool = createPool({ url: app.urls.databaseUrl, name: 'read', log: silentLog, max: 1 })
    const kept = async (head: bigint) => [...(await keptFiles(pool, head)('files', [sha256, orphan]))]
    expect(await kept(BigInt(position))).to.deep.equal([sha256])
    expect(await kept(2n ** 62n)).to.have.members([sha256, orphan])
    await pool.end()
  })
})
