/** What every store of files does: a folder, a bucket on a server in this process, and that of `KOGI_S3_URL`. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { folderStore } from '../../infra/files/folder.ts'
import { s3Place } from '../../infra/files/open.ts'
import { s3Store } from '../../infra/files/s3.ts'
import type { FileStore } from '../../infra/files/store.ts'
import { type S3Server, startS3 } from '../support/s3.ts'

const REFUSED = new Set(['application/x-elf'])
/** The least that S3 takes as a part. */
const PART = 5 * 1024 ** 2
const LATER = () => Date.now() + 60_000
const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const NONE = async () => new Set<string>()

/** Bytes in chunks of odd sizes. */
async function* inChunks(bytes: Buffer, size = 65_521) {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

type Opened = {
  readonly store: FileStore
  /** What is begun and not ended. */
  readonly begun?: () => Promise<number>
  readonly close: () => Promise<unknown>
}

let s3: S3Server
const engines: Record<string, (() => Promise<Opened>) | undefined> = {
  'a folder': async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kogi-files-'))
    const begun = async () => (await readdir(path.join(folder, 'begun')).catch(() => [])).length
    return { store: folderStore(folder, REFUSED), begun, close: () => rm(folder, { recursive: true }) }
  },
  'a bucket': async () => {
    s3 = await startS3()
    const begun = async () => s3.uploads.size + [...s3.objects.keys()].filter(key => key.includes('/begun/')).length
    const store = s3Store(s3Place(s3.url), { refused: REFUSED, partBytes: PART, copyBytes: 2 * PART })
    return { store, begun, close: () => s3.close() }
  },
  'the bucket of KOGI_S3_URL': process.env.KOGI_S3_URL
    ? async () => ({
        store: s3Store(s3Place(process.env.KOGI_S3_URL!), { refused: REFUSED, partBytes: PART, copyBytes: 2 * PART }),
        close: async () => {},
      })
    : undefined,
}

for (const [name, open] of Object.entries(engines)) {
  if (!open) continue
  describe(`files in ${name}`, function files() {
    this.timeout(60_000)
    let opened: Opened
    let store: FileStore
    const org = `org-${randomUUID()}`

    before(async () => {
      opened = await open()
      store = opened.store
    })
    after(async () => {
      await store.sweep(NONE, LATER())
      await opened.close()
    })

    async function contentOf(of: string, sha256: string, range?: { first: number; last: number }) {
      const stream = await store.read(of, sha256, range)
      if (!stream) return undefined
      const chunks: Uint8Array[] = []
      for await (const chunk of stream) chunks.push(chunk)
      return Buffer.concat(chunks)
    }

    for (const size of [0, 1, 1_000, PART - 1, PART, PART + 1, 2 * PART + 77, 4 * PART + 5]) {
      it(`gives ${size} bytes back as they were, whole and in parts`, async () => {
        const bytes = randomBytes(size)
        const { type, ...stored } = await store.put(org, inChunks(bytes))
        expect(stored).to.deep.equal({ size: BigInt(size), sha256: digestOf(bytes) })
        expect(type).to.be.a('string')
        expect((await contentOf(org, stored.sha256))!.equals(bytes)).to.equal(true)
        for (const [first, last] of [
          [0, 0],
          [size >> 1, size - 1],
          [size - 1, size - 1],
        ] as const) {
          if (size === 0) continue
          const part = await contentOf(org, stored.sha256, { first, last })
          expect(part!.equals(bytes.subarray(first, last + 1)), `${first}-${last}`).to.equal(true)
        }
        if (opened.begun) expect(await opened.begun()).to.equal(0)
      })
    }

    it('keeps the files of each organization apart, and has none that was not stored', async () => {
      const { sha256 } = await store.put(org, inChunks(Buffer.from('Ours.')))
      expect(await contentOf(`${org}-2`, sha256)).to.equal(undefined)
      expect(await contentOf(org, digestOf(Buffer.from('Never stored.')))).to.equal(undefined)
      for (const other of ['', '../x', `${sha256}0`, sha256.toUpperCase()]) {
        expect(await contentOf(org, other)).to.equal(undefined)
      }
      let failed: unknown
      await store.put('../other', inChunks(Buffer.from('Elsewhere.'))).catch(error => {
        failed = error
      })
      expect(failed).to.be.instanceOf(RangeError)
    })

    it('stores nothing of bytes that break off or whose type is refused', async () => {
      const elf = Buffer.from('\x7fELF\x02\x01\x01', 'latin1')
      for (const more of [100, PART + 100, 3 * PART]) {
        const bytes = Buffer.concat([elf, randomBytes(more)])
        const refused = await store.put(org, inChunks(bytes)).catch(error => error)
        expect(refused.code, String(refused)).to.equal('unsupported_media_type')
        expect(await contentOf(org, digestOf(bytes))).to.equal(undefined)
        const cut = async function* () {
          yield* inChunks(bytes)
          throw new Error('broke off')
        }
        expect((await store.put(org, cut()).catch(error => error)).message).to.equal('broke off')
        expect(await contentOf(org, digestOf(bytes))).to.equal(undefined)
        if (opened.begun) expect(await opened.begun()).to.equal(0)
      }
    })

    it('removes what was stored before an instant, and says what stays', async () => {
      const { sha256 } = await store.put(org, inChunks(Buffer.from('To be removed.')))
      const unknown = digestOf(Buffer.from('Not there.'))
      expect(await store.remove(org, [sha256, unknown], Date.now() - 60_000)).to.deep.equal([sha256])
      expect(await contentOf(org, sha256)).to.not.equal(undefined)
      expect(await store.remove(org, [unknown, sha256, '../x'], LATER())).to.deep.equal([])
      expect(await contentOf(org, sha256)).to.equal(undefined)
    })

    it('takes bytes that are stored once more as young', async () => {
      const put = () => store.put(org, inChunks(Buffer.from('Stored twice.')))
      await put()
      await new Promise(resolve => setTimeout(resolve, 1_100))
      const between = Date.now() - 20 // File systems keep time by a clock that lags some milliseconds.
      const { sha256 } = await put()
      expect(await store.remove(org, [sha256], between)).to.deep.equal([sha256])
    })

    it('sweeps what is old and not kept, of every organization', async () => {
      const digests: string[] = []
      for (let n = 0; n < 8; n += 1) {
        digests.push((await store.put(n % 2 ? org : `${org}-2`, inChunks(Buffer.from(`Swept ${n}.`)))).sha256)
      }
      const kept = new Set(digests.slice(0, 5))
      const asked = new Set<string>()
      const isKept = async (of: string, some: readonly string[]) => {
        asked.add(of)
        return new Set(some.filter(digest => kept.has(digest)))
      }
      expect(await store.sweep(isKept, Date.now() - 60_000)).to.equal(0)
      expect(await store.sweep(isKept, LATER())).to.be.greaterThanOrEqual(3)
      expect([...asked]).to.include.members([org, `${org}-2`])
      for (const [n, digest] of digests.entries()) {
        const content = await contentOf(n % 2 ? org : `${org}-2`, digest)
        expect(content?.toString(), `${n}`).to.equal(kept.has(digest) ? `Swept ${n}.` : undefined)
      }
    })
  })
}

