import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { AuditFault, EVENTS, HASHES, MANIFEST, ownFiles } from '../../read-api/audit/bundle.ts'
import { folderSource } from '../../read-api/audit/folder-source.ts'
import { othersAmong } from '../../read-api/audit/source.ts'
import { readManifest, verifiedEvents } from '../../read-api/audit/verify.ts'
import { books, CHECK, exported, type Files, forged, inFolder, linesOf, readFiles, writeFiles } from './support.ts'

const MUTATIONS = process.env.KOGI_LONG ? 10_000 : 150

async function verify(folder: string): Promise<number> {
  const manifest = await readManifest(folderSource(folder))
  let events = 0
  for await (const _ of verifiedEvents(folderSource(folder), manifest, CHECK)) events += 1
  return events
}

const othersIn = async (folder: string, { [MANIFEST]: manifest }: Files) =>
  othersAmong(await folderSource(folder).entries(), ownFiles(JSON.parse(manifest!.toString())))

/** The fault that a folder with these files has; fails where it has none. */
async function faultOf(files: Files): Promise<AuditFault> {
  return inFolder(async folder => {
    await writeFiles(folder, files)
    try {
      await verify(folder)
    } catch (error) {
      if (error instanceof AuditFault) return error
      throw error
    }
    throw new Error('no fault found')
  })
}

const withLines = (files: Files, name: string, lines: readonly string[]): Files => ({
  ...files,
  [name]: Buffer.from(lines.map(line => `${line}\n`).join('')),
})

