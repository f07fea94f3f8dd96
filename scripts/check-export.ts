/** The check of an export from its first byte to its last, wherever it lies: for the verb and for the page. */
import { streamOf, uuidOf } from '../commands/ids.ts'
import { walletLaws } from '../domain/wallet/wallet/laws.ts'
import { wallet } from '../domain/wallet/wallet/wallet.ts'
import { aggregates, codec, projections } from '../infra/catalogue.ts'
import { checkApart, type Thread } from '../read-api/audit/apart.ts'
import { type Manifest, ownFiles, skipsOf } from '../read-api/audit/bundle.ts'
import { type ErasedCount, type Erasures, erasedCount, erasuresIn } from '../read-api/audit/erased.ts'
import { lineSchemas } from '../read-api/audit/line-check.ts'
import { type PartSetting, partChecker } from '../read-api/audit/part-check.ts'
import { type Cosigned, cosignedOf, type Sealed, type SealOptions, sealedOf } from '../read-api/audit/seal.ts'
import { selectionSaid } from '../read-api/audit/selection.ts'
import { type Signed, signedOf } from '../read-api/audit/signature.ts'
import { type BundleSource, othersAmong } from '../read-api/audit/source.ts'
import { readManifest, verifyEvents } from '../read-api/audit/verify.ts'

/** What every check of an export looks at: forms, names that follow from commands, and the rules of things. */
export const checkOptions = () => ({
  projections,
  schemas: lineSchemas(aggregates),
  decode: codec.decode,
  names: {
    streamOf,
    eventIdOf: (commandId: string, fingerprint: string, n: number) => uuidOf([commandId, fingerprint, n]),
  },
  history: { aggregates, laws: { [wallet.name]: walletLaws } },
})

export type ExportCheck = SealOptions & {
  readonly onProgress?: (line: number, lines: number) => void
  /** Threads beside this one, for exports of `from` events and more. */
  readonly threads?: {
    readonly start: (setting: PartSetting) => readonly (Thread & { readonly stop: () => Promise<unknown> })[]
    readonly from?: number
  }
}

/** Events of an export that is checked before other threads have begun. */
const APART_FROM = 5_000

/** What holds of an export, as a value and in words. Throws an `AuditFault` for the first thing that is wrong. */
export async function checkExport(source: BundleSource, options: ExportCheck) {
  const manifest = await readManifest(source, options)
  const parts = (await foundApart(source, manifest, options)) ?? [await foundAlone(source, manifest, options)]
  const unfolded = parts.reduce((sum, part) => sum + part.unfolded, 0)
  const { org, events, range, selection, left_out: leftOut = 0, skips = [] } = manifest
  const skipped = new Set(skips.map(({ position }) => position)).size
  const sealed = sealedOf(manifest, options)
  const signed = signedOf(manifest, options.verifiers)
  const cosigned = cosignedOf(manifest, options)
  const { ignored } = othersAmong(await source.entries(), ownFiles(manifest))
  const those = selection
    ? `${events} of ${events + leftOut} events of ${org}, selected by ${selectionSaid(selection)}`
    : `${events} events of ${org}`
  const summary = `${those}, positions ${range.first} to ${range.last}: every line is as written`
  const erased = erasedCount(parts.map(({ erasures }) => erasures))
  const chosen = selection && { selection, left_out: leftOut }
  const place = { first: `${range.first}`, last: `${range.last}`, ignored }
  const value = { ok: true, sealed, cosigned, signed, erased, unfolded, skipped, org, events, ...chosen, ...place }
  const seals = `${sealedText(events + leftOut, sealed)}${cosignedText(events + leftOut, cosigned)}`
  const text = `${summary}\n${seals}\n${signedText(signed)}${erasedText(erased)}${unfoldedText(unfolded, skipped)}`
  return { value, text }
}

type Found = { readonly unfolded: number; readonly erasures: Erasures }

/** What is found on several threads; `undefined` where none can be started, or something is wrong. */
async function foundApart(
  source: BundleSource,
  manifest: Manifest,
  { threads, ...options }: ExportCheck,
): Promise<readonly Found[] | undefined> {
  const { org, selection, events, checkpoint, cosigned, left_out: leftOut = 0 } = manifest
  if (!threads || events + leftOut < (threads.from ?? APART_FROM)) return undefined
  // Checkpoints that say nothing are found with the other faults.
  const wantsLeaves = [checkpoint, cosigned, options.earlier].some(note => typeof note === 'string')
  const setting = { org, selection, skips: skipsOf(manifest), wantsLeaves }
  let others: ReturnType<typeof threads.start>
  try {
    others = threads.start(setting)
  } catch {
    // Where threads are not allowed, or there is no memory for them, this one checks all.
    return undefined
  }
  try {
    return await checkApart(source, manifest, options, { own: partChecker(checkOptions(), setting), others })
  } finally {
    await Promise.all(others.map(other => other.stop()))
  }
}

/** What is found line by line. Throws an `AuditFault` for the first thing that is wrong. */
async function foundAlone(source: BundleSource, manifest: Manifest, options: ExportCheck): Promise<Found> {
  const erasures = erasuresIn()
  let unfolded = 0
  const rules = checkOptions()
  const onEnd = (things: number) => {
    unfolded = things
  }
  const all = { ...rules, history: { ...rules.history, onEnd }, ...options }
  await verifyEvents(source, manifest, all, ({ line, decoded }) => {
    if (decoded && 'stored' in line) erasures.add(line.stored)
  })
  return { unfolded, erasures: erasures.found }
}

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

/** What the check of the rules has not seen. */
const unfoldedText = (things: number, skipped: number): string =>
  (things === 0
    ? ''
    : `\nnot checked by the rules: ${things} things from an event on that cannot be read or is not selected`) +
  (skipped === 0 ? '' : `\nskipped by decisions of operators: ${skipped} events`)

const cosignedText = (all: number, cosigned: Cosigned | undefined): string => {
  if (!cosigned) return ''
  const { events, by } = cosigned
  const those = events === all ? 'all' : `the first ${events} of ${all}`
  return `\ncosigned: ${those}, by ${by.map(({ name, at }) => `${name} at ${at}`).join(', ')}`
}

export function sealedText(events: number, sealed: Sealed | undefined): string {
  if (!sealed) return 'sealed: nothing, so that they prove no more than that nothing was damaged on the way'
  const rest = events - sealed.events
  const those = `sealed: ${rest === 0 ? 'all' : `the first ${sealed.events}, and ${rest} since then are not`}`
  return sealed.isTrusted ? those : `${those}, by a key that was not checked: name the public key of the log with --key`
}
