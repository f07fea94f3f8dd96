/** An export that several threads check is sound exactly where it is sound line by line. */
import { generateKeyPairSync } from 'node:crypto'
import path from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { streamOf, uuidOf } from '../../commands/ids.ts'
import { signCheckpoint } from '../../projections/notary/checkpoint.ts'
import { leafOf } from '../../projections/notary/leaf.ts'
import { leafHash, Tree } from '../../projections/notary/merkle.ts'
import { type Signer, verifierOf } from '../../projections/notary/note.ts'
import { checkApart, linesIn, type Thread } from '../../read-api/audit/apart.ts'
import { AuditFault, type Manifest, skipsOf } from '../../read-api/audit/bundle.ts'
import { folderSource } from '../../read-api/audit/folder-source.ts'
import { type PartSetting, partChecker } from '../../read-api/audit/part-check.ts'
import type { SealOptions } from '../../read-api/audit/seal.ts'
import { readManifest } from '../../read-api/audit/verify.ts'
import { checkExport, checkOptions } from '../../scripts/check-export.ts'
import { startThread, startThreads } from '../../scripts/check-thread.ts'
import { History } from '../read-api/support.ts'
import { patient } from '../support/pace.ts'
import { exported, type Files, forged, inFolder, linesOf, readFiles, stored, writeFiles } from './support.ts'

const MUTATIONS = process.env.KOGI_LONG === '1' ? 3_000 : 60
const TASKS = 12
const EACH = 9

/** Events as the write path names them; `again` gives the command of each, by its number. */
function work(again = (n: number) => n): History {
  const history = new History()
  const total = TASKS * EACH
  for (let n = 0; n < total; n += 1) {
    const id = `t${n % TASKS}`
    if (n < TASKS) history.add('north', 'task', id, 'TaskCreated', { name: `Do ü${'x'.repeat(n)}`, status: 'open' })
    else history.add('north', 'task', id, 'TaskAssigned', { from: null, to: `a${n}` })
    const event = history.events.pop()!
    const { fingerprint, org } = event.metadata
    const commandId = uuidOf(['command', again(n)])
    const named = { stream: streamOf(org, 'task', id), eventId: uuidOf([commandId, fingerprint, 0]) }
    history.events.push({ ...event, ...named, metadata: { ...event.metadata, commandId } })
  }
  return history
}

const inProcess = (setting: PartSetting): Thread => {
  const part = partChecker(checkOptions(), setting)
  return { check: async lines => part.check(linesIn(lines)), end: async () => part.end() }
}