describe('a tampered export', () => {
  let clean: Files
  before(async () => {
    clean = await inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(books(12), out)
      return readFiles(out)
    })
  })

  it('is none when nothing was changed', async () => {
    const sizes = process.env.KOGI_LONG ? 1_000 : 10
    for (let entries = 0; entries < sizes; entries += 1) {
      await inFolder(async folder => {
        const out = path.join(folder, 'out')
        const { events } = await exported(books(entries % 40), out)
        expect(await verify(out)).to.equal(events)
      })
    }
  }).timeout(300_000)

  it('is found, with file and line, for any changed byte', async () => {
    const place = fc.constantFrom(EVENTS, HASHES, MANIFEST).chain(name =>
      fc.record({
        name: fc.constant(name),
        at: fc.nat({ max: clean[name]!.length - 1 }),
        bit: fc.nat({ max: 7 }),
      }),
    )
    const property = fc.asyncProperty(place, async ({ name, at, bit }) => {
      const bytes = Buffer.from(clean[name]!)
      const before = bytes[at]!
      bytes[at] = before ^ (1 << bit)
      const { code, file, line } = await faultOf({ ...clean, [name]: bytes })
      if (name === MANIFEST) expect(code).to.be.oneOf(['manifest_invalid', 'manifest_changed'])
      else expect({ code, line }).to.deep.equal({ code: 'line_changed', line: lineAt(clean[name]!, at) })
      expect(file).to.equal(name)
    })
    await fc.assert(property, { numRuns: MUTATIONS })
  }).timeout(600_000)

  it('is found for lines that are gone, doubled, swapped or added', async () => {
    const edit = fc.record({
      name: fc.constantFrom(EVENTS, HASHES),
      kind: fc.constantFrom('delete', 'double', 'swap', 'insert', 'truncate'),
      a: fc.nat(),
      b: fc.nat(),
    })
    const property = fc.asyncProperty(edit, async ({ name, kind, a, b }) => {
      const lines = linesOf(clean, name)
      const [from, to] = [a % lines.length, b % lines.length].sort((x, y) => x - y) as [number, number]
      const changed = [...lines]
      let files = clean
      let expected: { code: string; line: number } = { code: 'line_missing', line: from + 1 }
      if (kind === 'delete') {
        changed.splice(from, 1)
        if (from === lines.length - 1) expected = { code: 'tail_truncated', line: lines.length }
      } else if (kind === 'double') {
        changed.splice(to + 1, 0, lines[from]!)
        expected = { code: 'line_duplicated', line: to + 2 }
      } else if (kind === 'swap') {
        if (from === to) return
        changed[from] = lines[to]!
        changed[to] = lines[from]!
        expected = { code: 'line_reordered', line: from + 1 }
      } else if (kind === 'insert') {
        changed.splice(from, 0, `x${lines[from]}`)
        expected = { code: 'line_inserted', line: from + 1 }
      }
      files = withLines(clean, name, changed)
      if (kind === 'truncate') {
        const at = a % clean[name]!.length
        files = { ...clean, [name]: clean[name]!.subarray(0, at) }
        expected = { code: 'tail_truncated', line: lineAt(clean[name]!, at) }
      }
      const { code, file, line } = await faultOf(files)
      expect({ file, code, line }).to.deep.equal({ file: name, ...expected })
    })
    await fc.assert(property, { numRuns: MUTATIONS })
  }).timeout(600_000)

  it('is found for files that are missing, strange or empty', async () => {
    const { [HASHES]: _, ...without } = clean
    expect(await faultOf(without)).to.include({ code: 'file_missing', file: HASHES })
    const { [MANIFEST]: __, ...headless } = clean
    expect(await faultOf(headless)).to.include({ code: 'manifest_missing', file: MANIFEST })
    expect(await faultOf({ ...clean, 'notes.txt': Buffer.from('') })).to.include({
      code: 'file_extra',
      file: 'notes.txt',
    })
    // A name that only looks like one that a file manager leaves.
    expect(await faultOf({ ...clean, 'Thumbs.db.ndjson': Buffer.from('') })).to.include({ code: 'file_extra' })
    expect(await faultOf({ ...clean, [EVENTS]: Buffer.from('') })).to.include({ code: 'tail_truncated', line: 1 })
    expect(await faultOf({ ...clean, [MANIFEST]: Buffer.from('') })).to.include({ code: 'manifest_invalid' })
    const both = withLines(withLines(clean, EVENTS, linesOf(clean).slice(1)), HASHES, linesOf(clean, HASHES).slice(1))
    expect(await faultOf(both)).to.include({ code: 'file_changed', file: EVENTS })
  })

  it('is none where a file manager has left its files, and they are named', async () => {
    await inFolder(async folder => {
      const left = ['.DS_Store', 'Thumbs.db', 'desktop.ini']
      await writeFiles(folder, { ...clean, ...Object.fromEntries(left.map(name => [name, Buffer.from('x')])) })
      expect(await verify(folder)).to.be.above(0)
      expect(await othersIn(folder, clean)).to.deep.equal({ ignored: left, foreign: [] })
      await rm(path.join(folder, '.DS_Store'))
      await mkdir(path.join(folder, '.DS_Store'))
      expect((await othersIn(folder, clean)).foreign, 'a folder is none of these').to.deep.equal(['.DS_Store'])
    })
  })

  it('is found by the contents of the lines where the hashes were made to fit', async () => {
    const lines = linesOf(clean)
    const change = (at: number, from: string | RegExp, to: string) =>
      lines.map((line, index) => (index === at ? line.replace(from, to) : line))
    const entry = lines.findIndex(line => line.includes('EntryPosted'))
    for (const [code, changed, counts] of [
      ['line_reordered', [...lines.slice(0, 2), lines[3]!, lines[2]!, ...lines.slice(4)]],
      ['line_duplicated', [...lines.slice(0, 2), lines[1]!, ...lines.slice(2)]],
      ['revision_gap', lines.toSpliced(entry, 1)],
      ['manifest_mismatch', lines.slice(0, -1)],
      ['line_not_canonical', change(entry, '{', '{ ')],
      ['line_not_canonical', change(entry, '"data"', '"\\u0064ata"')],
      ['line_invalid', change(entry, /"amount":"-?\d+"/, '"amount":"1.5"')],
      ['line_invalid', change(entry, '"kind":"journal"', '"kind":"journal","loud":true')],
      ['line_invalid', change(entry, '"effectiveOn":"2026-01-01"', '"effectiveOn":"2026-02-30"')],
      ['line_invalid', change(entry, '"revision":"', '"revision":"0')],
      ['event_unknown', change(entry, 'EntryPosted', 'EntryForged')],
      ['event_unknown', change(entry, '"stream":"wallet', '"stream":"tasks')],
      ['foreign_org', change(entry, '"org":"north"', '"org":"south"')],
      ['manifest_invalid', lines, { version: 4 }],
      ['manifest_invalid', lines, { version: 2 }],
      ['manifest_invalid', lines, { version: 1 }],
      ['manifest_invalid', lines, { note: 'hello' }],
      ['manifest_mismatch', lines, { events: 1 }],
      ['manifest_mismatch', lines, { range: { first: '1', last: '9', head: '9' } }],
    ] as const) {
      expect(await faultOf(forged(clean, changed, counts)), code).to.include({ code })
    }
  })

  it('leaves a folder behind whole or not at all, and none is overwritten unasked', async () => {
    await inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(books(3), out)
      const again = exported(books(4), out).catch((error: AuditFault) => error.code)
      expect(await again).to.equal('output_exists')
      const { events } = await exported(books(4), out, { force: true })
      expect(await verify(out)).to.equal(events)
      await writeFile(path.join(out, 'letters.txt'), 'mine')
      const forced = exported(books(5), out, { force: true }).catch((error: AuditFault) => error.code)
      expect(await forced).to.equal('output_not_an_export')
      await rm(path.join(out, 'letters.txt'))
      const stranger = exported(books(4), path.join(folder, 'other'), { org: 'nobody' })
      expect(await stranger.catch((error: AuditFault) => error.code)).to.equal('org_empty')
      async function* broken() {
        yield []
        throw new Error('the log went away')
      }
      const failed = exported(books(4), path.join(folder, 'other'), { events: broken })
      expect(await failed.catch((error: Error) => error.message)).to.equal('the log went away')
      expect(await readdir(folder)).to.deep.equal(['out'])
      await rm(path.join(out, HASHES))
      await writeFile(path.join(out, EVENTS), '')
      expect((await readManifest(folderSource(out)).catch((error: AuditFault) => error)) as AuditFault).to.include({
        code: 'file_missing',
      })
    })
  })
})

function lineAt(bytes: Buffer, at: number): number {
  return bytes.subarray(0, at).filter(byte => byte === 10).length + 1
}
