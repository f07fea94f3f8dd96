/**
 * Signed notes: a text that people can read, and below it a line for each key that signed it.
 *
 * Source: C2SP signed-note (https://c2sp.org/signed-note), signatures of the type Ed25519 (0x01).
 */
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** Who signs: a name, which has no space and no plus sign, and a private Ed25519 key. */
export type Signer = { readonly name: string; readonly privateKey: KeyObject }
/** Whose signatures are believed. */
export type Verifier = { readonly name: string; readonly id: Buffer; readonly publicKey: KeyObject }

/** The type of signatures by a key: those of a log, and cosignatures with their time (C2SP tlog-cosignature). */
export const KEY_TYPES = { ed25519: 0x01, cosignature: 0x04 } as const
type KeyType = (typeof KEY_TYPES)[keyof typeof KEY_TYPES]

const KEY_BYTES = 32
const ID_BYTES = 4
const SIGNATURE_BYTES = 64
const NOTE_BYTES_MAX = 1_000_000
const SIGNATURES_MAX = 100
const NAME = /^[^\s+\p{Cc}\p{Cs}]+$/u
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/
const VERIFIER_KEY = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/
/** DER of a public Ed25519 key, up to its 32 bytes (RFC 8410). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** A note that cannot be believed: its form, a signature that is false, or none of a known key. */
export class NoteFault extends Error {
  override readonly name = 'NoteFault'
  readonly kind: 'malformed' | 'invalid signature' | 'unverified'

  constructor(kind: NoteFault['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

const isKeyName = (name: string): boolean => NAME.test(name)

/** The public half of a signer. */
export const verifierOf = (signer: Signer): Verifier => keyOf(signer, KEY_TYPES.ed25519)
/** The same of a key for signatures of some type. */
export function keyOf({ name, privateKey }: Signer, type: KeyType): Verifier {
  const publicKey = createPublicKey(privateKey)
  return { name, id: idOf(name, rawOf(publicKey), type), publicKey }
}

/** A verifier as text, to be handed to auditors: `name+id+key`. */
export const verifierText = (verifier: Verifier): string => keyText(verifier, KEY_TYPES.ed25519)
export const keyText = ({ name, id, publicKey }: Verifier, type: KeyType): string =>
  `${name}+${id.toString('hex')}+${Buffer.concat([Buffer.of(type), rawOf(publicKey)]).toString('base64')}`

/** Reads the text of a verifier; throws a `TypeError` for anything else. */
export const verifierFrom = (text: string): Verifier => keyFrom(text, KEY_TYPES.ed25519)
export function keyFrom(text: string, type: KeyType): Verifier {
  const [, name, id, key] = VERIFIER_KEY.exec(text.trim()) ?? []
  const bytes = key === undefined ? undefined : fromBase64(key)
  if (bytes?.length !== 1 + KEY_BYTES || bytes[0] !== type) {
    throw new TypeError(`this is no key of a ${type === KEY_TYPES.ed25519 ? 'log' : 'witness'}`)
  }
  const raw = bytes.subarray(1)
  const verifier = { name: name!, id: idOf(name!, raw, type), publicKey: publicKeyFrom(raw) }
  if (verifier.id.toString('hex') !== id) throw new TypeError('the name or the key was changed: they do not fit')
  return verifier
}

/** Signs a text, which ends with a line feed. */
export function signNote(text: string, signers: readonly Signer[]): string {
  const lines = signers.map(signer => {
    return signatureLine(verifierOf(signer), sign(null, Buffer.from(text), signer.privateKey))
  })
  return `${text}\n${lines.join('')}`
}

export const signatureLine = ({ name, id }: Pick<Verifier, 'name' | 'id'>, signature: Uint8Array): string =>
  `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`

/** What a note says, once a known key has signed it. */
export type OpenedNote = {
  readonly text: string
  readonly verified: readonly string[]
  /** Names of signatures by keys that are not known, which say nothing. */
  readonly unverified: readonly string[]
}

/** Opens a note. Throws a `NoteFault` where its form or a signature of a known key is wrong, or no known key signed. */
export function openNote(note: string, verifiers: readonly Verifier[]): OpenedNote {
  const { text, signatures } = partsOf(note)
  const verified: string[] = []
  const unverified: string[] = []
  const seen = new Set<string>()
  for (const { name, id, signature } of signatures) {
    const known = verifiers.find(verifier => verifier.name === name && verifier.id.equals(id))
    const key = `${name}+${id.toString('hex')}`
    if (seen.has(key)) continue
    seen.add(key)
    if (!known) {
      unverified.push(name)
      continue
    }
    if (signature.length !== SIGNATURE_BYTES || !verify(null, Buffer.from(text), known.publicKey, signature)) {
      throw new NoteFault('invalid signature', `The signature of ${name} is not one of this text.`)
    }
    verified.push(name)
  }
  if (verified.length > 0) return { text, verified, unverified }
  throw new NoteFault('unverified', `No known key signed it, only ${unverified.join(', ')}.`)
}

/** The text of a note and its signatures, which nobody has checked. Throws a `NoteFault` where it is none. */
export function partsOf(note: string) {
  const malformed = () => new NoteFault('malformed', 'This is no signed note.')
  const end = note.lastIndexOf('\n\n')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a note holds no other control character.
  if (Buffer.byteLength(note) > NOTE_BYTES_MAX || /[\u0000-\u0009\u000b-\u001f]/.test(note)) throw malformed()
  if (end < 0 || !note.isWellFormed() || note.includes('\ufffd') || !note.endsWith('\n')) throw malformed()
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length > SIGNATURES_MAX) throw malformed()
  const signatures = lines.map(line => {
    const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? []
    const bytes = encoded === undefined ? undefined : fromBase64(encoded)
    if (name === undefined || !isKeyName(name) || !bytes || bytes.length <= ID_BYTES) throw malformed()
    return { name, id: bytes.subarray(0, ID_BYTES), signature: bytes.subarray(ID_BYTES) }
  })
  return { text: note.slice(0, end + 1), signatures }
}

const idOf = (name: string, raw: Buffer, type: KeyType): Buffer =>
  createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.concat([Buffer.of(type), raw]))
    .digest()
    .subarray(0, ID_BYTES)

const rawOf = (publicKey: KeyObject): Buffer => publicKey.export({ type: 'spki', format: 'der' }).subarray(SPKI.length)

const publicKeyFrom = (raw: Buffer): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' })

/** The bytes of padded base64, `undefined` for anything else. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
