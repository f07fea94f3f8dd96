/** The root of a map of rows as its definition has it, from all rows at once: what the product's must equal. */
import { createHash } from 'node:crypto'

export const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
export const utf8 = (text: string) => Buffer.from(text)

/** Keys and rows are canonical JSON already. */
export function naiveRoot(rows: readonly { readonly key: string; readonly row: string }[]): Buffer {
  const leaves = rows.map(({ key, row }) => {
    const place = sha256(utf8(key))
    const bits = [...place].map(byte => byte.toString(2).padStart(8, '0')).join('')
    return { bits, hash: sha256(Buffer.of(0), place, sha256(utf8(row))) }
  })
  const over = (some: typeof leaves, depth: number): Buffer => {
    if (some.length === 0) return Buffer.alloc(32)
    if (some.length === 1) return some[0]!.hash
    const half = (bit: string) =>
      over(
        some.filter(({ bits }) => bits[depth] === bit),
        depth + 1,
      )
    return sha256(Buffer.of(1), half('0'), half('1'))
  }
  return over(leaves, 0)
}
