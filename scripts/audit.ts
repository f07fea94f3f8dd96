import { Command } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { type Json, toWire } from '../domain/kernel/json.ts'
import { aggregates, domainStreamPrefixes, projections, resources } from '../infra/catalogue.ts'
import type { Config } from '../infra/config.ts'
import { type Engines, openEngines } from '../infra/engines.ts'
import { commandStore } from '../infra/event-store/command-store.ts'
import { eventLog } from '../infra/event-store/reader.ts'
import { openReadable } from '../infra/exports/open.ts'
import { exportOptions } from '../infra/exports/options.ts'
import { createPool } from '../infra/postgres.ts'
import { AuditFault } from '../read-api/audit/bundle.ts'
import { exportOrg } from '../read-api/audit/export.ts'
import { exportAt } from '../read-api/audit/export-at.ts'
import { type Answered, answerOf } from '../read-api/audit/query.ts'
import { differing, type Replayed, replay } from '../read-api/audit/replay.ts'
import { type SealOptions, sealedOf } from '../read-api/audit/seal.ts'
import { type Selection, selectionSchema } from '../read-api/audit/selection.ts'
import { signedOf } from '../read-api/audit/signature.ts'
import { type Against, ignoredIn, OLDER, print, reporting, sealOptions, verifyCommand } from './audit-verify.ts'
import { checkOptions, sealedText, signedText } from './check-export.ts'
import { collect } from './log-keys.ts'
import { mustHaveData } from './operator.ts'
import { configFrom, quietLog } from './serve.ts'
import { type Progress, progress, table } from './terminal.ts'
import { verifyRowCommand } from './verify-row.ts'

type Common = { readonly data?: string; readonly json?: true }
type ExportOptions = Common &
  SelectionOptions & {
    readonly org: string
    readonly out: string
    readonly force?: true
    readonly readable: boolean
  }
type SelectionOptions = {
  readonly category?: readonly string[]
  readonly stream?: readonly string[]
  readonly actor?: readonly string[]
  readonly subject?: readonly string[]
  readonly from?: string
  readonly to?: string
  readonly fromPosition?: string
  readonly upToPosition?: string
}
type ReplayOptions = Common & Against & { readonly offline?: true; readonly query?: string; readonly asOf?: string }

/** The path of the list of all accounts with their balances. */
const BALANCES = '/kwlt/accounts'

const EXPORT_HELP = `
With a selection the export has the selected events, and of all others of the organization everything but the data: so
the check shows that no event that fits was left out.

Examples:
  $ kogi audit export --org acme --out acme-2026
  $ kogi audit export --org acme --category wallet transfer --from 2026-01-01 --to 2027-01-01 --out wallets-2026`

const REPLAY_HELP = `
With --query or --as-of nothing is compared: the rows follow from the export and from nothing else, as they are stored,
with what persons wrote sealed.

Examples:
  $ kogi audit replay acme-2026 --offline --key notary.key
  $ kogi audit replay acme-2026 --as-of 2026-06-30T23:59:59Z --key notary.key
  $ kogi audit replay acme-2026 --query '/kwlt/wallets/studio/accounts?currency=EUR' --as-of 4711`

