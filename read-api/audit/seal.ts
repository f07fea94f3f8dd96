/** What signed checkpoints say of the events of an export: that they are all that the org had then, as they were. */
import { type Head, isOriginOf, openCheckpoint, statedHead } from '../../projections/notary/checkpoint.ts'
import { type Cosignature, cosignaturesOf } from '../../projections/notary/cosignature.ts'
import { type Hash, Tree } from '../../projections/notary/merkle.ts'
import { NoteFault, partsOf, type Verifier } from '../../projections/notary/note.ts'
import { AuditFault, EVENTS, MANIFEST, type Manifest } from './bundle.ts'

export type SealOptions = {
  /** Public keys of the log, from elsewhere than the export. Without them the checkpoint is only compared. */
  readonly verifiers?: readonly Verifier[]
  /** A checkpoint of the org that was kept from earlier: the export must go on from it. */
  readonly earlier?: string
  /**
   * Witnesses that the auditor believes, beside the keys of the log, and how many of them must have cosigned all sealed
   * events; with `mayBePart` the first ones are enough.
   */
  readonly witnesses?: {
    readonly keys: readonly Verifier[]
    readonly quorum: number
    readonly mayBePart?: boolean | undefined
  }
  /** Whether keys may meet an export of before version 5, whose manifest nobody has signed. */
  readonly older?: true
}

/** How many events of an export are sealed, and by a key that the auditor has. */
export type Sealed = { readonly events: number; readonly isTrusted: boolean }

/** How many events of an export witnesses have cosigned, which the auditor believes, and who and when (RFC 3339). */
export type Cosigned = {
  readonly events: number
  readonly by: readonly { readonly name: string; readonly at: string }[]
}

type Wanted = { readonly head: Head; readonly from: string }

/**
 * Compares the events of an export, one after another, with the checkpoint in its manifest and with an earlier one.
 * Throws an `AuditFault` where they are not what was sealed, and, with keys, where the seal is absent or by another
 * key.
 */
export function sealChecker(manifest: Manifest, options: SealOptions) {
  const { org, checkpoint } = manifest
  const { verifiers, earlier, witnesses } = options
  if (witnesses && !verifiers) {
    const why = 'Witnesses say nothing without the public key of the log: nobody knows who signed what they cosigned.'
    throw new AuditFault('seal_untrusted', why)
  }
  if (verifiers && typeof checkpoint !== 'string') {
    throw new AuditFault('seal_missing', 'The export has no signed checkpoint.', { file: MANIFEST })
  }
  const own = typeof checkpoint === 'string' ? headOf(checkpoint, org, verifiers) : undefined
  const cosigned = cosignedHead(manifest, options, own)
  cosignedOf(manifest, options)
  const wanted: Wanted[] = [
    ...(own ? [{ head: own, from: 'the manifest' }] : []),
    ...(cosigned ? [{ head: cosigned, from: 'the cosigned checkpoint' }] : []),
    ...(earlier === undefined ? [] : [{ head: headOf(earlier, org, verifiers), from: 'the earlier checkpoint' }]),
  ].filter(({ head }) => head.size > 0)
  const tree = new Tree()
  const broken = (why: string, line?: number) =>
    new AuditFault('seal_broken', `The events are not those that were sealed: ${why}.`, {
      file: EVENTS,
      ...(line !== undefined && { line }),
    })
  return {
    /** Whether leaves are asked for: nothing else is compared. */
    wantsLeaves: wanted.length > 0,
    add(leaf: Hash, line: number): void {
      tree.add(leaf)
      for (const { head, from } of wanted) {
        if (head.size !== line || head.root.equals(tree.root)) continue
        throw broken(`one of the first ${line} was changed, added, moved or left out, as ${from} shows`, line)
      }
    },
    /** To be called after the last event. */
    end(): void {
      const missing = wanted.find(({ head }) => head.size > tree.size)
      if (missing) throw broken(`there are ${tree.size}, and ${missing.from} has ${missing.head.size}`)
    },
  }
}

/** How many events of an export its checkpoint seals; `undefined` where it has none. */
export function sealedOf({ checkpoint }: Manifest, { verifiers }: SealOptions): Sealed | undefined {
  if (typeof checkpoint !== 'string') return undefined
  return { events: statedHead(checkpoint).size, isTrusted: verifiers !== undefined }
}

/** The cosigned checkpoint. Where no witness is named, one of another log, or by another key, says nothing. */
function cosignedHead(
  { org, cosigned }: Manifest,
  { verifiers, witnesses }: SealOptions,
  own: Head | undefined,
): Head | undefined {
  if (cosigned === undefined) return undefined
  try {
    const head = headOf(cosigned, org, verifiers)
    return witnesses || head.origin === own?.origin ? head : undefined
  } catch (error) {
    if (witnesses) throw error
    return undefined
  }
}

/**
 * What the witnesses of an auditor have cosigned; `undefined` where none are named. Throws `witnesses_missing` where
 * too few of them have, or not of all sealed events.
 */
export function cosignedOf({ checkpoint, cosigned }: Manifest, { witnesses }: SealOptions): Cosigned | undefined {
  if (!witnesses) return undefined
  const { keys, quorum, mayBePart } = witnesses
  const missing = (why: string) =>
    new AuditFault('witnesses_missing', `${quorum} of your witnesses must have cosigned a checkpoint, and ${why}.`, {
      file: MANIFEST,
    })
  if (cosigned === undefined) throw missing('no witness has')
  let found: readonly Cosignature[]
  try {
    found = cosignaturesOf(cosigned, keys)
  } catch (error) {
    if (!(error instanceof NoteFault)) throw error
    throw new AuditFault('seal_untrusted', `The cosigned checkpoint says nothing: ${error.message}`)
  }
  if (found.length < quorum)
    throw missing(`${found.length === 0 ? 'none' : found.map(({ name }) => name).join(', ')} has`)
  const { size } = statedHead(cosigned)
  const sealed = typeof checkpoint === 'string' ? statedHead(checkpoint).size : 0
  if (size === 0) throw missing('what they have cosigned has no event')
  if (size < sealed && !mayBePart)
    throw missing(`they have cosigned the first ${size} of ${sealed} sealed events alone`)
  const by = found.map(({ name, at }) => ({ name, at: new Date(Number(at) * 1_000).toISOString() }))
  return { events: size, by }
}

function headOf(note: string, org: string, verifiers: readonly Verifier[] | undefined): Head {
  const untrusted = (why: string) => new AuditFault('seal_untrusted', `The checkpoint says nothing: ${why}`)
  let head: Head & { readonly verified: readonly string[] }
  try {
    head = verifiers ? openCheckpoint(note, verifiers) : { ...statedHead(note), verified: namesIn(note) }
  } catch (error) {
    throw untrusted((error as Error).message)
  }
  // A key speaks for the log of its name alone.
  if (isOriginOf(head.origin, org, head.verified)) return head
  throw untrusted(`it is one of ${head.origin}.`)
}

/** The names that signatures of a note have, whoever made them. */
const namesIn = (note: string): readonly string[] => partsOf(note).signatures.map(({ name }) => name)
