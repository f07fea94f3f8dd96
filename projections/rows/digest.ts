/** The one way to digest rows: check, replay, rebuild and tests use it. */
import { createHash, type Hash } from 'node:crypto'
import { canonicalJson } from '../../domain/kernel/json.ts'
import type { Row } from './tables.ts'

/** SHA-256 of the canonical JSON (RFC 8785) of a row in memory form; absent fields are left out. */
export const rowDigest = (row: Row): Buffer => createHash('sha256').update(canonicalJson(row)).digest()

/** The number of an org's rows in one table, and the SHA-256 over their digests. */
export type TableDigest = { readonly rows: number; readonly sha256: string }

/** Digests the rows of one org as they come: they must come in key order (`byKey`, or SQL's order by the key). */
export class TableDigester {
  readonly #hash: Hash = createHash('sha256')
  #rows = 0

  add(row: Row): void {
    this.addDigest(rowDigest(row))
  }

  /** Adds a row by its digest. */
  addDigest(digest: Uint8Array): void {
    this.#hash.update(digest)
    this.#rows += 1
  }

  /** Ends the digest: hexadecimal SHA-256 over the row digests in key order. */
  end(): TableDigest {
    return { rows: this.#rows, sha256: this.#hash.digest('hex') }
  }
}

/**
 * Digests rows in any order: it adds up their digests, each 64 bits by themselves. Equal sums mean equal sets of rows
 * by accident alone, but rows can be forged to have a given sum; ordered digests guard against that.
 */
export class SetDigester {
  readonly #sums = new BigUint64Array(4)
  rows = 0

  addDigest(digest: Uint8Array): void {
    const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
    for (let at = 0; at < 4; at += 1) this.#sums[at]! += view.getBigUint64(at * 8)
    this.rows += 1
  }

  equals(other: SetDigester): boolean {
    return this.rows === other.rows && this.#sums.every((sum, at) => sum === other.#sums[at])
  }
}

/** The digest of an org's rows, which are all in memory and in key order. */
export function tableDigest(rows: Iterable<Row>): TableDigest {
  const digester = new TableDigester()
  for (const row of rows) digester.add(row)
  return digester.end()
}
