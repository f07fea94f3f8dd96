/**
 * Proofs of rows: what a row of a read model was at a position, or that there was none, checked far from the system,
 * with the public key of the log alone.
 */
import { z } from 'zod'
import { canonicalJson } from '../../domain/kernel/json.ts'
import type { AnyProjection } from '../rows/projection.ts'
import { isOriginOf, openCheckpoint } from './checkpoint.ts'
import type { Hash } from './merkle.ts'
import { fromBase64, type Verifier } from './note.ts'
import { ProofFault } from './proof.ts'
import { DEPTH_MAX, leadsTo, type MapPath, placeOf, rowAt, rowDigest, shareBits } from './row-map.ts'
import { type OpenedStatement, openStatement } from './row-statement.ts'

const ROW_PROOF = 'kogi-row-proof/v1'

const base64 = (what: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=$/)
    .meta({ description: `${what}, in base64` })

/** A proof, as JSON. */
export const rowProofSchema = z.strictObject({
  format: z.literal(ROW_PROOF),
  key: z.record(z.string(), z.union([z.string(), z.int()])).meta({ description: 'the columns of the key of the row' }),
  row: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: 'the row as it is sealed, or null where there is none' }),
  other: z
    .strictObject({ place: base64('where it stands'), digest: base64('the SHA-256 of its canonical JSON') })
    .optional()
    .meta({ description: 'the only row that the map has where the absent one would be' }),
  path: z
    .array(base64('the hash of the other half'))
    .max(DEPTH_MAX)
    .meta({ description: 'the hashes that lead to the root of the map, from the bottom up' }),
  statement: z.string().meta({ description: 'what was signed of the map' }),
  checkpoint: z.string().meta({ description: 'the signed checkpoint of the log that the rows follow from' }),
})
export type RowProof = z.output<typeof rowProofSchema>

type Made = Pick<RowProof, 'key' | 'row' | 'statement' | 'checkpoint'>

/** The proof of a row, or of none, by the path to its place. */
export const rowProof = ({ key, row, statement, checkpoint }: Made, { hashes, end }: MapPath): RowProof => ({
  format: ROW_PROOF,
  key,
  row,
  ...(row === null &&
    end && {
      other: { place: Buffer.from(end.place, 'hex').toString('base64'), digest: end.digest.toString('base64') },
    }),
  path: hashes.map(hash => hash.toString('base64')),
  statement,
  checkpoint,
})

/** What a proof shows. */
export type ProvedRow = Pick<RowProof, 'key' | 'row'> & { readonly statement: OpenedStatement }

/** A read model as far as a proof of its rows is checked by it. */
export type ProvedModel = Pick<AnyProjection, 'name' | 'version' | 'key' | 'row'>

/**
 * Checks a proof, in JSON: by itself, or as it stands in the answer of a read, whose `data` must then be the proved
 * row. The read model must be among those that are known: by its key, a place that is empty is one of no row. Throws a
 * `ProofFault`.
 */
export function checkRowProof(text: string, verifiers: readonly Verifier[], models: readonly ProvedModel[]): ProvedRow {
  const { proof, data, asOf } = proofIn(text)
  const { key, row } = proof
  const statement = opened('statement_invalid', () => openStatement(proof.statement, verifiers))
  const checkpoint = opened('checkpoint_invalid', () => openCheckpoint(proof.checkpoint, verifiers))
  const { log } = statement
  if (checkpoint.origin !== log.origin || checkpoint.size !== log.size || !checkpoint.root.equals(log.root)) {
    const of = `${log.origin} with ${log.size} events`
    throw new ProofFault('statement_detached', `The statement is about the log ${of}, and the checkpoint is another.`)
  }
  const { model: name, version } = statement
  const model = models.find(known => known.name === name && known.version === version)
  if (!model) throw new ProofFault('model_unknown', `This program has no version ${version} of ${name}.`)
  checkKey(key, model)
  const isOwn = [statement, checkpoint].every(({ verified }) => isOriginOf(log.origin, String(key.org), verified))
  if (!isOwn) {
    throw new ProofFault('origin_differs', `The statement is about ${log.origin}, and the key is of ${key.org}.`)
  }
  checkRow(proof, statement.root)
  if (data !== undefined) checkData(data, row, Object.keys(model.row.shape))
  if (asOf !== undefined && asOf !== String(statement.position)) {
    const message = `The answer is as of ${JSON.stringify(asOf)}, and the statement of position ${statement.position}.`
    throw new ProofFault('row_differs', message)
  }
  return { key, row, statement }
}

