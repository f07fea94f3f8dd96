/** Files of items where the installation keeps them in a bucket. */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { restoreFiles } from '../../infra/backup/item-files.ts'
import { makeBackup } from '../../infra/backup/make.ts'
import { verifyBackup } from '../../infra/backup/verify.ts'
import { publicSettings } from '../../infra/config.ts'
import { fileStore } from '../../infra/files/open.ts'
import { silentLog } from '../../infra/log.ts'
import { noMasterKeys } from '../../infra/master-keys.ts'
import { createPool } from '../../infra/postgres.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { type S3Server, startS3 } from '../support/s3.ts'

const BOUNDARY = 'a-boundary'
const headers = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }
const HEAD = 'Content-Disposition: form-data; name="file"; filename="a.bin"'
const formOf = (content: Buffer) =>
  Buffer.concat([Buffer.from(`--${BOUNDARY}\r\n${HEAD}\r\n\r\n`), content, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)])
const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('files of items in a bucket', function bucket() {
  this.timeout(60_000)
  let s3: S3Server
  let app: App
  let client: Client
  const small = Buffer.from('Small enough for one request.')
  const large = randomBytes(9_000_000)

  before(async () => {
    s3 = await startS3()
    app = await startApp({ env: { KOGI_S3_URL: s3.url } })
    client = await app.clientOf('acme')
    await client.call('POST', '/api/v1/kbfc/items', { body: { id: 'bakery', name: 'Bakery' } })
  })
  after(async () => {
    await app.close()
    await s3.close()
  })

  const upload = (content: Buffer) =>
    client.call('POST', '/api/v1/kbfc/items/bakery/files', { raw: formOf(content), headers })

  it('are taken, read in parts, and stand in no folder', async () => {
    for (const [content, from] of [
      [small, 6],
      [large, 8_388_600],
    ] as const) {
      const { status, body, headers: answered } = await upload(content)
      expect(status, JSON.stringify(body)).to.equal(201)
      const at = `/api/v1/kbfc/files/${body.data.id}`
      const { data } = (await client.call('GET', `${at}?at_least=${answered['kogi-position']}&wait=20000`)).body
      expect(data).to.include({ size: String(content.length), sha256: digestOf(content) })
      const part = await client.call('GET', data.file_path, { headers: { Range: `bytes=${from}-${from + 19}` } })
      expect([part.status, part.headers['content-range']]).to.deep.equal([
        206,
        `bytes ${from}-${from + 19}/${content.length}`,
      ])
      const stored = s3.objects.get(`some/prefix/kept/acme/${digestOf(content)}`)
      expect(stored?.bytes.equals(content)).to.equal(true)
    }
    expect(existsSync(path.join(app.config.dataDir, 'files'))).to.equal(false)
    expect(JSON.stringify(publicSettings(app.config)))
      .to.not.contain('of+slashes')
      .and.not.contain('kogi-files')
  })

  it('leave nothing of an upload that breaks off, and answer 503 while the bucket is away', async () => {
    const count = s3.objects.size
    const token = await issueToken(app.config, {
      org: 'acme',
      subject: 'mira',
      roles: ['team-member'],
      ttlSeconds: 600,
    })
    const whole = formOf(randomBytes(20_000_000))
    await new Promise<void>(resolve => {
      const sent = request(new URL('/api/v1/kbfc/items/bakery/files', app.url), {
        method: 'POST',
        headers: { ...headers, authorization: `Bearer ${token}`, 'content-length': whole.length },
      })
      sent.on('error', () => {}).on('close', resolve)
      sent.write(whole.subarray(0, 19_000_000))
      const cut = () => (s3.uploads.size > 0 ? sent.destroy() : setTimeout(cut, 20))
      cut()
    })
    for (let tries = 0; s3.uploads.size > 0 && tries < 200; tries += 1)
      await new Promise(resolve => setTimeout(resolve, 20))
    expect([s3.uploads.size, s3.objects.size]).to.deep.equal([0, count])
    s3.failing = 503
    const away = await upload(small)
    s3.failing = undefined
    expect([away.status, away.body.error.code]).to.deep.equal([503, 'engine_unavailable'])
    expect((await upload(small)).status).to.equal(201)
  })

  it('go into a backup, and from it into another bucket', async () => {
    const work = await mkdtemp(path.join(tmpdir(), 'kogi-bucket-'))
    const keys = createPool({ url: app.urls.keysDatabaseUrl, name: 'keys', log: silentLog, max: 1 })
    const other = await startS3()
    try {
      const folder = path.join(work, 'backup')
      const { itemFiles } = await makeBackup({ folder, config: app.config, urls: app.urls, keys })
      expect(itemFiles).to.deep.equal({ all: 2, bytes: small.length + large.length, missing: [] })
      await verifyBackup(folder)
      expect(await restoreFiles(folder, fileStore({ ...app.config, s3Url: other.url }), noMasterKeys)).to.equal(2)
      expect([...other.objects.keys()].sort()).to.deep.equal([...s3.objects.keys()].sort())
    } finally {
      await keys.end()
      await other.close()
      await rm(work, { recursive: true })
    }
  })
})
