/** One way to digest rows, used by check, replay, rebuild and tests alike (design §6). */
import { createHash, type Hash } from 'node:crypto'
import { canonicalJson } from '../../domain/kernel/json.ts'
import type { Row } from './tables.ts'

/** SHA-256 of the canonical JSON (RFC 8785) of a row in memory form; absent fields are left out. */
export const rowDigest = (row: Row): Buffer => createHash('sha256').update(canonicalJson(row)).digest()

/** What the rows of one org in one table come to. */
export type TableDigest = { readonly rows: number; readonly sha256: string }

/** Digests the rows of one org as they come: they must come in key order (`byKey`, or SQL's order by the key). */
export class TableDigester {
  readonly #hash: Hash = createHash('sha256')
  #rows = 0

  add(row: Row): void {
    this.addDigest(rowDigest(row))
  }

  /** For who has the row's digest already. */
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
 * Digests rows in whatever order they come: their digests added up, each 64 bits of them by themselves. Two sets with
 * the same sum are the same unless somebody made them to be, which is what ordered digests are for.
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

/** The digest of an org's rows that are all at hand, in key order. */
export function tableDigest(rows: Iterable<Row>): TableDigest {
  const digester = new TableDigester()
  for (const row of rows) digester.add(row)
  return digester.end()
}