describe('a bucket', () => {
  before(async () => {
    s3 = await startS3()
  })
  after(() => s3.close())
  const storeOf = (url: string) => s3Store(s3Place(url), { refused: REFUSED, partBytes: PART })

  it('gets a file of one part in one request', async () => {
    await storeOf(s3.url).put('acme', inChunks(randomBytes(100_000)))
    expect(s3.calls).to.deep.equal(['PUT'])
  })
  it('ends uploads that nobody went on with', async () => {
    s3.uploads.set('left', { key: 'some/prefix/begun/x', at: Date.now() - 2_000, parts: new Map() })
    s3.uploads.set('of others', { key: 'some/prefix/theirs/x', at: 0, parts: new Map() })
    s3.objects.set('some/prefix/begun/y', { bytes: Buffer.from('y'), at: Date.now() })
    s3.objects.set('of-others/begun/z', { bytes: Buffer.from('z'), at: 0 })
    expect(await storeOf(s3.url).sweep(async (_, all) => new Set(all), Date.now())).to.equal(1)
    expect(await storeOf(s3.url).sweep(async (_, all) => new Set(all), LATER())).to.equal(1)
    expect([...s3.objects.keys()].filter(key => key.includes('begun'))).to.deep.equal(['of-others/begun/z'])
    expect([...s3.uploads.keys()]).to.deep.equal(['of others'])
  })
  it('ends as many of them as there are, on all pages', async () => {
    const begun = { at: Date.now() - 2_000, parts: new Map() }
    for (let n = 0; n < 11; n += 1) s3.uploads.set(`id-${n}`, { ...begun, key: `some/prefix/begun/${n >> 1}` })
    s3.uploads.set('young', { ...begun, key: 'some/prefix/begun/3', at: Date.now() + 60_000 })
    expect(await storeOf(s3.url).sweep(async (_, all) => new Set(all), Date.now())).to.equal(11)
    expect([...s3.uploads.keys()].filter(id => id !== 'of others')).to.deep.equal(['young'])
    s3.uploads.delete('young')
  })
  it('that is away is `engine_unavailable`, and with another key a fault', async () => {
    const store = storeOf(s3.url)
    s3.failing = 503
    const asks = [() => store.put('acme', inChunks(randomBytes(10))), () => store.read('acme', 'a'.repeat(64))]
    for (const ask of asks) expect((await ask().catch(error => error)).code).to.equal('engine_unavailable')
    s3.failing = undefined
    const nobody = storeOf('http://test:other@127.0.0.1:1/kogi-files')
    expect((await nobody.put('acme', inChunks(randomBytes(10))).catch(error => error)).code).to.equal(
      'engine_unavailable',
    )
    const other = storeOf(s3.url.replace(/:[^:@]+@/, ':other@'))
    expect((await other.put('acme', inChunks(randomBytes(10))).catch(error => error)).name).to.equal(
      'SignatureDoesNotMatch',
    )
  })
})
