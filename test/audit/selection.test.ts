/** Exports of a selection: they prove that no event was left out that fits, and show the data of no other. */
import { generateKeyPairSync } from 'node:crypto'
import path from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { streamOf, uuidOf } from '../../commands/ids.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { projections } from '../../infra/catalogue.ts'
import { signCheckpoint } from '../../projections/notary/checkpoint.ts'
import { digestOf, leafOf } from '../../projections/notary/leaf.ts'
import { leafHash, Tree } from '../../projections/notary/merkle.ts'
import { type Signer, verifierOf } from '../../projections/notary/note.ts'
import { AuditFault } from '../../read-api/audit/bundle.ts'
import { folderSource } from '../../read-api/audit/folder-source.ts'
import { replay } from '../../read-api/audit/replay.ts'
import type { Selection } from '../../read-api/audit/selection.ts'
import { readManifest, verifiedEvents } from '../../read-api/audit/verify.ts'
import { checkOptions } from '../../scripts/check-export.ts'
import { History } from '../read-api/support.ts'
import { CHECK, exported, type Files, forged, inFolder, linesOf, readFiles, stored, writeFiles } from './support.ts'

const LONG = process.env.KOGI_LONG === '1'
const CLEAN = LONG ? 1_000 : 20
const MUTATIONS = LONG ? 10_000 : 200

type Line = {
  stream: string
  data?: unknown
  data_sha256?: string
  position: string
  metadata: { at: string; actor: { subject: string }; org: string; subjects: readonly string[] }
}
const parsed = (lines: readonly string[]) => lines.map(line => JSON.parse(line) as Line)

/** Three people work on wallets, tasks and projects for some days. */
function work(): History {
  const history = new History()
  const people = ['mira', 'jon', 'ada']
  for (let n = 0; n < 60; n += 1) {
    const actor = people[n % 3]!
    const at = `2026-01-${String(1 + Math.floor(n / 6)).padStart(2, '0')}T08:00:00.000Z`
    const org = n % 5 === 4 ? 'south' : 'north'
    if (n % 2 === 0) history.add(org, 'task', `t${n}`, 'TaskCreated', { name: `Do ${n}`, status: 'open' }, at)
    else history.add(org, 'wallet', `w${n}`, 'WalletOpened', { owner: actor, kind: 'personal' }, at)
    const event = history.events.pop()!
    const subjects = n % 4 === 0 ? [people[(n + 1) % 3]!] : []
    history.events.push({ ...event, metadata: { ...event.metadata, actor: { subject: actor, roles: [] }, subjects } })
  }
  return history
}