/** `kogi audit …`: an org's events as files that can be checked and replayed elsewhere. */
export function auditCommand(): Command {
  const audit = new Command('audit').description('export the events of an organization, check and replay an export')
  audit
    .command('export')
    .description('write the events of an organization into a new folder')
    .requiredOption('--org <id>', 'the organization')
    .requiredOption('--out <folder>', 'the folder to make')
    .option('--category <name...>', 'only events of these kinds of things: wallet, task …')
    .option('--stream <name...>', 'only events of these streams')
    .option('--actor <id...>', 'only events that these users caused')
    .option('--subject <id...>', 'only events that hold sealed data of these persons')
    .option('--from <time>', 'only events from this day (UTC) or instant on')
    .option('--to <time>', 'only events before this day or instant')
    .option('--from-position <position>', 'only events from this position of the log on')
    .option('--up-to-position <position>', 'only events up to this position, and with it')
    .option('--no-readable', 'leave out the page, the CSV files and the cover for people')
    .option('--force', 'replace the folder if it exists')
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'print one line of JSON')
    .addHelpText('after', EXPORT_HELP)
    .action((options: ExportOptions) => reporting(options, () => exportAction(options)))
  audit.addCommand(verifyCommand())
  audit.addCommand(verifyRowCommand())
  audit
    .command('replay')
    .description('check an export line by line, fold it alone into fresh rows, compare them with the live read models')
    .argument('<export>', 'the export: a folder, or its ZIP archive')
    .option('--offline', 'only check and fold: print the digests, compare with nothing')
    .option('--key <key>', 'public key of the log, or a file with it; may be repeated', collect, [])
    .option(
      '--since <checkpoint>',
      'file with an earlier checkpoint of the organization, which the export must go on from',
    )
    .option('--older', OLDER)
    .option('--query <path>', 'answer from the export alone: a list, or a row in one, with filters, as the API has it')
    .option('--as-of <when>', 'the answer at this position or time; without --query, all balances then')
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'print one line of JSON')
    .addHelpText('after', REPLAY_HELP)
    .action((folder: string, options: ReplayOptions) => reporting(options, () => replayAction(folder, options)))
  return audit
}

async function exportAction(options: ExportOptions): Promise<void> {
  const { org, out, force, json, data } = options
  const selection = selectionOf(options)
  await withEngines(data, async (engines, config) => {
    const log = eventLog({ url: engines.eventStoreUrl, prefixes: domainStreamPrefixes })
    const store = commandStore(engines.eventStoreUrl, config.appendTimeoutMs)
    const readable = options.readable ? openReadable(engines, config, store, quietLog('kogi-audit', config)) : undefined
    let bar: Progress | undefined
    try {
      const { eventStoreUrl } = engines
      const given = await exportOptions({ config, eventStoreUrl, log, store, readable: readable?.deps }, org)
      const shown = progress('export', Number(given.head), 'log positions')
      bar = shown
      let done = 0n
      const exported = await exportOrg({
        ...given,
        selection,
        out,
        force: force === true,
        isReadableNeeded: () => false,
        onProgress(position) {
          shown.advance(Number(position - done))
          done = position
        },
      })
      shown.finish()
      const { events, leftOut, bytes, folder, notReadable } = exported
      if (notReadable !== undefined) {
        process.stderr.write(`kogi: made without the page, the CSV files and the cover for people: ${notReadable}\n`)
      }
      const others = leftOut === undefined ? '' : `, and the headers of the ${leftOut} others`
      const text = `${events} events of ${org}${others} in ${folder} (${bytes} bytes)`
      print(json, { ...exported, head: String(given.head) }, text)
    } finally {
      bar?.stop()
      await Promise.allSettled([log.close(), store.close(), readable?.close()])
    }
  })
}

/** What the options select; throws `invalid_parameter` for what no event can fit. */
function selectionOf(options: SelectionOptions): Selection | undefined {
  const { category: categories, stream: streams, actor: actors, subject: subjects } = options
  const [from, to] = [instantOf(options.from), instantOf(options.to)]
  const unknown = categories?.find(name => !aggregates.some(aggregate => aggregate.name === name))
  if (unknown !== undefined) {
    const names = aggregates.map(({ name }) => name).join(', ')
    throw new KogiError('invalid_parameter', `There is no category ${unknown}; there are ${names}.`)
  }
  const { fromPosition: from_position, upToPosition: up_to_position } = options
  const all = { categories, streams, actors, subjects, from, to, from_position, up_to_position }
  const parts = Object.entries(all).filter(([, part]) => part !== undefined)
  if (parts.length === 0) return undefined
  const parsed = selectionSchema.safeDecode(Object.fromEntries(parts))
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new KogiError('invalid_parameter', `${path.join('.') || 'The selection'} ${message}.`)
}

/** A day is its first instant in UTC. */
const instantOf = (time: string | undefined) =>
  time !== undefined && /^\d{4}-\d\d-\d\d$/.test(time) ? `${time}T00:00:00.000Z` : time

