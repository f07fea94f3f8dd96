/** The leaf of an event from the bytes that the store has of it, which are canonical as the write path writes them. */
import { hash } from 'node:crypto'
import type { UnparsedEvent } from '../ports.ts'
import { isSurelyCanonical } from './canonical-bytes.ts'
import { type Hash, hashOf } from './merkle.ts'

/** Texts that stand in JSON as they are. */
const PLAIN = /^[ !#-[\]-~]*$/
const TEXT = '"[ !#-\\[\\]-~]*"'
const LIST = `\\[(?:${TEXT}(?:,${TEXT})*)?\\]`
const WHO = `\\{"roles":${LIST},"subject":${TEXT}(?:,"teams":${LIST})?\\}`
/** Metadata as the write path writes it, which is canonical, and its org. */
const METADATA = new RegExp(
  [
    `^\\{"\\$causationId":${TEXT},"\\$correlationId":${TEXT},"actor":${WHO},"at":${TEXT}(?:,"behalf":${WHO})?`,
    `"commandId":${TEXT},"fingerprint":${TEXT},"id":${TEXT},"org":"([ !#-\\[\\]-~]*)"`,
    `"schema":[1-9][0-9]{0,14},"subjects":${LIST}\\}$`,
  ].join(','),
)
/** The beginning of an entry behind the byte that leaves are hashed with. */
const ENTRY = '\0{"data_sha256":"'
/** The bytes that a leaf is hashed by: they are filled for each. */
const LEAF = Buffer.alloc(16_384)
LEAF.write(ENTRY, 'latin1')
/** More than the names of an entry, its id, its revision and its hash take. */
const OTHERS_BYTES_MAX = 300

/** The leaf and the org; `undefined` for an event whose bytes are not surely those that `leafOf` makes of it. */
export function storedLeaf(event: UnparsedEvent): { readonly leaf: Hash; readonly org: string } | undefined {
  const { stored, stream, type, eventId, revision } = event
  if (!stored) return undefined
  const { data, metadata } = stored
  const names = `${eventId}${stream}${type}`
  if (metadata.length + names.length + OTHERS_BYTES_MAX > LEAF.length || !PLAIN.test(names)) return undefined
  const found = METADATA.exec(metadata.toString('latin1'))
  if (!found || !isSurelyCanonical(data)) return undefined
  let at = ENTRY.length
  at += LEAF.write(`${hash('sha256', data, 'hex')}","id":"${eventId}","metadata":`, at, 'latin1')
  at += metadata.copy(LEAF, at)
  at += LEAF.write(`,"revision":"${revision}","stream":"${stream}","type":"${type}"}`, at, 'latin1')
  return { leaf: hashOf(LEAF.subarray(0, at)), org: found[1]! }
}
