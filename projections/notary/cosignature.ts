/**
 * Cosignatures: what witnesses state of a checkpoint, that it goes on from every one of that log which they saw before.
 *
 * Source: C2SP tlog-cosignature (https://c2sp.org/tlog-cosignature), Ed25519 cosignatures (`cosignature/v1`, 0x04).
 */
import { sign, verify } from 'node:crypto'
import {
  KEY_TYPES,
  keyFrom,
  keyOf,
  keyText,
  NoteFault,
  partsOf,
  type Signer,
  signatureLine,
  type Verifier,
} from './note.ts'

const TIME_BYTES = 8
const SIGNATURE_BYTES = 64
const SECONDS_MAX = 2n ** 63n - 1n

/** The public half of a witness's key. */
export const witnessOf = (signer: Signer): Verifier => keyOf(signer, KEY_TYPES.cosignature)
export const witnessText = (witness: Verifier): string => keyText(witness, KEY_TYPES.cosignature)
/** Reads the text of a witness's key; throws a `TypeError` for anything else. */
export const witnessFrom = (text: string): Verifier => keyFrom(text, KEY_TYPES.cosignature)

/** A cosignature by a known witness: when it was made, in seconds since 1970, and its line in a note. */
export type Cosignature = { readonly name: string; readonly at: bigint; readonly line: string }

/** The line by which a witness cosigns a checkpoint, at a time in seconds since 1970. */
export function cosign(note: string, signer: Signer, seconds: number): string {
  const at = BigInt(seconds)
  const time = Buffer.alloc(TIME_BYTES)
  time.writeBigUInt64BE(at)
  const signature = sign(null, signed(at, partsOf(note).text), signer.privateKey)
  return signatureLine(witnessOf(signer), Buffer.concat([time, signature]))
}

/**
 * The cosignatures of a note by some witnesses, one of each. Throws a `NoteFault` where the note is none, or a
 * cosignature by one of them is false.
 */
export function cosignaturesOf(note: string, witnesses: readonly Verifier[]): readonly Cosignature[] {
  const { text, signatures } = partsOf(note)
  const found = new Map<Verifier, Cosignature>()
  for (const { name, id, signature } of signatures) {
    const witness = witnesses.find(known => known.name === name && known.id.equals(id))
    if (!witness || found.has(witness)) continue
    const at = signature.length === TIME_BYTES + SIGNATURE_BYTES ? signature.readBigUInt64BE() : 0n
    const isTimed = at > 0n && at <= SECONDS_MAX
    if (!isTimed || !verify(null, signed(at, text), witness.publicKey, signature.subarray(TIME_BYTES))) {
      throw new NoteFault('invalid signature', `The cosignature of ${name} is not one of this checkpoint.`)
    }
    found.set(witness, { name, at, line: signatureLine({ name, id }, signature) })
  }
  return [...found.values()]
}

const signed = (at: bigint, text: string) => Buffer.from(`cosignature/v1\ntime ${at}\n${text}`)