async function replayAction(folder: string, { offline, json, data, ...against }: ReplayOptions): Promise<void> {
  const seal = await sealOptions(against)
  let bar: Progress | undefined
  let done = 0
  const onProgress = (line: number, lines: number) => {
    bar ??= progress('replay', lines)
    bar.advance(line - done)
    done = line
  }
  const source = await exportAt(folder)
  const options = { ...checkOptions(), source, onProgress, ...seal }
  const { query, asOf } = against
  try {
    if (query !== undefined || asOf !== undefined) {
      const answered = await answerOf({ ...options, resources, query: query ?? BALANCES, asOf })
      bar?.finish()
      return showRows(answered, { seal, ignored: await ignoredIn(source, answered.manifest), json })
    }
    if (offline) {
      const replayed = await replay(options)
      return report(replayed, { seal, ignored: await ignoredIn(source, replayed.manifest), json })
    }
    await withEngines(data, async (engines, config) => {
      const log = eventLog({ url: engines.eventStoreUrl, prefixes: domainStreamPrefixes })
      const pool = createPool({ url: engines.databaseUrl, name: 'read', log: quietLog('kogi-audit', config), max: 1 })
      try {
        const skips = await log.skips(projections.map(({ name }) => name))
        const replayed = await replay({ ...options, live: { pool, skips } })
        report(replayed, { seal, ignored: await ignoredIn(source, replayed.manifest), json })
      } finally {
        await Promise.allSettled([log.close(), pool.end()])
      }
    })
  } finally {
    bar?.stop()
  }
}

/** Prints the answer to a question: a line for each row. */
function showRows({ manifest, resource, position, rows }: Answered, { seal, ignored, json }: Reported): void {
  const { org, events } = manifest
  const sealed = sealedOf(manifest, seal)
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))].filter(name => name !== 'org')
  const shown = (value: Json | undefined) =>
    value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  const lines = rows.map(row => names.map(name => shown(row[name])))
  const drawn = rows.length === 0 ? `There are no ${resource.many}.` : table(names, lines)
  const called = rows.length === 1 ? resource.one : resource.many
  const where = `${rows.length} ${called} of ${org} as of position ${position}`
  const signed = signedOf(manifest, seal.verifiers)
  print(
    json,
    { ok: true, sealed, signed, org, events, position: `${position}`, ignored, rows },
    [drawn, where, sealedText(events, sealed), signedText(signed)].join('\n'),
  )
}

type Reported = { readonly seal: SealOptions; readonly ignored: readonly string[]; readonly json: true | undefined }

/** Prints what a replay found; throws `live_differs` after that where a table is not what the export gives. */
function report(replayed: Replayed, { seal, ignored, json }: Reported): void {
  const { manifest, tables } = replayed
  const different = differing(replayed)
  const verdict = (live: { sha256: string } | undefined, projection: string) =>
    live === undefined ? 'not compared' : different.includes(projection) ? 'DIFFERS' : 'equal'
  const rows = tables.map(({ projection, replayed: { rows, sha256 }, live }) => [
    projection,
    String(rows),
    sha256,
    verdict(live, projection),
  ])
  const { org, events, range, skips = [] } = manifest
  const skipped = new Set(skips.map(({ position }) => position)).size
  const past = skipped === 0 ? '' : `, ${skipped} of them skipped by decisions that it names`
  const where = `positions ${range.first} to ${range.last}${past}`
  const summary = `${events} events of ${org}, ${where}: every line is as written`
  const sealed = sealedOf(manifest, seal)
  const signed = signedOf(manifest, seal.verifiers)
  const result = {
    ok: different.length === 0,
    sealed,
    signed,
    org,
    events,
    first: `${range.first}`,
    last: `${range.last}`,
    ignored,
    skips: toWire(skips),
    tables,
  }
  const digests = table(['read model', 'rows', 'sha256', 'live'], rows, ['rows'])
  print(json, result, [digests, summary, sealedText(events, sealed), signedText(signed)].join('\n'))
  if (different.length === 0) return
  throw new AuditFault('live_differs', `The live read models differ from the export in ${different.join(', ')}.`)
}

async function withEngines(data: string | undefined, use: (engines: Engines, config: Config) => Promise<void>) {
  const config = configFrom(data === undefined ? {} : { data })
  await mustHaveData(config)
  const engines = await openEngines(config, quietLog('kogi-audit', config))
  try {
    await use(engines, config)
  } finally {
    await engines.close()
  }
}
