import { generateKeyPairSync } from 'node:crypto'
import path from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import type { KogiError } from '../../domain/kernel/errors.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { signCheckpoint, statedHead } from '../../projections/notary/checkpoint.ts'
import { cosign, witnessOf, witnessText } from '../../projections/notary/cosignature.ts'
import { leafOf } from '../../projections/notary/leaf.ts'
import { leafHash, Tree } from '../../projections/notary/merkle.ts'
import { type Signer, verifierOf } from '../../projections/notary/note.ts'
import { AuditFault, eventOf } from '../../read-api/audit/bundle.ts'
import { folderSource } from '../../read-api/audit/folder-source.ts'
import { cosignedOf, type SealOptions, sealedOf } from '../../read-api/audit/seal.ts'
import { readManifest, verifiedEvents } from '../../read-api/audit/verify.ts'
import { sealOptions } from '../../scripts/audit-verify.ts'
import { check } from '../../scripts/page/entry.ts'
import { books, CHECK, exported, type Files, forged, inFolder, linesOf, readFiles, writeFiles } from './support.ts'

const MUTATIONS = process.env.KOGI_LONG ? 10_000 : 150
const ORIGIN = 'example.com/kogi'
const signer = (): Signer => ({ name: ORIGIN, privateKey: generateKeyPairSync('ed25519').privateKey })

type Line = { metadata: { actor: { subject: string }; at: string }; data: { postings?: { amount: string }[] } } & {
  readonly type: string
  stream: string
}

