/** The check of an export, which needs no system: `kogi audit verify`, and a program of its own. */
import { Command, InvalidArgumentError } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { AuditFault, type Manifest, ownFiles } from '../read-api/audit/bundle.ts'
import { exportAt } from '../read-api/audit/export-at.ts'
import type { SealOptions } from '../read-api/audit/seal.ts'
import { type BundleSource, othersAmong } from '../read-api/audit/source.ts'
import { checkExport } from './check-export.ts'
import { startThreads } from './check-thread.ts'
import { saidIgnored } from './ignored.ts'
import { collect, fileText, verifierIn, witnessIn } from './log-keys.ts'
import { type Progress, progress } from './terminal.ts'

/** What an export is checked against. */
export type Against = {
  readonly key: readonly string[]
  readonly since?: string
  readonly older?: true
  readonly witness?: readonly string[]
  readonly quorum?: number
  readonly allowUncosigned?: true
}
type Witnessed = Pick<Against, 'witness' | 'quorum' | 'allowUncosigned'>
type VerifyOptions = Against & { readonly json?: true }

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
    .option('--witness <key>', WITNESS, collect, [])
    .option('--quorum <count>', 'how many of the witnesses must have cosigned; all of them by default', wholeNumber)
    .option(
      '--allow-uncosigned',
      'with --witness, be content with a part of the sealed events cosigned: the first ones',
    )
    .option('--older', OLDER)
    .option('--json', 'print one line of JSON')
    .addHelpText('after', HELP)
    .action((folder: string, options: VerifyOptions) => reporting(options, () => verify(folder, options)))

const WITNESS = 'public key of a witness, or a file with it, which must have cosigned a checkpoint; may be repeated'

export const OLDER = 'with --key, take an export of before there were signatures: only its sealed events are proved'

export const sealOptions = async ({ key, since, older, ...witnessed }: Against): Promise<SealOptions> => ({
  ...(older && { older }),
  ...((witnessed.witness ?? []).length > 0 && { witnesses: await believed(key, witnessed) }),
  ...(key.length > 0 && { verifiers: await Promise.all(key.map(verifierIn)) }),
  ...(since !== undefined && { earlier: await fileText(since) }),
})

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('write a whole number from 1 on')
}

async function believed(key: readonly string[], { witness = [], quorum = witness.length, allowUncosigned }: Witnessed) {
  if (key.length === 0) throw new KogiError('invalid_parameter', '--witness needs the public key of the log: --key.')
  const keys = await Promise.all(witness.map(witnessIn))
  if (quorum >= 1 && quorum <= keys.length) return { keys, quorum, mayBePart: allowUncosigned }
  throw new KogiError('invalid_parameter', `--quorum is one of 1 to ${keys.length}, the number of witnesses.`)
}

async function verify(folder: string, { json, ...against }: VerifyOptions): Promise<void> {
  const seal = await sealOptions(against)
  const source = await exportAt(folder)
  let bar: Progress | undefined
  let done = 0
  const onProgress = (line: number, lines: number) => {
    bar ??= progress('verify', lines, 'events')
    bar.advance(line - done)
    done = line
  }
  try {
    const { value, text } = await checkExport(source, { ...seal, onProgress, threads: { start: startThreads } })
    bar?.finish()
    saidIgnored(source.name, value.ignored)
    print(json, value, text)
  } finally {
    bar?.stop()
  }
}

/** Names what verification has ignored in an export, and returns it. */
export const ignoredIn = async (source: BundleSource, manifest: Manifest): Promise<readonly string[]> =>
  saidIgnored(source.name, othersAmong(await source.entries(), ownFiles(manifest)).ignored)

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
