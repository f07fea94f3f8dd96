/** The manifest of an export is signed: what stands in it, and every file that it names, cannot be made to fit. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { type Signer, signNote, type Verifier, verifierOf } from '../../projections/notary/note.ts'
import { AuditFault, MANIFEST, type Manifest, manifestText, SIGNATURE, sha256 } from '../../read-api/audit/bundle.ts'
import { folderSource } from '../../read-api/audit/folder-source.ts'
import { type Signed, signedOf, signManifest } from '../../read-api/audit/signature.ts'
import { readManifest, verifiedEvents } from '../../read-api/audit/verify.ts'
import { books, CHECK, exported, type Files, forged, inFolder, linesOf, readFiles, writeFiles } from './support.ts'

const MUTATIONS = process.env.KOGI_LONG === '1' ? 5_000 : 100

const signer = (name = 'example.com/kogi'): Signer => ({
  name,
  privateKey: generateKeyPairSync('ed25519').privateKey,
})

describe('the signature of an export', () => {
  const key = signer()
  let clean: Files
  let unsigned: Files

  const verify = (files: Files, verifiers?: readonly Verifier[], older?: true): Promise<Signed> =>
    inFolder(async folder => {
      await writeFiles(folder, files)
      const source = folderSource(folder)
      const manifest = await readManifest(source, { ...(verifiers && { verifiers }), ...(older && { older }) })
      for await (const _ of verifiedEvents(source, manifest, CHECK));
      return signedOf(manifest, verifiers)
    })
  const known = [verifierOf(key)]
  const codeOf = (files: Files, ...[verifiers]: [(typeof known | 'no key')?]) =>
    verify(files, verifiers === 'no key' ? undefined : (verifiers ?? known)).then(
      () => 'holds',
      error => {
        if (error instanceof AuditFault) return error.code
        throw error
      },
    )
  const manifestOf = (files: Files) => JSON.parse(files[MANIFEST]!.toString()) as Manifest
  const signedBy = (files: Files, by: Signer, org = 'north'): Files => ({
    ...files,
    [SIGNATURE]: Buffer.from(signManifest(org, files[MANIFEST]!.toString(), [by])),
  })
  /** A file that was changed, with the manifest made to fit. */
  const fitted = (files: Files, name: string, bytes: Buffer): Files => {
    const { digest: _, ...manifest } = manifestOf(files)
    const entries = manifest.files.map(entry =>
      entry.name === name ? { ...entry, bytes: bytes.length, sha256: sha256(bytes) } : entry,
    )
    return { ...files, [name]: bytes, [MANIFEST]: Buffer.from(manifestText({ ...manifest, files: entries })) }
  }

  before(async () => {
    const made = (signers: readonly Signer[]) =>
      inFolder(async folder => {
        const out = path.join(folder, 'out')
        await exported(books(3), out, { signers })
        return readFiles(out)
      })
    clean = await made([key])
    unsigned = await made([])
  })

  it('says who made it, and what is not known of that', async () => {
    expect(await verify(clean, known)).to.equal('trusted')
    expect(await verify(clean, undefined)).to.equal('unchecked')
    expect(await verify(unsigned, undefined)).to.equal('unsigned')
    expect(await verify(signedBy(clean, key), [verifierOf(signer()), ...known])).to.equal('trusted')
    const old = forged(clean, linesOf(clean), { version: 3 })
    expect(await verify(old)).to.equal('of an older version')
    expect(await verify(old, known, true)).to.equal('of an older version')
  })

  it('is not got rid of by an older version, which had none', async () => {
    for (const version of [1, 2, 3]) {
      const before = { ...(version < 3 && { checkpoint: undefined }), ...(version < 2 && { skips: undefined }) }
      const old = forged(clean, linesOf(clean), { version, ...before })
      expect(await codeOf(old), String(version)).to.equal('signature_missing')
      expect(await verify(old, known, true)).to.equal('of an older version')
      const { digest: _, ...manifest } = manifestOf(old)
      for (const name of ['schemas.json', 'index.html', 'cover.pdf', 'events.csv', 'tables/balances.csv']) {
        const [page, made] = [Buffer.from('<h1>made up</h1>'), [...manifest.files]]
        made.push({ name, bytes: page.length, sha256: sha256(page) })
        const files = { ...old, [name]: page, [MANIFEST]: Buffer.from(manifestText({ ...manifest, files: made })) }
        const code = await verify(files, known, true).catch(error => error.code)
        expect(code, `${version} ${name}`).to.equal('manifest_invalid')
        expect(await codeOf(files, 'no key')).to.equal('manifest_invalid')
      }
    }
  })

  it('is refused where it is missing, of another key, org or text, or a checkpoint', async () => {
    const { [SIGNATURE]: _, ...without } = clean
    expect(await codeOf(without)).to.equal('signature_missing')
    expect(await codeOf(without, 'no key')).to.equal('signature_missing')
    expect(await codeOf(unsigned)).to.equal('signature_missing')
    expect(await codeOf({ ...unsigned, [SIGNATURE]: clean[SIGNATURE]! }, 'no key')).to.equal('file_extra')
    expect(await codeOf(signedBy(clean, signer()))).to.equal('signature_wrong')
    expect(await codeOf(signedBy(clean, signer('example.com/other')))).to.equal('signature_wrong')
    expect(await codeOf(signedBy(clean, key, 'south'))).to.equal('signature_wrong')
    expect(await codeOf({ ...clean, [SIGNATURE]: Buffer.from('') })).to.equal('signature_wrong')
    expect(await codeOf({ ...clean, [SIGNATURE]: Buffer.alloc(2_000_000, 'x') })).to.equal('signature_wrong')
    const checkpoint = signNote(`example.com/kogi/org/north\n3\n${'A'.repeat(43)}=\n`, [key])
    expect(await codeOf({ ...clean, [SIGNATURE]: Buffer.from(checkpoint) })).to.equal('signature_wrong')
  })

  it('is refused where it names a log that only ends as that of the organization does', async () => {
    const digest = sha256(clean[MANIFEST]!)
    const by = (log: string) => Buffer.from(signNote(`${log}/audit-export\nsha256:${digest}\n`, [key]))
    expect(await codeOf({ ...clean, [SIGNATURE]: by('example.com/kogi/org/north') })).to.equal('holds')
    for (const log of [
      'other.example/org/north',
      'other.example/example.com/kogi/org/north',
      'example.com/kogi/org/north/org/north',
      'example.com/kogi/org/south/org/north',
      '/org/north',
    ]) {
      expect(await codeOf({ ...clean, [SIGNATURE]: by(log) }), log).to.equal('signature_wrong')
    }
  })

  it('is refused after any change of the manifest that was made to fit', async () => {
    const { digest: _, ...manifest } = manifestOf(clean)
    for (const change of [
      { code: '9.9.9' },
      { made_at: '2020-01-01T00:00:00.000Z' },
      { projections: [] },
      { checkpoint: 'x' },
    ]) {
      const files = { ...clean, [MANIFEST]: Buffer.from(manifestText({ ...manifest, ...change } as never)) }
      expect(await codeOf(files), JSON.stringify(change)).to.equal('signature_wrong')
      expect(await codeOf({ ...files, [SIGNATURE]: signedBy(files, signer())[SIGNATURE]! })).to.equal('signature_wrong')
    }
    const stripped = Buffer.from(manifestText({ ...manifest, signed: false }))
    const { [SIGNATURE]: __, ...without } = clean
    expect(await codeOf({ ...without, [MANIFEST]: stripped })).to.equal('signature_missing')
  })

  it('covers every file: a change that was made to fit is found by the signature, any other by the file', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.nat({ max: 7 }), async (which, at, bit) => {
        const names = manifestOf(clean).files.map(({ name }) => name)
        const name = names[which % names.length]!
        const bytes = Buffer.from(clean[name]!)
        bytes[at % bytes.length]! ^= 1 << bit
        expect(await codeOf(fitted(clean, name, bytes))).to.equal('signature_wrong')
        const code = await codeOf({ ...clean, [name]: bytes })
        expect(code).to.equal(name.startsWith('events.') ? 'line_changed' : 'file_changed')
      }),
      { numRuns: MUTATIONS },
    )).timeout(600_000)

  it('is refused where a file is missing, is a folder, or leads elsewhere', async () => {
    const { 'schemas.json': schemas, ...without } = clean
    expect(await codeOf(without)).to.equal('file_missing')
    const { digest: _, ...manifest } = manifestOf(clean)
    const entry = manifest.files.at(-1)!
    for (const name of ['../schemas.json', '/etc/passwd', 'a/b/c.csv', 'A.csv', 'schemas.json', MANIFEST]) {
      const files = [...manifest.files, { ...entry, name }]
      const changed = { ...clean, [MANIFEST]: Buffer.from(manifestText({ ...manifest, files })) }
      expect(await codeOf(signedBy(changed, key)), name).to.equal('manifest_invalid')
    }
    await inFolder(async folder => {
      await writeFiles(folder, clean)
      await rm(path.join(folder, 'schemas.json'))
      await mkdir(path.join(folder, 'schemas.json'))
      const code = await readManifest(folderSource(folder), { verifiers: known }).catch(
        (error: AuditFault) => error.code,
      )
      expect(code).to.equal('file_missing')
    })
    expect(schemas!.toString()).to.equal('{}\n')
  })
})
