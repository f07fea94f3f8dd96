/**
 * The signature of a manifest: a signed note (C2SP signed-note) by the keys that sign the checkpoints of the log. Its
 * text names the organization's part of the log and the SHA-256 of the manifest; a checkpoint has a number there.
 */
import { isOriginOf, originOf } from '../../projections/notary/checkpoint.ts'
import {
  NoteFault,
  type OpenedNote,
  openNote,
  type Signer,
  signNote,
  type Verifier,
} from '../../projections/notary/note.ts'
import { AuditFault, type Manifest, SIGNATURE, sha256 } from './bundle.ts'

/** What stands behind the origin of the organization's part of the log. */
const ENDING = '/audit-export'

/** The signed note of a manifest, whose text is given as it is written. */
export function signManifest(org: string, manifest: string, signers: readonly [Signer, ...Signer[]]): string {
  return signNote(`${originOf(signers[0].name, org)}${ENDING}\nsha256:${sha256(manifest)}\n`, signers)
}

/** Throws `signature_wrong` where a note does not say, by a known key, that this manifest is the one that was made. */
export function checkSignature(note: string, org: string, manifest: Uint8Array, verifiers: readonly Verifier[]): void {
  const wrong = (why: string) => new AuditFault('signature_wrong', `The signature is none: ${why}`, { file: SIGNATURE })
  let opened: OpenedNote
  try {
    opened = openNote(note, verifiers)
  } catch (error) {
    if (!(error instanceof NoteFault)) throw error
    throw wrong(error.message)
  }
  const [log = '', digest] = opened.text.split('\n')
  const isOwn = log.endsWith(ENDING) && isOriginOf(log.slice(0, -ENDING.length), org, opened.verified)
  if (!isOwn) throw wrong(`it is one of ${log}.`)
  if (digest !== `sha256:${sha256(manifest)}`) throw wrong('it is one of another manifest.')
}

/** What is known of the maker of a manifest: versions before 5 had no signature. */
export type Signed = 'trusted' | 'unchecked' | 'unsigned' | 'of an older version'

export function signedOf({ version, signed }: Manifest, verifiers: readonly Verifier[] | undefined): Signed {
  if (version < 5) return 'of an older version'
  if (!signed) return 'unsigned'
  return verifiers ? 'trusted' : 'unchecked'
}
