import { Command } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import type { StoredEvent } from '../domain/kernel/event.ts'
import type { Config } from '../infra/config.ts'
import { commandStore } from '../infra/event-store/command-store.ts'
import { leaseOwners } from '../infra/leases.ts'
import { lastCosigned } from '../infra/notary/cosigned.ts'
import { signersOf } from '../infra/notary/keys.ts'
import { lastNoteOf, lastSeal, type Seal } from '../infra/notary/seals.ts'
import { WORKS } from '../infra/processes/worker.ts'
import { lagBetween } from '../projections/care/lag.ts'
import { openCheckpoint, statedHead } from '../projections/notary/checkpoint.ts'
import { cosignaturesOf, witnessFrom } from '../projections/notary/cosignature.ts'
import { leafOf } from '../projections/notary/leaf.ts'
import {
  consistencyRanges,
  type Hash,
  inclusionRanges,
  leafHash,
  type Range,
  RangeHashes,
} from '../projections/notary/merkle.ts'
import { type Verifier, verifierOf, verifierText } from '../projections/notary/note.ts'
import { checkProof, continuationText, entryProofText, ProofFault } from '../projections/notary/proof.ts'
import { fail, STATUS, statusHelp } from './failing.ts'
import { collect, fileText, verifierIn } from './log-keys.ts'
import { checkLog, standing } from './notary-check.ts'
import { type OperatorOptions, operate, print, type Tools } from './operator.ts'
import { progress, table } from './terminal.ts'

type Store = ReturnType<typeof commandStore>
type Ran = Tools & { readonly options: OperatorOptions; readonly store: Store }
type OfOrg = OperatorOptions & { readonly org?: string }
type VerifyOptions = { readonly key: readonly string[]; readonly since?: string; readonly json?: boolean }

const EVENTS_PER_LIST = 500

const NOTES = `
States: sealed (the last event is in a signed checkpoint), behind (events wait for the next one), not run (no worker
seals the log), broken (a checkpoint is not that of this log). Whether the log itself was changed, kogi notary check
says; the notary finds it when it starts, and says it in the health of the worker.
${statusHelp('a checkpoint is broken')}

Examples:
  $ kogi notary
  $ kogi notary checkpoint > monday.checkpoint
  $ kogi notary check monday.checkpoint
  $ kogi notary prove 5b2f0a4e-8c1d-5e6f-9a7b-0c1d2e3f4a5b > entry.tlog-proof
  $ kogi notary continue monday.checkpoint > since-monday.proof
  $ kogi notary verify entry.tlog-proof --key kogi.local+0f1e2d3c+AY…
  $ kogi notary verify since-monday.proof --since monday.checkpoint --key log.key`

/** `kogi notary`: how far the log is sealed, proofs of it, and their check, which needs no system. */
export const notaryCommand = (): Command =>
  withCommon(new Command('notary'))
    .description('show how far the log is sealed; make and check proofs of what it holds')
    .addHelpText('after', NOTES)
    .action((options: OperatorOptions) => run(options, show))
    .addCommand(
      withOrg(new Command('checkpoint'))
        .description('print the last signed checkpoint')
        .action((_: unknown, command: Command) => run(command.optsWithGlobals<OfOrg>(), printCheckpoint)),
    )
    .addCommand(
      withOrg(new Command('prove'))
        .description('print the proof that an event is in the log, with what the log seals of it')
        .argument('<event>', 'id of the event')
        .action((id: string, _: unknown, command: Command) =>
          run(command.optsWithGlobals<OfOrg>(), ran => prove(ran, id)),
        ),
    )
    .addCommand(
      withOrg(new Command('continue'))
        .description('print the proof that the log goes on from an earlier checkpoint')
        .argument('<checkpoint>', 'file with the earlier checkpoint')
        .action((file: string, _: unknown, command: Command) =>
          run(command.optsWithGlobals<OfOrg>(), ran => proveContinuation(ran, file)),
        ),
    )
    .addCommand(
      withCommon(new Command('check'))
        .description(
          'hash the whole log and compare it with every signed checkpoint: those in the event store and in anchors',
        )
        .argument('[checkpoint...]', 'files with further checkpoints, of the log or of an organization')
        .addHelpText('after', statusHelp('the log is not the one that was signed'))
        .action((files: readonly string[], _: unknown, command: Command) =>
          run(command.optsWithGlobals<OfOrg>(), ran => checkLog(ran, files)),
        ),
    )
    .addCommand(verifyCommand())

