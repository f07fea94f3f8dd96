/** What signed checkpoints say of the events of an export: that they are all that the org had then, as they were. */
import { type Head, openCheckpoint, statedHead } from '../../projections/notary/checkpoint.ts'
import { leafOf, leafWith } from '../../projections/notary/leaf.ts'
import { leafHash, Tree } from '../../projections/notary/merkle.ts'
import type { Verifier } from '../../projections/notary/note.ts'
import { AuditFault, EVENTS, MANIFEST, type Manifest } from './bundle.ts'
import type { CheckedLine } from './line-check.ts'

export type SealOptions = {
  /** Public keys of the log, from elsewhere than the export. Without them the checkpoint is only compared. */
  readonly verifiers?: readonly Verifier[]
  /** A checkpoint of the org that was kept from earlier: the export must go on from it. */
  readonly earlier?: string
  /** Whether keys may meet an export of before version 5, whose manifest nobody has signed. */
  readonly older?: true
}

/** How many events of an export are sealed, and by a key that the auditor has. */
export type Sealed = { readonly events: number; readonly isTrusted: boolean }

type Wanted = { readonly head: Head; readonly from: string }

/**
 * Compares the events of an export, one after another, with the checkpoint in its manifest and with an earlier one.
 * Throws an `AuditFault` where they are not what was sealed, and, with keys, where the seal is absent or by another
 * key.
 */
export function sealChecker({ org, checkpoint }: Manifest, { verifiers, earlier }: SealOptions) {
  if (verifiers && typeof checkpoint !== 'string') {
    throw new AuditFault('seal_missing', 'The export has no signed checkpoint.', { file: MANIFEST })
  }
  const wanted: Wanted[] = [
    ...(typeof checkpoint === 'string' ? [{ head: headOf(checkpoint, org, verifiers), from: 'the manifest' }] : []),
    ...(earlier === undefined ? [] : [{ head: headOf(earlier, org, verifiers), from: 'the earlier checkpoint' }]),
  ].filter(({ head }) => head.size > 0)
  const tree = new Tree()
  const broken = (why: string, line?: number) =>
    new AuditFault('seal_broken', `The events are not those that were sealed: ${why}.`, {
      file: EVENTS,
      ...(line !== undefined && { line }),
    })
  return {
    add(event: CheckedLine['line'], line: number): void {
      if (wanted.length === 0) return
      tree.add(leafHash('stored' in event ? leafOf(event.stored) : leafWith(event.header, event.dataSha256)))
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

function headOf(note: string, org: string, verifiers: readonly Verifier[] | undefined): Head {
  const untrusted = (why: string) => new AuditFault('seal_untrusted', `The checkpoint says nothing: ${why}`)
  let head: Head
  try {
    head = verifiers ? openCheckpoint(note, verifiers) : statedHead(note)
  } catch (error) {
    throw untrusted((error as Error).message)
  }
  if (head.origin.endsWith(`/org/${encodeURIComponent(org)}`)) return head
  throw untrusted(`it is one of ${head.origin}.`)
}