describe('a sealed export', () => {
  const key = signer()
  const seal = { verifiers: [verifierOf(key)] }
  let clean: Files
  let lines: readonly string[]

  /** The checkpoint of the first lines, as the notary signs it. */
  const checkpointOf = (first: readonly string[], { by = key, origin = `${ORIGIN}/org/north` } = {}) => {
    const tree = new Tree()
    for (const line of first) tree.add(leafHash(leafOf(eventOf(JSON.parse(line)))))
    return signCheckpoint({ origin, size: tree.size, root: tree.root }, [by])
  }
  const verify = (files: Files, options: SealOptions = seal) =>
    inFolder(async folder => {
      await writeFiles(folder, files)
      const manifest = await readManifest(folderSource(folder), options)
      for await (const _ of verifiedEvents(folderSource(folder), manifest, { ...CHECK, ...options }));
      return sealedOf(manifest, options)
    })
  const codeOf = async (files: Files, options?: SealOptions) => {
    try {
      await verify(files, options)
    } catch (error) {
      if (error instanceof AuditFault) return error.code
      throw error
    }
    return 'sound'
  }
  /** Lines that were changed, with hashes and counts made to fit, and the positions and revisions of those left. */
  const resealed = (changed: readonly string[], checkpoint: string | null = checkpointOf(lines), more = {}) => {
    const parsed = changed.map(line => JSON.parse(line))
    const count = (of: (line: Line) => string) => {
      const counts: Record<string, number> = {}
      for (const line of parsed) counts[of(line)] = (counts[of(line)] ?? 0) + 1
      return counts
    }
    const revisions = new Map<string, number>()
    const fitted = parsed.map(line => {
      const revision = revisions.get(line.stream) ?? 0
      revisions.set(line.stream, revision + 1)
      return canonicalJson({ ...line, revision: String(revision) })
    })
    const { range } = JSON.parse(clean['manifest.json']!.toString())
    const counts = {
      events: parsed.length,
      types: count(({ type }) => type),
      categories: count(({ stream }) => stream.slice(0, stream.indexOf('-'))),
      range: { ...range, first: parsed[0].position, last: parsed.at(-1).position },
      checkpoint,
      ...more,
    }
    return forged(clean, fitted, counts, [key])
  }
  const edited = (where: (line: Line) => boolean, change: (line: Line) => void) => {
    let isDone = false
    return lines.map(text => {
      const line = JSON.parse(text) as Line
      if (isDone || !where(line)) return text
      isDone = true
      change(line)
      return canonicalJson(line)
    })
  }
  const isEntry = ({ data }: Line) => data.postings !== undefined && data.postings[0]!.amount !== '0'

  before(async () => {
    clean = await inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(books(12), out, { signers: [key] })
      return readFiles(out)
    })
    lines = linesOf(clean)
  })

  it('is sound, wherever its checkpoint ends', async () => {
    for (let size = 0; size <= lines.length; size += 1) {
      const files = resealed(lines, checkpointOf(lines.slice(0, size)))
      expect(await verify(files)).to.deep.equal({ events: size, isTrusted: true })
      expect(await verify(files, {})).to.deep.equal({ events: size, isTrusted: false })
    }
  })

  it('is refused after every edit, however well the rest was made to fit', async () => {
    const twice = (text: string) => String(BigInt(text) * 2n)
    const wallet = (JSON.parse(lines[0]!) as Line).stream
    const edits: Readonly<Record<string, readonly string[]>> = {
      'an amount doubled': edited(isEntry, ({ data }) => {
        for (const posting of data.postings!) posting.amount = twice(posting.amount)
      }),
      'one leg changed': edited(isEntry, ({ data }) => {
        data.postings![0]!.amount = twice(data.postings![0]!.amount)
      }),
      'the last ten events dropped': lines.slice(0, -10),
      'a wallet dropped': lines.filter(line => (JSON.parse(line) as Line).stream !== wallet),
      'an actor renamed': edited(isEntry, ({ metadata }) => {
        metadata.actor.subject = 'another'
      }),
      'a time moved': edited(isEntry, ({ metadata }) => {
        metadata.at = '2020-01-01T00:00:00.000Z'
      }),
      'an entry dropped': lines.filter((_, n) => n !== 7),
      'two events swapped': [...lines.slice(0, 5), lines[6]!, lines[5]!, ...lines.slice(7)],
    }
    for (const [what, changed] of Object.entries(edits)) {
      expect(changed, what).to.not.deep.equal(lines)
      expect(await codeOf(resealed(changed)), what).to.be.oneOf(['seal_broken', 'line_reordered'])
    }
  })

  it('is refused for any change of any line that is sealed', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.nat(),
        fc.constantFrom('drop', 'edit', 'double', 'truncate'),
        async (place, pick, change) => {
          const at = place % lines.length
          const event = JSON.parse(lines[at]!)
          event.metadata.$correlationId = `changed-${pick}`
          const changed = {
            drop: lines.filter((_, n) => n !== at),
            edit: lines.map((line, n) => (n === at ? canonicalJson(event) : line)),
            double: lines.flatMap((line, n) => (n === at ? [line, line] : [line])),
            truncate: lines.slice(0, Math.max(1, at)),
          }[change]
          const code = await codeOf(resealed(changed))
          expect(code).to.be.oneOf(change === 'double' ? ['line_duplicated'] : ['seal_broken'])
        },
      ),
      { numRuns: MUTATIONS },
    )).timeout(600_000)

  it('is refused with a seal by another key, of another org, or none, where the key is known', async () => {
    expect(await codeOf(resealed(lines, checkpointOf(lines, { by: signer() })))).to.equal('seal_untrusted')
    const foreign = checkpointOf(lines, { origin: `${ORIGIN}/org/south` })
    expect(await codeOf(resealed(lines, foreign))).to.equal('seal_untrusted')
    expect(await codeOf(resealed(lines, foreign), {})).to.equal('seal_untrusted')
    expect(await codeOf(resealed(lines, 'no note'))).to.equal('seal_untrusted')
    expect(await codeOf(resealed(lines, null))).to.equal('seal_missing')
    expect(await codeOf(resealed(lines, null), {})).to.equal('sound')
  })

  it('has a checkpoint that the witnesses of the auditor have cosigned, as many as are to', async () => {
    const [one, two] = ['w.example/1', 'w.example/2'].map(name => ({ ...signer(), name }))
    const keys = [one!, two!].map(witnessOf)
    const cosigned = (first: readonly string[], by: readonly Signer[]) => {
      const note = checkpointOf(first)
      return note + by.map((witness, n) => cosign(note, witness, 1_700_000_000 + n)).join('')
    }
    const withNote = (note: string | undefined, changed: readonly string[] = lines) =>
      resealed(changed, checkpointOf(changed), { cosigned: note })
    const asks = (quorum: number, mayBePart = true) => ({ ...seal, witnesses: { keys, quorum, mayBePart } })
    const both = withNote(cosigned(lines.slice(0, 9), [one!, two!]))
    expect(await codeOf(both, asks(2))).to.equal('sound')
    expect(await codeOf(both, asks(2, false)), 'a part alone').to.equal('witnesses_missing')
    expect(await codeOf(withNote(cosigned(lines, [one!, two!])), asks(2, false))).to.equal('sound')
    expect(await codeOf(withNote(cosigned([], [one!, two!])), asks(2)), 'no event').to.equal('witnesses_missing')
    const keyless = { witnesses: { keys, quorum: 2 } }
    expect(await codeOf(both, keyless), 'without the key of the log').to.equal('seal_untrusted')
    expect(await codeOf(both)).to.equal('sound')
    const manifest = JSON.parse(both['manifest.json']!.toString())
    expect(cosignedOf(manifest, asks(2))).to.deep.equal({
      events: 9,
      by: [
        { name: 'w.example/1', at: '2023-11-14T22:13:20.000Z' },
        { name: 'w.example/2', at: '2023-11-14T22:13:21.000Z' },
      ],
    })
    const half = withNote(cosigned(lines.slice(0, 9), [one!]))
    expect(await codeOf(half, asks(1))).to.equal('sound')
    expect(await codeOf(half, asks(2))).to.equal('witnesses_missing')
    expect(await codeOf(withNote(undefined), asks(1))).to.equal('witnesses_missing')
    const stranger = withNote(cosigned(lines, [{ ...signer(), name: 'w.example/1' }]))
    expect(await codeOf(stranger, asks(1))).to.equal('witnesses_missing')
    const moved = checkpointOf(lines) + cosign(checkpointOf(lines.slice(0, 9)), one!, 1)
    expect(await codeOf(withNote(moved), asks(1)), 'a cosignature of another checkpoint').to.equal('seal_untrusted')
    // Two histories, both signed by the log: the witness has seen one of them.
    const other = edited(isEntry, ({ metadata }) => {
      metadata.actor.subject = 'another'
    })
    const split = withNote(cosigned(lines, [one!, two!]), other)
    expect(await codeOf(split, { ...seal })).to.equal('seal_broken')
    expect(await codeOf(withNote(cosigned(lines.slice(0, 9), [one!, two!]), other), asks(2))).to.equal('seal_broken')
  })

  it('is not of an org whose name is the last segment of a longer origin, whoever has cosigned that', async () => {
    const witness = { ...signer(), name: 'w.example/1' }
    const witnesses = { keys: [witnessOf(witness)], quorum: 1 }
    const second = { ...signer(), name: 'second.example/log' }
    for (const [origin, by] of [
      [`${ORIGIN}/org/x/org/north`, [key]],
      [`${second.name}/org/north`, [key, second]],
    ] as const) {
      const whole = checkpointOf(lines, { origin })
      const note = signCheckpoint(statedHead(whole), by)
      const files = resealed(lines, checkpointOf(lines), { cosigned: note + cosign(note, witness, 1) })
      expect(await codeOf(files, { ...seal, witnesses }), origin).to.equal('seal_untrusted')
      expect(await codeOf(resealed(lines, note)), origin).to.equal('seal_untrusted')
    }
    const longer = checkpointOf(lines, { origin: `${ORIGIN}/org/x/org/north` })
    expect(await codeOf(resealed(lines, longer), {}), 'without a key').to.equal('seal_untrusted')
  })

  it('may have the cosigned checkpoint of an earlier log or key, ignored unless witnesses are named', async () => {
    const witness = { ...signer(), name: 'w.example/1' }
    const named = { ...seal, witnesses: { keys: [witnessOf(witness)], quorum: 1 } }
    const old = edited(isEntry, ({ metadata }) => {
      metadata.actor.subject = 'another'
    })
    const before = { ...signer(), name: 'before.example/log' }
    for (const note of [
      checkpointOf(lines, { by: signer() }),
      checkpointOf(old, { by: before, origin: `${before.name}/org/north` }),
    ]) {
      const files = resealed(lines, checkpointOf(lines), { cosigned: note + cosign(note, witness, 1) })
      expect(await codeOf(files)).to.equal('sound')
      expect(await codeOf(files, named)).to.equal('seal_untrusted')
    }
    const foreign = checkpointOf(old, { by: before, origin: `${before.name}/org/north` })
    expect(await codeOf(resealed(lines, checkpointOf(lines), { cosigned: foreign }), {})).to.equal('sound')
  })

  it('is of version 6 where it has a cosigned checkpoint, and of 5 elsewhere', async () => {
    const manifestOf = (more: object) =>
      inFolder(async folder => {
        const out = path.join(folder, 'out')
        await exported(books(1), out, { signers: [key], ...more })
        return readManifest(folderSource(out), seal)
      })
    const note = checkpointOf(lines.slice(0, 2))
    expect((await manifestOf({ checkpoint: note })).version).to.equal(5)
    expect(await manifestOf({ checkpoint: note, cosigned: note })).to.include({ version: 6, cosigned: note })
    expect(await codeOf(resealed(lines, checkpointOf(lines), { version: 6 }))).to.equal('manifest_invalid')
  })

  it('is not called sound by verb or page for keys of witnesses without one of the log', async () => {
    const witness = { ...signer(), name: 'w.example/1' }
    const note = checkpointOf(lines)
    const files = resealed(lines, note, { cosigned: note + cosign(note, witness, 1) })
    const keys = witnessText(witnessOf(witness))
    const dropped = Object.entries(files).map(([name, bytes]) => ({ path: name, blob: new Blob([bytes]) }))
    const rest = { since: '', older: false, part: true, onProgress: () => {} }
    expect(await check({ files: dropped, keys, ...rest })).to.include({ ok: false })
    const refused = await sealOptions({ key: [], witness: [keys] }).catch((error: KogiError) => error)
    expect(refused).to.include({ code: 'invalid_parameter' })
  })

  it('goes on from a checkpoint that was kept, or is refused', async () => {
    const earlier = checkpointOf(lines.slice(0, 9))
    expect(await codeOf(resealed(lines), { ...seal, earlier })).to.equal('sound')
    const other = edited(isEntry, ({ metadata }) => {
      metadata.actor.subject = 'another'
    })
    // The operator signs what was edited: only who kept the earlier checkpoint finds it.
    const signed = resealed(other, checkpointOf(other))
    expect(await codeOf(signed)).to.equal('sound')
    expect(await codeOf(signed, { ...seal, earlier })).to.equal('seal_broken')
    expect(await codeOf(resealed(lines.slice(0, 5), checkpointOf(lines.slice(0, 5))), { ...seal, earlier })).to.equal(
      'seal_broken',
    )
  })
})