describe('the check of an export on several threads', function apart() {
  this.timeout(patient(120_000))
  const key: Signer = { name: 'example.com/kogi', privateKey: generateKeyPairSync('ed25519').privateKey }
  const known = [verifierOf(key)]
  let clean: Files

  async function made(history: History): Promise<Files> {
    const tree = new Tree()
    for await (const events of stored(history)) for (const event of events) tree.add(leafHash(leafOf(event)))
    const head = { origin: `${key.name}/org/north`, size: tree.size, root: tree.root }
    return inFolder(async folder => {
      const out = path.join(folder, 'out')
      await exported(history, out, { checkpoint: signCheckpoint(head, [key]), signers: [key] })
      return readFiles(out)
    })
  }

  /** What both say: the code of the check in one piece, and whether the threads find that all holds. */
  const both = (files: Files, count: number, options: SealOptions = { verifiers: known }, thread = inProcess) =>
    inFolder(async folder => {
      await writeFiles(folder, files)
      const source = folderSource(folder)
      const whole = await checkExport(source, options).then(
        ({ value }) => value,
        error => {
          if (error instanceof AuditFault) return error.code
          throw error
        },
      )
      let manifest: Manifest
      try {
        manifest = await readManifest(source, options)
      } catch {
        return { whole, parts: undefined }
      }
      const { org, selection } = manifest
      const setting = { org, selection, skips: skipsOf(manifest), wantsLeaves: true }
      const parts = await checkApart(source, manifest, options, {
        own: partChecker(checkOptions(), setting),
        others: Array.from({ length: count }, () => thread(setting)),
      })
      return { whole, parts }
    })

  before(async () => {
    clean = await made(work())
  })

  it('finds what the check in one piece finds, with any number of threads', async () => {
    for (const count of [0, 1, 2, 3]) {
      const { whole, parts } = await both(clean, count)
      expect(whole).to.include({ ok: true, events: TASKS * EACH })
      expect(parts).to.have.length(count + 1)
      const counts = parts!.map(({ counted }) => counted.events)
      expect(counts.reduce((sum, events) => sum + events)).to.equal(TASKS * EACH)
      expect(counts.every(events => events > 0)).to.equal(true)
    }
  })

  it('says of threads that run what it says without them', () =>
    inFolder(async folder => {
      await writeFiles(folder, clean)
      const source = folderSource(folder)
      const lines: number[] = []
      const onProgress = (line: number) => lines.push(line)
      const options = { verifiers: known, threads: { start: startThreads, from: 1 }, onProgress }
      const { value, text } = await checkExport(source, options)
      const alone = await checkExport(source, { verifiers: known })
      expect([value, text]).to.deep.equal([alone.value, alone.text])
      const start = () => {
        throw new Error('a thread may not be started')
      }
      expect(await checkExport(source, { ...options, threads: { start, from: 1 } })).to.deep.equal(alone)
      expect(lines.at(-1)).to.equal(TASKS * EACH)
      const [first, ...others] = linesOf(clean)
      await writeFiles(folder, forged(clean, [first!.replace('Do', 'Di'), ...others], {}, [key]))
      const fault = await checkExport(source, options).catch((error: AuditFault) => error)
      expect(fault).to.include({ code: 'seal_broken', file: 'events.ndjson' })
    }))

  it('has lines checked by a thread that runs', async () => {
    const running: ReturnType<typeof startThread>[] = []
    const run = (setting: PartSetting) => {
      running.push(startThread(setting))
      return running.at(-1)!
    }
    try {
      const { parts } = await both(clean, 1, { verifiers: known }, run)
      expect(parts![1]!.counted.events).to.be.greaterThan(0)
      const damaged = { ...clean, 'events.ndjson': flipped(clean['events.ndjson']!, 9_000) }
      expect((await both(damaged, 1, { verifiers: known }, run)).parts).to.equal(undefined)
    } finally {
      await Promise.all(running.map(thread => thread.stop()))
    }
  })

  it('finds a command that took effect twice in things of different threads', async () => {
    const files = await made(work(n => (n === 40 ? 27 : n)))
    for (const count of [0, 1, 2]) {
      const { whole, parts } = await both(files, count)
      expect([whole, parts]).to.deep.equal(['command_repeated', undefined])
    }
  })

  it('finds fault with what the check in one piece finds fault with', async () => {
    const codes = new Set<unknown>()
    const number = fc.nat({ max: 10_000 })
    const change = fc.constantFrom('flip', 'drop', 'swap', 'twice', 'move', 'tail', 'bytes')
    await fc.assert(
      fc.asyncProperty(change, number, number, fc.nat({ max: 3 }), fc.boolean(), async (kind, a, b, count, keyed) => {
        const lines = changed(linesOf(clean), kind, a, b)
        const files =
          kind === 'bytes'
            ? { ...clean, 'events.ndjson': flipped(clean['events.ndjson']!, a * 7 + b) }
            : forged(clean, lines, { ...(kind === 'drop' && { events: lines.length }) }, [key])
        const { whole, parts } = await both(files, count, keyed ? { verifiers: known } : {})
        codes.add(typeof whole === 'string' ? whole : 'sound')
        expect(parts !== undefined, JSON.stringify(whole)).to.equal(typeof whole !== 'string')
      }),
      { numRuns: MUTATIONS },
    )
    expect(codes.size).to.be.greaterThan(3)
  })
})

function changed(lines: readonly string[], kind: string, a: number, b: number): string[] {
  const list = [...lines]
  const [at, to] = [a % list.length, b % list.length]
  if (kind === 'flip') {
    const line = list[at]!
    const place = b % line.length
    list[at] = line.slice(0, place) + (line[place] === '1' ? '2' : '1') + line.slice(place + 1)
  }
  if (kind === 'drop') list.splice(at, 1)
  if (kind === 'twice') list.splice(to, 0, list[at]!)
  if (kind === 'move') list.splice(to, 0, ...list.splice(at, 1))
  if (kind === 'tail') list.length -= 1 + (a % 5)
  if (kind === 'swap') [list[at], list[to]] = [list[to]!, list[at]!]
  return list
}

function flipped(bytes: Buffer, at: number): Buffer {
  const made = Buffer.from(bytes)
  made[at % made.length]! ^= 1
  return made
}