const withCommon = (command: Command): Command =>
  command
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'one JSON object instead of text')

const withOrg = (command: Command): Command =>
  withCommon(command).option('--org <id>', 'of the part of the log that is this organization’s')

const verifyCommand = () =>
  new Command('verify')
    .description('check a proof: it needs the public keys of the log, and no system')
    .argument('<proof>', 'file with the proof')
    .option('--key <key>', 'public key of the log, or a file with it; required, may be repeated', collect, [])
    .option('--since <checkpoint>', 'file with the earlier checkpoint, for a proof that the log goes on')
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', statusHelp('the proof does not hold: the code says why'))
    .action((file: string, _: unknown, command: Command) => verify(file, command.optsWithGlobals<VerifyOptions>()))

const run = (options: OperatorOptions, work: (ran: Ran) => Promise<void>): Promise<void> =>
  operate('notary', options, async tools => {
    const store = commandStore(tools.engines.eventStoreUrl, tools.config.appendTimeoutMs)
    try {
      await work({ ...tools, options, store })
    } finally {
      await store.close()
    }
  })

async function show({ config, events, pool, store, options }: Ran): Promise<void> {
  const { seal, anchors, verifiers, faults } = await standing({ config, store })
  const cosigned = await cosignedSaid(store, config)
  const head = await events.head()
  const worker = (await leaseOwners(pool).catch(() => new Map<string, string>())).get(WORKS.notary)
  const { events: behind } = await lagBetween(events, seal?.position ?? 0n, head)
  const keys = verifiers.map(verifierText)
  const isBehind = Number(behind) > 0
  const state = faults.length > 0 ? 'broken' : worker === undefined ? 'not run' : isBehind ? 'behind' : 'sealed'
  const rows = [
    ['state', state],
    ['log', config.notaryOrigin],
    ['sealed', seal ? `${seal.size} events, up to position ${seal.position}, at ${seal.at}` : 'nothing yet'],
    ['not sealed', `${behind} events`],
    ['root', seal?.root ?? '–'],
    ...keys.map(key => ['public key', key]),
    ...anchors.map(anchor => ['anchor', anchor]),
    ...config.notaryWitnesses.map(({ key, url }) => ['witness', `${witnessFrom(key).name}, ${new URL(url).host}`]),
    ...(cosigned ? [['cosigned', cosigned.text]] : []),
    ...faults.map(fault => ['broken', fault]),
    ['notary', worker ?? 'none runs: kogi dev, or kogi worker with KOGI_NOTARY_KEYS'],
  ]
  const { size, root, position, at } = seal ?? { size: 0, root: null, position: null, at: null }
  const sealed = { size, root, position, at, behind, cosigned: cosigned?.value ?? null }
  const value = { state, origin: config.notaryOrigin, ...sealed, keys, anchors, faults }
  print(options, { ...value, notary: worker ?? null }, table(['', 'value'], rows))
  if (faults.length > 0) process.exitCode = STATUS.no
}

/** What the witnesses of the settings have cosigned of the log last. */
async function cosignedSaid(store: Store, config: Pick<Config, 'notaryWitnesses'>) {
  const note = await lastCosigned(store, '')
  if (note === undefined) return undefined
  const { size } = statedHead(note)
  const by = cosignaturesOf(
    note,
    config.notaryWitnesses.map(({ key }) => witnessFrom(key)),
  ).map(({ name }) => name)
  return { value: { size, by }, text: `${size} events, by ${by.join(', ') || 'witnesses that are not set any more'}` }
}

async function printCheckpoint(ran: Ran): Promise<void> {
  const { note } = await sealedPart(ran)
  if (ran.options.json) print(ran.options, { checkpoint: note }, '')
  else process.stdout.write(note)
}

/** The last checkpoint of the log, or of an org's part of it, and which events it is of. */
async function sealedPart({ store, options, config }: Ran) {
  const { org } = options as OfOrg
  const { seal } = await lastSeal(store)
  const note = org === undefined ? seal?.note : await lastNoteOf(store, org)
  if (!seal || (note === undefined && seal.more)) {
    const what = org === undefined ? 'The log' : `The part of ${org}`
    throw new KogiError('not_sealed', `${what} has no signed checkpoint yet: is a worker running?`)
  }
  if (note === undefined) {
    const message = `None of the ${seal.size} events that are sealed is of an organization ${org}: is its id right?`
    throw new KogiError('unknown_org', message)
  }
  const signers = await signersOf(config)
  const { size } = openCheckpoint(note, signers.map(verifierOf))
  const isOfPart = (event: StoredEvent) => org === undefined || event.metadata.org === org
  return { seal, note, size, isOfPart }
}