/** A row can only stand at the place of a key that its model could give it. */
function checkKey(key: RowProof['key'], { name, key: columns, row }: ProvedModel): void {
  const isWhole = ['org', ...columns].every(column => Object.hasOwn(key, column))
  if (!isWhole || Object.keys(key).length !== columns.length) {
    throw malformed(`the key of ${name} is ${columns.join(', ')}`)
  }
  for (const [column, value] of Object.entries(key)) {
    const schema = row.shape[column]!
    const parsed = schema.safeDecode(value as never)
    if (!parsed.success || schema.encode(parsed.data as never) !== value) throw malformed(`${column} has no such value`)
  }
}

function checkRow({ key, row, other, path }: RowProof, root: Hash): void {
  const place = placeOf(key)
  const hashes = path.map(hash => hashIn(hash))
  if (row !== null) {
    if (other) throw malformed('it has a row, and another one')
    for (const [column, value] of Object.entries(key)) {
      if (row[column] !== value) throw malformed(`the row has another ${column} than the key`)
    }
    const end = rowAt(place, rowDigest(canonicalJson(row)))
    if (!leadsTo(root, place, { hashes, end })) {
      throw new ProofFault('row_not_included', 'The read model with this statement does not have this row.')
    }
    return
  }
  const end = other && rowAt(hashIn(other.place).toString('hex'), hashIn(other.digest))
  const isApart = !end || (end.place !== place && shareBits(end.place, place, hashes.length))
  if (!isApart || !leadsTo(root, place, { hashes, end })) {
    throw new ProofFault('row_not_absent', 'The read model with this statement may have a row of this key.')
  }
}

/** Columns of an answer that are worked out as it is made, or opened, are no part of the row. */
function checkData(data: unknown, row: RowProof['row'], columns: readonly string[]): void {
  if (row === null) throw new ProofFault('row_differs', 'The answer shows a row, and the proof is that there is none.')
  const shown = (typeof data === 'object' && data !== null ? data : {}) as Readonly<Record<string, unknown>>
  for (const column of new Set([...columns, ...Object.keys(row)])) {
    const isApart = column === 'revision' || isSealed(row[column])
    if (isApart || canonicalOf(shown, column) === canonicalOf(row, column)) continue
    throw new ProofFault('row_differs', `The answer shows another ${column} than the row that is proved.`)
  }
}

const canonicalOf = (from: Readonly<Record<string, unknown>>, column: string): string | undefined =>
  Object.hasOwn(from, column) ? canonicalJson(from[column]) : undefined

const isSealed = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'nonce' in value && 'key' in value && 'text' in value

type Given = { readonly proof: RowProof; readonly data?: unknown; readonly asOf?: unknown }

function proofIn(text: string): Given {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw malformed(`it is no JSON: ${(error as Error).message}`)
  }
  const answer = value as { data?: unknown; meta?: { proof?: unknown; as_of?: unknown } } | null
  const isAnswer = typeof answer === 'object' && answer !== null && answer.meta?.proof !== undefined
  const parsed = rowProofSchema.safeParse(isAnswer ? answer.meta?.proof : value)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    throw malformed(`${path.join('.') || 'the whole'}: ${message}`)
  }
  if (isAnswer && answer.data === undefined && parsed.data.row !== null) {
    throw new ProofFault('row_differs', 'The answer shows no row, and the proof is of one.')
  }
  return { proof: parsed.data, ...(isAnswer && { data: answer.data, asOf: answer.meta?.as_of }) }
}

function opened<T>(code: 'statement_invalid' | 'checkpoint_invalid', open: () => T): T {
  try {
    return open()
  } catch (error) {
    throw new ProofFault(code, (error as Error).message, { cause: error })
  }
}

function hashIn(text: string): Hash {
  const bytes = fromBase64(text)
  if (!bytes) throw malformed('a hash has 32 bytes, in base64')
  return bytes
}

const malformed = (why: string) => new ProofFault('proof_malformed', `This is no proof of a row: ${why}.`)