describe('an export of a selection', () => {
  const history = work()
  const key: Signer = { name: 'example.com/kogi', privateKey: generateKeyPairSync('ed25519').privateKey }
  const seal = { verifiers: [verifierOf(key)] }
  let checkpoint: string
  let all: readonly Line[]

  const made = (selection: Selection | undefined) =>
    inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(history, out, { selection, checkpoint, signers: [key] })
      return readFiles(out)
    })
  /** How many events of an export have their data. Throws its fault. */
  const verify = (files: Files) =>
    inFolder(async folder => {
      await writeFiles(folder, files)
      let events = 0
      for await (const { line } of verifiedEvents(
        folderSource(folder),
        await readManifest(folderSource(folder), { ...seal, older: true }),
        { ...CHECK, ...seal },
      )) {
        if ('stored' in line) events += 1
      }
      return events
    })
  const codeOf = (files: Files) =>
    verify(files).then(
      () => 'sound',
      error => {
        if (error instanceof AuditFault) return error.code
        throw error
      },
    )
  /** Changed lines with hashes and counts made to fit. */
  const refitted = (files: Files, lines: readonly Line[], more: object = {}) => {
    const shown = lines.filter(({ data }) => data !== undefined)
    const count = (of: (line: Line) => string) => {
      const counts: Record<string, number> = {}
      for (const line of shown) counts[of(line)] = (counts[of(line)] ?? 0) + 1
      return counts
    }
    const { range, selection } = JSON.parse(files['manifest.json']!.toString())
    const counts = {
      events: shown.length,
      left_out: lines.length - shown.length,
      types: count(line => (line as Line & { type: string }).type),
      categories: count(({ stream }) => stream.slice(0, stream.indexOf('-'))),
    }
    return forged(
      files,
      lines.map(line => canonicalJson(line)),
      { ...counts, range, selection, ...more },
      [key],
    )
  }

  before(async () => {
    const tree = new Tree()
    for await (const events of stored(history)) {
      for (const event of events) if (event.metadata.org === 'north') tree.add(leafHash(leafOf(event)))
    }
    checkpoint = signCheckpoint({ origin: `${key.name}/org/north`, size: tree.size, root: tree.root }, [key])
    all = parsed(linesOf(await made(undefined)))
  })

  const some = <T>(values: readonly T[]) => fc.subarray([...values], { minLength: 1 })
  const day = fc.integer({ min: 1, max: 12 }).map(n => `2026-01-${String(n).padStart(2, '0')}T00:00:00.000Z`)
  const selections: fc.Arbitrary<Selection> = fc
    .record(
      {
        categories: some(['wallet', 'task', 'project']),
        actors: some(['mira', 'jon', 'ada', 'nobody']),
        streams: some(['task-north~t0', 'task-north~t2', 'wallet-north~w1', 'wallet-north~none']),
        subjects: some(['mira', 'jon', 'nobody']),
        from: day,
        to: day,
        from_position: fc.bigInt({ min: 90n, max: 560n }),
        up_to_position: fc.bigInt({ min: 90n, max: 560n }),
      },
      { requiredKeys: [] },
    )
    .filter(parts => Object.keys(parts).length > 0)
  const fits = (line: Line, { categories, actors, streams, subjects, from, to, ...positions }: Selection) =>
    (!categories || categories.includes(line.stream.split('-')[0]!)) &&
    (!actors || actors.includes(line.metadata.actor.subject)) &&
    (!from || line.metadata.at >= from) &&
    (!to || line.metadata.at < to) &&
    (!streams || streams.includes(line.stream)) &&
    (!subjects || line.metadata.subjects.some(each => subjects.includes(each))) &&
    (positions.from_position === undefined || BigInt(line.position) >= positions.from_position) &&
    (positions.up_to_position === undefined || BigInt(line.position) <= positions.up_to_position)

  it('has the data of exactly the events that fit, and is sound, whatever is selected', () =>
    fc.assert(
      fc.asyncProperty(selections, async selection => {
        const files = await made(selection)
        const lines = parsed(linesOf(files))
        expect(lines.map(({ data }) => data !== undefined)).to.deep.equal(all.map(line => fits(line, selection)))
        expect(await verify(files)).to.equal(all.filter(line => fits(line, selection)).length)
      }),
      { numRuns: CLEAN },
    )).timeout(600_000)

  it('is refused where an event was hidden, shown, changed, moved or dropped, whatever was made to fit', () =>
    fc.assert(
      fc.asyncProperty(
        selections,
        fc.nat(),
        fc.constantFrom('hide', 'show', 'disguise', 'edit', 'drop', 'swap', 'widen'),
        async (selection, place, change) => {
          const files = await made(selection)
          const lines = parsed(linesOf(files))
          const at = lines
            .map((line, n) => ({ n, isIn: line.data !== undefined }))
            .filter(({ isIn }) =>
              change === 'show' ? !isIn : change === 'hide' || change === 'disguise' ? isIn : true,
            )
            .map(({ n }) => n)
          fc.pre(at.length > 0)
          const n = at[place % at.length]!
          const line = lines[n]!
          const { data, ...header } = line
          if (change === 'hide') {
            const changed = lines.with(n, { ...header, data_sha256: digestOf(data) })
            expect(await codeOf(refitted(files, changed))).to.equal('selection_incomplete')
          } else if (change === 'show') {
            const changed = lines.with(n, all[n]!)
            expect(await codeOf(refitted(files, changed))).to.equal('selection_exceeded')
          } else if (change === 'disguise') {
            const metadata = { ...header.metadata, at: '2025-01-01T00:00:00.000Z', actor: { subject: 'x', roles: [] } }
            const changed = lines.with(n, { ...header, metadata, data_sha256: digestOf(data) })
            expect(await codeOf(refitted(files, changed))).to.be.oneOf(['selection_incomplete', 'seal_broken'])
          } else if (change === 'edit') {
            const metadata = { ...line.metadata, $correlationId: 'another' }
            expect(await codeOf(refitted(files, lines.with(n, { ...line, metadata } as Line)))).to.equal('seal_broken')
          } else if (change === 'drop') {
            const rest = lines.toSpliced(n, 1)
            expect(await codeOf(refitted(files, rest))).to.be.oneOf(['seal_broken', 'manifest_mismatch'])
          } else if (change === 'swap') {
            fc.pre(n > 0)
            const swapped = lines.with(n, lines[n - 1]!).with(n - 1, line)
            expect(await codeOf(refitted(files, swapped))).to.equal('line_reordered')
          } else {
            const wider = { actors: ['mira', 'jon', 'ada'] }
            fc.pre(lines.some(({ data }) => data === undefined))
            expect(await codeOf(refitted(files, lines, { selection: wider }))).to.equal('selection_incomplete')
          }
        },
      ),
      { numRuns: MUTATIONS },
    )).timeout(600_000)

  it('says that there is nothing where nothing fits, and proves that', async () => {
    const files = await made({ actors: ['nobody'] })
    expect(await verify(files)).to.equal(0)
    expect(files['events.ndjson']!.toString()).not.to.contain('"name":"Do')
  })

  it('is as sound as a whole one with an event of another program that all projections skip', async () => {
    const history = new History()
    for (const [category, id, type, data] of [
      ['task', 't', 'TaskCreated', { name: 'Do', status: 'open' }],
      ['wallet', 'w', 'WalletOpened', { owner: 'o', kind: 'personal' }],
      ['wallet', 'w', 'EntryPosted', { entry: 'nonsense' }],
    ] as const) {
      history.add('north', category, id, type, data)
    }
    for (const event of history.events) {
      const stream = streamOf('north', event.category, event.metadata.id)
      const { commandId, fingerprint } = event.metadata
      Object.assign(event, { stream, eventId: uuidOf([commandId, fingerprint, 0]) })
    }
    const own = { eventId: uuidOf(['an id of its own']) }
    Object.assign(history.events.at(-1)!, own)
    const decided = { position: history.position, reason: 'broken', actor: 'ops', at: '2026-05-06T07:08:09.010Z' }
    const skips = projections.map(({ name }) => ({ ...decided, projection: name }))
    const verdict = (selection: Selection | undefined, skips: readonly object[]) =>
      inFolder(async folder => {
        const out = path.join(folder, 'out')
        await exported(history, out, { selection, skips })
        const manifest = await readManifest(folderSource(out))
        expect(manifest.skips?.length).to.equal(skips.length)
        try {
          for await (const _ of verifiedEvents(folderSource(out), manifest, checkOptions()));
          return 'sound'
        } catch (error) {
          return (error as AuditFault).code
        }
      })
    const tasks = { categories: ['task'] }
    expect(await verdict(undefined, skips)).to.equal('sound')
    expect(await verdict({ categories: ['wallet'] }, skips)).to.equal('sound')
    expect(await verdict(tasks, skips)).to.equal('sound')
    expect(await verdict(tasks, [])).to.equal('event_id_wrong')
    expect(
      await verdict(
        tasks,
        skips.filter(({ projection }) => projection === 'tasks'),
      ),
    ).to.equal('event_id_wrong')
  })

  it('is no whole export: headers have no place there, and rows do not follow from a part', async () => {
    const files = await made({ categories: ['task'] })
    const { selection: _, left_out: __, ...manifest } = JSON.parse(files['manifest.json']!.toString())
    const whole = { ...files, 'manifest.json': Buffer.from(JSON.stringify(manifest)) }
    const plain = refitted(whole, parsed(linesOf(files)), { version: 3, selection: undefined, left_out: undefined })
    expect(await codeOf(plain)).to.equal('line_invalid')
    await inFolder(async folder => {
      await writeFiles(folder, files)
      const code = await replay({ ...CHECK, source: folderSource(folder) }).catch((error: AuditFault) => error.code)
      expect(code).to.equal('selection_not_whole')
    })
  })
})
