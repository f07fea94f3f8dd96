import { Command } from 'commander'
import { type Manifest, OWN_FILES } from '../infra/backup/format.ts'
import { makeBackup } from '../infra/backup/make.ts'
import { mustHaveMasters, type Wanted, wantedMasters } from '../infra/backup/masters.ts'
import { verifyBackup } from '../infra/backup/verify.ts'
import { ConfigError, loadConfig } from '../infra/config.ts'
import { masterKeysOf } from '../infra/master-keys.ts'
import { noteOperation } from '../infra/operations.ts'
import { createPool } from '../infra/postgres.ts'
import { lagBetween } from '../projections/care/lag.ts'
import { fail, STATUS, statusHelp } from './failing.ts'
import { noteIgnored } from './ignored.ts'
import { type OperatorOptions, operate, print, type Tools } from './operator.ts'
import { abortedByStop } from './stop-signal.ts'
import { progress } from './terminal.ts'

const HELP = `
A backup holds every event up to the position that it names, the keys of all data subjects, the files of items, and the
settings without those that may hold a password. It is made beside a system at work. Its folder appears when it is
whole; a backup that is interrupted leaves none. The read models are not in it: a restore builds them from the events.

keys.ndjson opens all personal data of the events: it is as secret as the keys themselves. Every file is readable by its
owner alone; keep copies encrypted.
To verify needs no key; where KOGI_MASTER_KEYS is set, it must have the master keys that a restore wants. Keep a master
key as long as any backup from its time, away from the system at work.
${statusHelp('a backup that was to be verified is damaged')}

Examples:
  $ kogi backup /backups/2026-11-27
  $ kogi backup verify /backups/2026-11-27`

/** `kogi backup <folder>`: events, keys, files and settings in a folder, and `kogi backup verify <folder>`. */
export const backupCommand = () =>
  new Command('backup')
    .description('write all events, keys and files to a new folder, beside a system at work; or verify such a folder')
    .argument('<folder>', 'a folder that does not exist yet')
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'the manifest as JSON instead of lines')
    .addHelpText('after', HELP)
    .action((folder: string, options: OperatorOptions) => {
      const signal = abortedByStop('giving up', `The backup was given up; there is no ${folder}.`)
      return operate('backup', options, tools => backup(folder, options, tools, signal))
    })
    .addCommand(
      new Command('verify')
        .description('check offline that a backup is complete and is what was written')
        .argument('<folder>', 'the folder of a backup')
        .option('--json', 'the manifest as JSON instead of lines')
        .action(verify),
    )

async function backup(folder: string, options: OperatorOptions, tools: Tools, signal: AbortSignal): Promise<void> {
  const { config, engines, events, log } = tools
  const started = Date.now()
  const keys = createPool({ url: engines.keysDatabaseUrl, name: 'keys', log, max: 1 })
  const { events: expected } = await lagBetween(events, 0n, await events.head())
  const bar = progress('writing events', expected)
  let end = 0
  let shown = 0
  const onEvent = (position: number) => {
    const done = Math.floor((position / end) * expected)
    if (done > shown) bar.advance(done - shown)
    shown = Math.max(shown, done)
  }
  try {
    const onEnd = (position: bigint) => {
      end = Number(position)
    }
    const manifest = await makeBackup({ folder, config, urls: engines, keys, signal, onEnd, onEvent })
    bar.finish()
    await noteOperation(engines, log, { what: 'backup_made', done: `the log up to position ${manifest.position}` })
    print(options, { folder, ...manifest }, textOf(folder, manifest, (Date.now() - started) / 1000))
    process.stderr.write(
      `kogi: ${folder}/keys.ndjson opens all personal data: it is as secret as the keys themselves\n`,
    )
  } finally {
    bar.stop()
    await keys.end()
  }
}

async function verify(folder: string, _: unknown, command: Command): Promise<void> {
  // Commander hands an option that both commands have to the outer one.
  const { json } = command.optsWithGlobals<OperatorOptions>()
  try {
    // It needs no other setting: it is offline.
    const { KOGI_MASTER_KEYS, KOGI_VAULT_TOKEN_FILE } = process.env
    const masters = masterKeysOf(loadConfig({ KOGI_MASTER_KEYS, KOGI_VAULT_TOKEN_FILE }))
    const manifest = await verifyBackup(folder)
    const ignored = await noteIgnored(folder, OWN_FILES)
    const wanted = await wantedMasters(folder, manifest)
    // Without any set, a machine that only keeps backups checks them.
    if (masters.names.length > 0) mustHaveMasters(wanted, masters)
    const result = { folder, whole: true, ignored, masters: namesOf(wanted), ...manifest }
    print({ ...(json && { json }) }, result, [textOf(folder, manifest), ...wantedSaid(wanted), 'whole'].join('\n'))
  } catch (error) {
    fail(error, { json, refused: error instanceof ConfigError ? STATUS.settings : STATUS.no })
  }
}

const namesOf = (wanted: readonly Wanted[]) => [...new Set(wanted.map(({ master }) => master))]

const wantedSaid = (wanted: readonly Wanted[]) =>
  namesOf(wanted).map(name => `a restore wants the master key ${name} in KOGI_MASTER_KEYS`)

/** What a backup holds, in two lines. */
export function textOf(folder: string, manifest: Manifest, seconds?: number): string {
  const { events, keys, itemFiles, position, files, madeAt, kogi } = manifest
  const megabytes = (files.reduce((sum, file) => sum + file.bytes, itemFiles?.bytes ?? 0) / 1e6).toFixed(1)
  const took = seconds === undefined ? '' : ` in ${seconds.toFixed(1)} s`
  const all = Object.values(events).reduce((sum, count) => sum + count, 0)
  const missing =
    keys.missing.length === 0 ? [] : [`${keys.missing.length} keys that events name were not in the database`]
  const stored = itemFiles === undefined ? [] : [`${itemFiles.all - itemFiles.missing.length} files of items`]
  if (itemFiles && itemFiles.missing.length > 0)
    stored.push(`${itemFiles.missing.length} files that events name were not there, or not as they were stored`)
  return [
    `${folder}: the log up to position ${position}, ${megabytes} MB${took}, by Kogi ${kogi} at ${madeAt}`,
    `${all} events (${events.domain} of the domain), ${keys.all} keys of data subjects, ${keys.erased} of them erased`,
    ...stored,
    ...missing,
  ].join('\n')
}
