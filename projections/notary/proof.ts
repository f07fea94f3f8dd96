/**
 * Proofs as files that are checked far from the log, with its public key alone.
 *
 * Source: C2SP tlog-proof (https://c2sp.org/tlog-proof) for an entry, and the request of C2SP tlog-witness
 * (https://c2sp.org/tlog-witness) for a log that goes on from an earlier checkpoint.
 */
import { type Head, openCheckpoint } from './checkpoint.ts'
import { type Hash, isConsistent, isIncluded, leafHash } from './merkle.ts'
import { fromBase64, type Verifier } from './note.ts'

const HEADER = 'c2sp.org/tlog-proof@v1'
const HASH_BYTES = 32
const HASHES_MAX = 63
const NUMBER = /^(0|[1-9][0-9]{0,14})$/

/** Why a proof does not hold. */
export type ProofCode =
  | 'proof_malformed'
  | 'checkpoint_invalid'
  | 'entry_not_included'
  | 'log_not_continued'
  | 'origin_differs'
  | 'statement_invalid'
  | 'statement_detached'
  | 'row_not_included'
  | 'row_not_absent'
  | 'row_differs'
  | 'model_unknown'
  | 'export_too_short'
  | 'events_differ'
  | 'rows_differ'

export class ProofFault extends Error {
  override readonly name = 'ProofFault'
  readonly code: ProofCode

  constructor(code: ProofCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

type Proof = { readonly hashes: readonly Hash[]; readonly checkpoint: string }

/** The proof that a log has an entry, with the entry itself. */
export const entryProofText = (entry: string, index: number, { hashes, checkpoint }: Proof): string =>
  [HEADER, `extra ${Buffer.from(entry).toString('base64')}`, `index ${index}`, ...lines(hashes), '', checkpoint].join(
    '\n',
  )

/** The proof that a log begins with the one that had `old` entries. */
export const continuationText = (old: number, { hashes, checkpoint }: Proof): string =>
  [`old ${old}`, ...lines(hashes), '', checkpoint].join('\n')

const lines = (hashes: readonly Hash[]) => hashes.map(hash => hash.toString('base64'))

/** What a proof shows: the head that was signed, and the entry, as text, where the proof is one of an entry. */
export type Proved = { readonly head: Head; readonly entry?: string; readonly index?: number; readonly old?: number }

/**
 * Checks a proof; one of a continuation needs the earlier checkpoint, which the same log signed. Throws a `ProofFault`.
 */
export function checkProof(text: string, verifiers: readonly Verifier[], earlier?: string): Proved {
  const end = text.indexOf('\n\n')
  if (end < 0) throw malformed('it has no checkpoint')
  const head = headOf(text.slice(end + 2), verifiers)
  const [first = '', ...others] = text.slice(0, end).split('\n')
  return first === HEADER ? checkEntry(others, head) : checkContinuation(first, others, { head, verifiers, earlier })
}

function checkEntry(given: readonly string[], head: Head): Proved {
  const [extra = '', at = '', ...hashes] = given
  const entry = extra.startsWith('extra ') ? fromBase64(extra.slice('extra '.length)) : undefined
  const index = at.startsWith('index ') && NUMBER.test(at.slice('index '.length)) ? Number(at.slice(6)) : undefined
  if (!entry || index === undefined) throw malformed('the lines `extra` and `index` are expected')
  if (!isIncluded({ ...head, index }, leafHash(entry), hashesIn(hashes))) {
    throw new ProofFault('entry_not_included', `The log with this checkpoint does not have the entry at ${index}.`)
  }
  return { head, entry: entry.toString(), index }
}

type Continuation = { head: Head; verifiers: readonly Verifier[]; earlier: string | undefined }

function checkContinuation(first: string, hashes: readonly string[], { head, verifiers, earlier }: Continuation) {
  const old = first.startsWith('old ') && NUMBER.test(first.slice('old '.length)) ? Number(first.slice(4)) : undefined
  if (old === undefined) throw malformed(`it begins neither with ${HEADER} nor with \`old\``)
  if (earlier === undefined) throw malformed('it is checked together with the earlier checkpoint')
  const before = headOf(earlier, verifiers)
  if (before.origin !== head.origin) {
    throw new ProofFault('origin_differs', `The checkpoints are of ${before.origin} and of ${head.origin}.`)
  }
  if (before.size !== old || !isConsistent(before, head, hashesIn(hashes))) {
    throw new ProofFault(
      'log_not_continued',
      `The log with this checkpoint does not go on from that of ${old} entries.`,
    )
  }
  return { head, old }
}

function hashesIn(given: readonly string[]): readonly Hash[] {
  const hashes = given.map(fromBase64)
  const isSound = hashes.length <= HASHES_MAX && hashes.every(hash => hash?.length === HASH_BYTES)
  if (!isSound) throw malformed('a hash has 32 bytes, in base64')
  return hashes as Hash[]
}

function headOf(note: string, verifiers: readonly Verifier[]): Head {
  try {
    return openCheckpoint(note, verifiers)
  } catch (error) {
    throw new ProofFault('checkpoint_invalid', (error as Error).message, { cause: error })
  }
}

const malformed = (why: string) => new ProofFault('proof_malformed', `This is no proof: ${why}.`)
