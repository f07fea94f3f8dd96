/**
 * Statements: the root of a map of rows, the log that the rows follow from, and the position in it, signed as
 * checkpoints are (C2SP signed-note), by the same keys.
 */
import type { Head } from './checkpoint.ts'
import type { Hash } from './merkle.ts'
import { fromBase64, NoteFault, type OpenedNote, openNote, type Signer, signNote, type Verifier } from './note.ts'

/** What a statement says: the rows of a model of an org, after all events of the org's log of that size. */
export type Statement = {
  readonly model: string
  readonly version: number
  /** Number of rows, and the root of their map. */
  readonly rows: number
  readonly root: Hash
  /** The head of the org's log. */
  readonly log: Head
  /** The position of its last event. */
  readonly position: bigint
}

const HASH_BYTES = 32
const NUMBER = '(0|[1-9][0-9]{0,14})'
const BASE64 = '([A-Za-z0-9+/]{43}=)'
const FORM = new RegExp(
  `^(\\S+)/rows/([a-z][a-z0-9_]*)/v([1-9][0-9]{0,8})\\n` +
    `map ${NUMBER} ${BASE64}\\nlog ${NUMBER} ${BASE64}\\nposition (0|[1-9][0-9]{0,18})\\n$`,
)

export const signStatement = (statement: Statement, signers: readonly Signer[]): string =>
  signNote(textOf(statement), signers)

const textOf = ({ model, version, rows, root, log, position }: Statement): string =>
  `${log.origin}/rows/${model}/v${version}\n` +
  `map ${rows} ${root.toString('base64')}\nlog ${log.size} ${log.root.toString('base64')}\nposition ${position}\n`

/** A statement, and the names of the keys that have signed it. */
export type OpenedStatement = Statement & Pick<OpenedNote, 'verified'>

/** What a signed statement says. Throws a `NoteFault` where it is none, or nobody known has signed it. */
export function openStatement(note: string, verifiers: readonly Verifier[]): OpenedStatement {
  const { text, verified } = openNote(note, verifiers)
  const [, origin, model, version, rows, root, size, logRoot, position] = FORM.exec(text) ?? []
  const [mapHash, logHash] = [fromBase64(root ?? ''), fromBase64(logRoot ?? '')]
  if (mapHash?.length !== HASH_BYTES || logHash?.length !== HASH_BYTES) {
    throw new NoteFault('malformed', 'This is no statement of rows: model, map, log and position are expected.')
  }
  const log = { origin: origin!, size: Number(size), root: logHash }
  const map = { model: model!, version: Number(version), rows: Number(rows), root: mapHash }
  return { ...map, log, position: BigInt(position!), verified }
}
