import { Command } from 'commander'
import { type Manifest, OWN_FILES } from '../infra/backup/format.ts'
import { mustHaveMasters, wantedMasters } from '../infra/backup/masters.ts'
import { type Restored, restore } from '../infra/backup/restore.ts'
import { openRestoreEngines } from '../infra/backup/restore-engines.ts'
import { mustUnderstand, verifyBackup } from '../infra/backup/verify.ts'
import { domainStreamPrefixes } from '../infra/catalogue.ts'
import type { Config } from '../infra/config.ts'
import { eventLog } from '../infra/event-store/reader.ts'
import { createLog, type Log } from '../infra/log.ts'
import { masterKeysOf } from '../infra/master-keys.ts'
import { noteOperation } from '../infra/operations.ts'
import { createPool } from '../infra/postgres.ts'
import { check, isEqual } from './check.ts'
import { fail, STATUS, statusHelp } from './failing.ts'
import { noteIgnored } from './ignored.ts'
import { type OperatorOptions, print } from './operator.ts'
import { configFrom } from './serve.ts'
import { abortedByStop } from './stop-signal.ts'
import { type Progress, progress } from './terminal.ts'

const HELP = `
The backup is verified first, and that KOGI_MASTER_KEYS has the master keys that its keys are wrapped under, which may
be those from before a rotation. Then the keys are written, the events, and the read models are built and compared with
the log, as kogi check does. Engines that hold anything else are refused, with what they hold. Start no API and no
projector on the engines before it is done.

A restore that is interrupted can be started again: it goes on with engines that hold a beginning of the same backup.
${statusHelp('the restored read models differ from the log')}

Example:
  $ kogi restore /backups/2026-11-27 --data ./restored`

/** `kogi restore <folder>`: a backup into empty engines. */
export const restoreCommand = () =>
  new Command('restore')
    .description('fill empty engines from a backup, build the read models and check them')
    .argument('<folder>', 'a folder that kogi backup has made')
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'one JSON object instead of lines')
    .addHelpText('after', HELP)
    .action(run)

async function run(folder: string, options: OperatorOptions): Promise<void> {
  const signal = abortedByStop('giving up', 'The restore was given up; start it again to go on with it.')
  const started = Date.now()
  try {
    const config = configFrom(options.data === undefined ? {} : { data: options.data })
    const log = createLog({ service: 'kogi-restore', level: config.logLevel, fd: 2 })
    const manifest = await verifyBackup(folder)
    await noteIgnored(folder, OWN_FILES)
    mustUnderstand(manifest)
    mustHaveMasters(await wantedMasters(folder, manifest), masterKeysOf(config))
    const { restored, ...checked } = await fill({ folder, manifest, config, log, signal })
    const seconds = (Date.now() - started) / 1000
    print(options, { ...restored, ...checked, seconds }, textOf(manifest, restored, checked, seconds))
    if (!checked.equal) process.exitCode = STATUS.no
  } catch (error) {
    fail(signal.aborted ? signal.reason : error, { json: options.json, refused: STATUS.refused })
  }
}

type FillOptions = {
  readonly folder: string
  readonly manifest: Manifest
  readonly config: Config
  readonly log: Log
  readonly signal: AbortSignal
}
type Checked = { readonly equal: boolean; readonly tables: number; readonly stopped: number; readonly head: bigint }

async function fill(options: FillOptions): Promise<{ readonly restored: Omit<Restored, 'urls'> } & Checked> {
  const { manifest, config, log } = options
  const engines = await openRestoreEngines(config, log)
  const bars = barsFor(manifest)
  try {
    const { urls, ...restored } = await restore({ ...options, engines, ...bars })
    bars.stop()
    const pool = createPool({ url: urls.databaseUrl, name: 'read', log })
    const events = eventLog({ url: urls.eventStoreUrl, prefixes: domainStreamPrefixes })
    try {
      const { head, tables, stopped } = await check({ pool, events })
      const state = `read models ${isEqual({ tables }) ? 'equal' : 'unlike'} an independent fold of the log`
      const done = `the log up to position ${manifest.position} of ${manifest.madeAt}, ${state}`
      await noteOperation(urls, log, { what: 'backup_restored', done })
      return { restored, equal: isEqual({ tables }), tables: tables.length, stopped: stopped.length, head }
    } finally {
      await Promise.allSettled([events.close(), pool.end()])
    }
  } finally {
    bars.stop()
    await engines.close()
  }
}

/** Progress of the two long steps. */
function barsFor({ events }: Manifest) {
  const all = Object.values(events).reduce((sum, count) => sum + count, 0)
  let bar: Progress | undefined
  return {
    onStep(step: 'files' | 'keys' | 'events' | 'read models') {
      bar?.finish()
      if (step === 'events') bar = progress('writing events', all)
      if (step === 'read models') bar = progress('building the read models', events.domain)
    },
    onEvents: (count: number) => bar?.advance(count),
    onProjected: (count: number) => bar?.advance(count),
    stop: () => bar?.stop(),
  }
}

function textOf(
  manifest: Manifest,
  { files, keys, events }: Omit<Restored, 'urls'>,
  checked: Checked,
  seconds: number,
) {
  const before = (count: number, what: string) => (count > 0 ? `, ${count} ${what}` : '')
  const positions = events.positionsKept
    ? 'every event has the position that it had'
    : `positions are new: the log ends at ${checked.head}, where the backup says ${manifest.lastDomainPosition}`
  const verdict = checked.equal
    ? `checked: all ${checked.tables} tables equal an independent fold of the log`
    : 'the read models differ from the log: run kogi check to see where'
  return [
    `${events.written} events written${before(events.found, 'were there already')}; ${positions}`,
    `${keys.written} keys of data subjects written, ${keys.erased} of the backup's keys are erased and stay so`,
    ...(files === undefined ? ['the backup has no files of items'] : [`${files} files of items written`]),
    verdict,
    ...(checked.stopped > 0 ? [`${checked.stopped} partitions are stopped by an event: see kogi projections`] : []),
    `done in ${seconds.toFixed(1)} s`,
  ].join('\n')
}