type Part = { readonly seal: Seal; readonly size: number; readonly isOfPart: (event: StoredEvent) => boolean }

async function prove(ran: Ran, id: string): Promise<void> {
  const part = await sealedPart(ran)
  let found: { readonly index: number; readonly entry: string } | undefined
  await eachEntry(ran, part, 'find the event', (event, index) => {
    if (event.eventId === id) found = { index, entry: leafOf(event) }
  })
  if (!found) throw new KogiError('not_sealed', `The last checkpoint has no event ${id}: is the id right?`)
  const hashes = await hashesOf(ran, part, inclusionRanges(found.index, part.size))
  process.stdout.write(entryProofText(found.entry, found.index, { hashes, checkpoint: part.note }))
}

async function proveContinuation(ran: Ran, file: string): Promise<void> {
  const part = await sealedPart(ran)
  const signers = await signersOf(ran.config)
  const { size: old, origin } = opened(await fileText(file), signers.map(verifierOf))
  const own = opened(part.note, signers.map(verifierOf)).origin
  if (origin !== own) {
    const message = `The earlier checkpoint is of ${origin}, not of ${own}: name the organization with --org.`
    throw new KogiError('origin_differs', message)
  }
  if (old > part.size) {
    throw new KogiError('log_shortened', `The earlier checkpoint has ${old} events, and the last one ${part.size}.`)
  }
  const hashes = await hashesOf(ran, part, consistencyRanges(old, part.size))
  process.stdout.write(continuationText(old, { hashes, checkpoint: part.note }))
}

function opened(note: string, verifiers: readonly Verifier[]) {
  try {
    return openCheckpoint(note, verifiers)
  } catch (error) {
    throw new KogiError('checkpoint_invalid', (error as Error).message, [], { cause: error as Error })
  }
}

async function hashesOf(ran: Ran, part: Part, ranges: readonly Range[]): Promise<readonly Hash[]> {
  const hashes = new RangeHashes(ranges)
  await eachEntry(ran, part, 'hash the log', event => hashes.add(leafHash(leafOf(event))))
  return hashes.hashes
}

/** Goes through the events of a sealed part, in order. */
async function eachEntry(
  { events }: Ran,
  { seal, size, isOfPart }: Part,
  what: string,
  visit: (event: StoredEvent, index: number) => void,
): Promise<void> {
  const bar = progress(what, size, 'events')
  let index = 0
  try {
    for await (const list of events.read({ after: 0n, to: seal.position, max: EVENTS_PER_LIST })) {
      const before = index
      for (const event of list) if (index < size && isOfPart(event)) visit(event, index++)
      bar.advance(index - before)
    }
    bar.finish()
  } finally {
    bar.stop()
  }
}

async function verify(file: string, { key, since, json }: VerifyOptions): Promise<void> {
  try {
    if (key.length === 0) {
      throw new KogiError('invalid_parameter', 'Name the public key of the log: --key KEY, or --key FILE.')
    }
    const verifiers = await Promise.all(key.map(verifierIn))
    const earlier = since === undefined ? undefined : await fileText(since)
    const { head, entry, index, old } = checkProof(await fileText(file), verifiers, earlier)
    const { origin, size, root } = head
    const value = {
      ok: true,
      origin,
      size,
      root: root.toString('base64'),
      index,
      old,
      entry: entry && JSON.parse(entry),
    }
    const what = entry === undefined ? `goes on from its first ${old} events` : `has at ${index} the event\n${entry}`
    print({ ...(json && { json }) }, value, `The log ${origin} of ${size} events ${what}`)
  } catch (error) {
    if (!(error instanceof ProofFault)) return fail(error, { json, refused: STATUS.refused })
    if (json) print({ json }, { ok: false, code: error.code, message: error.message }, '')
    process.stderr.write(`kogi: ${error.code} ${error.message}\n`)
    process.exitCode = STATUS.no
  }
}
