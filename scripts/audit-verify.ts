/** The check of an export, which needs no system: `kogi audit verify`, and a program of its own. */
import { Command } from 'commander'
import { streamOf, uuidOf } from '../commands/ids.ts'
import { aggregates, codec, projections } from '../infra/catalogue.ts'
import { AuditFault, type Manifest, ownFiles } from '../read-api/audit/bundle.ts'
import { type ErasedCount, erasedCounter } from '../read-api/audit/erased.ts'
import { exportAt } from '../read-api/audit/export-at.ts'
import { lineSchemas } from '../read-api/audit/line-check.ts'
import { type Sealed, type SealOptions, sealedOf } from '../read-api/audit/seal.ts'
import { selectionSaid } from '../read-api/audit/selection.ts'
import { type Signed, signedOf } from '../read-api/audit/signature.ts'
import { type BundleSource, othersAmong } from '../read-api/audit/source.ts'
import { readManifest, verifiedEvents } from '../read-api/audit/verify.ts'
import { saidIgnored } from './ignored.ts'
import { collect, fileText, verifierIn } from './log-keys.ts'
import { type Progress, progress } from './terminal.ts'

type VerifyOptions = { readonly json?: true; readonly key: readonly string[]; readonly since?: string }

const HELP = `
Exit status: 0 where all is as it was written and sealed, 1 where it is not; the first fault is named with its code,
file and line. Without --key nothing is proved but that the files fit together: an export can be made anew with other
events.

Example:
  $ kogi audit verify acme-2026 --key notary.key --since january.checkpoint`

export const verifyCommand = (): Command =>
  new Command('verify')
    .description('check an export, with the public key of the log alone: no system, no database')
    .argument('<export>', 'the export: a folder, or its ZIP archive')
    .option('--key <key>', 'public key of the log, or a file with it; may be repeated', collect, [])
    .option(
      '--since <checkpoint>',
      'file with an earlier checkpoint of the organization, which the export must go on from',
    )
    .option('--json', 'print one line of JSON')
    .addHelpText('after', HELP)
    .action((folder: string, options: VerifyOptions) => reporting(options, () => verify(folder, options)))

/** What every check of an export looks at: forms, and names that follow from commands. */
export const checkOptions = () => ({
  projections,
  schemas: lineSchemas(aggregates),
  decode: codec.decode,
  names: {
    streamOf,
    eventIdOf: (commandId: string, fingerprint: string, n: number) => uuidOf([commandId, fingerprint, n]),
  },
})

export const sealOptions = async (key: readonly string[], since: string | undefined): Promise<SealOptions> => ({
  ...(key.length > 0 && { verifiers: await Promise.all(key.map(verifierIn)) }),
  ...(since !== undefined && { earlier: await fileText(since) }),
})

async function verify(folder: string, { json, key, since }: VerifyOptions): Promise<void> {
  const seal = await sealOptions(key, since)
  const source = await exportAt(folder)
  const manifest = await readManifest(source, seal.verifiers)
  const erasures = erasedCounter()
  let bar: Progress | undefined
  let done = 0
  const onProgress = (line: number, lines: number) => {
    bar ??= progress('verify', lines, 'events')
    bar.advance(line - done)
    done = line
  }
  try {
    for await (const { line, decoded } of verifiedEvents(source, manifest, {
      ...checkOptions(),
      ...seal,
      onProgress,
    })) {
      if (decoded && 'stored' in line) erasures.add(line.stored)
    }
    bar?.finish()
  } finally {
    bar?.stop()
  }
  const { org, events, range, selection, left_out: leftOut = 0 } = manifest
  const sealed = sealedOf(manifest, seal)
  const signed = signedOf(manifest, seal.verifiers)
  const ignored = await ignoredIn(source, manifest)
  const those = selection
    ? `${events} of ${events + leftOut} events of ${org}, selected by ${selectionSaid(selection)}`
    : `${events} events of ${org}`
  const summary = `${those}, positions ${range.first} to ${range.last}: every line is as written`
  const erased = erasures.count()
  const chosen = selection && { selection, left_out: leftOut }
  const value = {
    ok: true,
    sealed,
    signed,
    erased,
    org,
    events,
    ...chosen,
    first: `${range.first}`,
    last: `${range.last}`,
    ignored,
  }
  print(json, value, `${summary}\n${sealedText(events + leftOut, sealed)}\n${signedText(signed)}${erasedText(erased)}`)
}

/** Names what verification has ignored in an export, and returns it. */
export const ignoredIn = async (source: BundleSource, manifest: Manifest): Promise<readonly string[]> =>
  saidIgnored(source.name, othersAmong(await source.entries(), ownFiles(manifest)).ignored)

const SIGNED: Readonly<Record<Signed, string>> = {
  trusted: 'the manifest, and with it every file, is signed by a key that you gave',
  unchecked: 'the manifest is signed; by whom is only checked with --key',
  unsigned: 'unsigned: the log had no key when the export was made',
  'of an older version': 'unsigned: exports of this version had no signature; their events are sealed all the same',
}
export const signedText = (signed: Signed): string => SIGNED[signed]

/** Erased is not tampered with: the events are as they were. */
const erasedText = ({ subjects, events, pending }: ErasedCount): string =>
  (subjects === 0
    ? ''
    : `\nerased persons: ${subjects}; data of theirs in ${events} events is as it was sealed, and nobody can read it`) +
  (pending === 0 ? '' : `\npersons being erased: ${pending}; their keys may still be there`)

export function sealedText(events: number, sealed: Sealed | undefined): string {
  if (!sealed) return 'sealed: nothing, so that they prove no more than that nothing was damaged on the way'
  const rest = events - sealed.events
  const those = `sealed: ${rest === 0 ? 'all' : `the first ${sealed.events}, and ${rest} since then are not`}`
  return sealed.isTrusted ? those : `${those}, by a key that was not checked: name the public key of the log with --key`
}

/** Runs a verb; reports a fault of an export as one line with its code, file and line, and exit status 1. */
export async function reporting({ json }: { readonly json?: true }, action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    if (!(error instanceof AuditFault)) throw error
    const { code, message, file, line } = error
    const place = file === undefined ? '' : ` ${file}${line === undefined ? '' : `:${line}`}`
    if (json && code !== 'live_differs') print(json, { ok: false, code, message, file, line }, '')
    process.stderr.write(`kogi: ${code}${place} ${message}\n`)
    process.exitCode = 1
  }
}

export function print(json: true | undefined, value: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : text}\n`)
}
