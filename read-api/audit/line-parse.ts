/** A line of an export as what it says; a line must be canonical JSON (RFC 8785). */
import { hash } from 'node:crypto'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import type { Json } from '../../domain/kernel/json.ts'
import { canonical } from '../../projections/notary/canonical.ts'
import { leafOf, leafOfParts } from '../../projections/notary/leaf.ts'
import { type Hash, leafHash } from '../../projections/notary/merkle.ts'
import type { AuditCode, AuditFault, LeftOut } from './bundle.ts'
import { type Places, placesIn } from './line-places.ts'

export type MakeFault = (code: AuditCode, message: string) => AuditFault

export type ParsedLine = {
  readonly value: object
  /** Where its members stand; of a few lines that is not known. */
  readonly places: Places | undefined
}

/** The sign that stands for bytes that are not UTF-8. */
const REPLACED = '\ufffd'

/** Throws `line_not_canonical`, or `line_invalid` for what is no object. */
export function parsedLine(bytes: Buffer, fault: MakeFault): ParsedLine {
  const text = bytes.toString()
  const isExact = !text.includes(REPLACED) || Buffer.from(text).equals(bytes)
  const value = isExact ? parse(text) : undefined
  const places = value === undefined ? undefined : placesIn(bytes)
  if (value === undefined || (!places && !isCanonical(value, text))) {
    throw fault('line_not_canonical', 'The line is not canonical JSON.')
  }
  if (typeof value !== 'object' || value === null) {
    throw fault('line_invalid', 'The line is no event: it is no object.')
  }
  return { value, places }
}

function isCanonical(value: Json, text: string): boolean {
  try {
    return canonical(value) === text
  } catch {
    return false
  }
}

/** The beginning of an entry behind the byte that leaves are hashed with. */
const ENTRY = '\0{"data_sha256":"'
const HEX = 64
/** The bytes that most leaves are hashed by: they are filled for each. */
const LEAF = Buffer.alloc(16_384)
LEAF.write(ENTRY, 'latin1')
LEAF.write('"', ENTRY.length + HEX, 'latin1')
const OTHERS_AT = ENTRY.length + HEX + 1

/**
 * The hash that the notary's tree has of a line with the data of its event: an entry is the line with the SHA-256 of
 * the data in its place, and without the position, so that it is put together from bytes.
 */
export function leafOfLine(bytes: Buffer, places: Places | undefined, event: StoredEvent): Hash {
  if (!places || places.dataFrom < 0 || bytes.length + OTHERS_AT > LEAF.length) return leafHash(leafOf(event))
  const { dataFrom, dataTo, positionFrom, positionTo } = places
  LEAF.write(hash('sha256', bytes.subarray(dataFrom, dataTo), 'hex'), ENTRY.length, 'latin1')
  const end = OTHERS_AT + bytes.copy(LEAF, OTHERS_AT, dataTo, positionFrom)
  const length = end + bytes.copy(LEAF, end, positionTo)
  return Buffer.from(hash('sha256', LEAF.subarray(0, length), 'binary'), 'binary')
}

/** The same of an event that is left out. */
export const leafOfHeader = ({ header, dataSha256 }: LeftOut): Hash =>
  leafHash(leafOfParts(header, { dataSha256, metadata: canonical(header.metadata) }))

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
