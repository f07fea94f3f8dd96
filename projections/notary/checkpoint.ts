/**
 * Checkpoints: the size of a log and the root of its tree, signed.
 *
 * Source: C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint).
 */
import type { Hash } from './merkle.ts'
import { fromBase64, NoteFault, type OpenedNote, openNote, type Signer, signNote, type Verifier } from './note.ts'

/** The head of a log. `origin` names the log among all logs of the world. */
export type Head = { readonly origin: string; readonly size: number; readonly root: Hash }

/** The name of an org's part of a log in its checkpoints. */
export const originOf = (log: string, org: string): string => `${log}/org/${encodeURIComponent(org)}`

/** Whether an origin is that of an org in the log of one of the keys that signed: a key speaks for no other log. */
export const isOriginOf = (origin: string, org: string, verified: readonly string[]): boolean =>
  verified.some(name => origin === originOf(name, org))

const SIZE = /^(0|[1-9][0-9]{0,15})$/
const ROOT_BYTES = 32

export const signCheckpoint = ({ origin, size, root }: Head, signers: readonly Signer[]): string =>
  signNote(`${origin}\n${size}\n${root.toString('base64')}\n`, signers)

/** What a signed checkpoint says. Throws a `NoteFault` where it is none, or nobody known has signed it. */
export function openCheckpoint(note: string, verifiers: readonly Verifier[]): Head & Pick<OpenedNote, 'verified'> {
  const { text, verified } = openNote(note, verifiers)
  return { ...headIn(text), verified }
}

/** What a checkpoint states; its signatures are not looked at. Throws a `NoteFault` where it is none. */
export const statedHead = (note: string): Head => headIn(note.slice(0, note.lastIndexOf('\n\n') + 1))

function headIn(text: string): Head {
  const [origin, size, root] = text.split('\n')
  const hash = root === undefined ? undefined : fromBase64(root)
  if (!origin || !SIZE.test(size ?? '') || hash?.length !== ROOT_BYTES || !Number.isSafeInteger(Number(size))) {
    throw new NoteFault('malformed', 'This is no checkpoint of a log: origin, size and root are expected.')
  }
  return { origin, size: Number(size), root: hash }
}
