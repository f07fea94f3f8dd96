/** How fast an org is exported from the event store, in how much memory, and how fast the export is checked offline. */
import { execFile } from 'node:child_process'
import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { streamOf, uuidOf } from '../../commands/ids.ts'
import { categoryOf } from '../../domain/kernel/codec.ts'
import { aggregates, domainStreamPrefixes, projections } from '../../infra/catalogue.ts'
import { ExportEnd } from '../../infra/embedded/event-store/care/export-end.ts'
import { importEvents } from '../../infra/embedded/event-store/care/transfer.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { signCheckpoint } from '../../projections/notary/checkpoint.ts'
import { leafOf } from '../../projections/notary/leaf.ts'
import { leafHash, Tree } from '../../projections/notary/merkle.ts'
import { type Signer, verifierOf } from '../../projections/notary/note.ts'
import { exportOrg } from '../../read-api/audit/export.ts'
import { folderSource } from '../../read-api/audit/folder-source.ts'
import { schemasOf } from '../../read-api/audit/schemas.ts'
import { checkExport } from '../check-export.ts'
import { startThreads } from '../check-thread.ts'
import { startKogi } from '../running.ts'
import { alone, type Figure, paired } from './figure.ts'
import { writeLog } from './log.ts'

const EVENTS = Number(process.env.KOGI_BENCH_EVENTS ?? 100_000)
const ROUNDS = 3
const ORG = 'bench'
const NAME = 'bench.example'

/** What a step of its own process has measured. */
type Step = { readonly ms: number; readonly bareMs: number; readonly peakMb: number }

/** Events exported and checked per second, beside the bare SHA-256 of the same lines in the same process. */
export async function auditBench(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-bench-audit-'))
  const { privateKey } = generateKeyPairSync('ed25519')
  const key = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')
  const checkpoint = await makeLog(folder, { name: NAME, privateKey })
  const store = await startKogi(['store', 'serve', '--data', path.join(folder, 'events'), '--port', '0'], {})
  try {
    const exports: Step[] = []
    const checks: Step[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const out = path.join(folder, `out-${round}`)
      exports.push(await inProcess('exportStep', store.url, out, key, checkpoint))
      checks.push(await inProcess('checkStep', out, key))
      await rm(out, { recursive: true })
    }
    const rate = (steps: readonly Step[]) =>
      steps.map(({ ms, bareMs }) => ({ value: perSecond(ms), bare: perSecond(bareMs) }))
    return [
      paired('audit_export_events_per_second', '1/s', rate(exports)),
      alone('audit_export_peak_memory', Math.max(...exports.map(({ peakMb }) => peakMb)), 'MB'),
      paired('audit_verify_events_per_second', '1/s', rate(checks)),
      alone('audit_verify_peak_memory', Math.max(...checks.map(({ peakMb }) => peakMb)), 'MB'),
    ]
  } finally {
    await store.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const perSecond = (ms: number) => EVENTS / (ms / 1_000)

/** Fills a store with events of one org that have the names of the write path; returns its signed checkpoint. */
async function makeLog(folder: string, signer: Signer): Promise<string> {
  const [raw, named] = [path.join(folder, 'raw.ndjson'), path.join(folder, 'named.ndjson')]
  await writeLog(raw, EVENTS)
  const out = createWriteStream(named)
  const end = new ExportEnd()
  const tree = new Tree()
  let count = 0
  for await (const text of createInterface({ input: createReadStream(raw) })) {
    if (count === EVENTS) break
    count += 1
    const line = JSON.parse(text)
    const { org, id: thing, ...rest } = JSON.parse(line.metadata)
    const id = `${org}/${thing}`
    const stream = streamOf(ORG, categoryOf(line.stream), id)
    const commandId = uuidOf(['bench', count])
    const metadata = { ...rest, commandId, org: ORG, id }
    const eventId = uuidOf([commandId, metadata.fingerprint, 0])
    const revision = BigInt(line.revision)
    const data = JSON.parse(line.data)
    tree.add(leafHash(leafOf({ stream, revision, eventId, type: line.type, metadata, data, position: 0n })))
    const made = JSON.stringify({ ...line, stream, id: eventId, metadata: JSON.stringify(metadata) })
    end.add(made)
    if (!out.write(`${made}\n`)) await once(out, 'drain')
  }
  out.end(`${end.line()}\n`)
  await once(out, 'close')
  await importEvents(path.join(folder, 'events'), named)
  await Promise.all([rm(raw), rm(named)])
  return signCheckpoint({ origin: `${NAME}/org/${ORG}`, size: tree.size, root: tree.root }, [signer])
}

/** Runs a step of this file in a process of its own, so that its memory is its own. */
async function inProcess(step: 'exportStep' | 'checkStep', ...args: readonly string[]): Promise<Step> {
  const file = path.join(path.dirname(process.argv[1]!), 'audit.js')
  const call = `import { ${step} } from ${JSON.stringify(file)}
    console.log(JSON.stringify(await ${step}(...${JSON.stringify(args)})))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', call])
  return JSON.parse(stdout)
}

const signerFrom = (key: string): Signer => ({
  name: NAME,
  privateKey: createPrivateKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'pkcs8' }),
})

/** Exports all events of the org, without the part for people. */
export async function exportStep(url: string, out: string, key: string, checkpoint: string): Promise<Step> {
  const log = eventLog({ url, prefixes: domainStreamPrefixes })
  const start = performance.now()
  const head = await log.head()
  await exportOrg({
    org: ORG,
    events: after => log.read({ after, to: head, max: 500 }),
    head,
    skips: [],
    checkpoint,
    signers: [signerFrom(key)],
    about: { code: 'bench', projections, schemas: schemasOf(aggregates) },
    now: () => new Date().toISOString(),
    out,
  })
  const ms = performance.now() - start
  await log.close()
  const peakMb = peak()
  return { ms, peakMb, bareMs: await bareMs(out) }
}

export async function checkStep(out: string, key: string): Promise<Step> {
  const start = performance.now()
  const { value } = await checkExport(folderSource(out), {
    verifiers: [verifierOf(signerFrom(key))],
    threads: { start: startThreads },
  })
  const ms = performance.now() - start
  if (value.events !== EVENTS) throw new Error(`${value.events} events were checked`)
  const peakMb = peak()
  return { ms, peakMb, bareMs: await bareMs(out) }
}

const peak = () => process.resourceUsage().maxRSS / 1024

/** Time that SHA-256 alone takes for each of the lines. */
async function bareMs(out: string): Promise<number> {
  let ms = 0
  let lines: string[] = []
  const flush = () => {
    const start = performance.now()
    for (const line of lines) createHash('sha256').update(line).digest()
    ms += performance.now() - start
    lines = []
  }
  for await (const line of createInterface({ input: createReadStream(path.join(out, 'events.ndjson')) })) {
    if (lines.push(line) === 1_000) flush()
  }
  flush()
  return ms
}
