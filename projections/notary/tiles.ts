/**
 * The hashes of a tree in tiles of 256: tile `index` of level L has the roots of 256 neighbouring complete subtrees of
 * height 8 L. Everything that a proof needs is in a few of them, and a tile that is full never changes.
 *
 * Source: C2SP tlog-tiles (https://c2sp.org/tlog-tiles).
 */
import { type Hash, nodeHash, type Range } from './merkle.ts'

export const HEIGHT = 8
/** Hashes in a full tile. */
export const WIDTH = 2 ** HEIGHT
export const HASH_BYTES = 32
const LEVELS = 6
const DIGITS = 3

/** A tile, and how many of its hashes are meant: fewer than 256 only at the right edge of the tree. */
export type Tile = { readonly level: number; readonly index: number; readonly width: number }

/** The width that a tile has in a tree of `size` leaves: 0 where the tree has no such tile. */
export function widthOf({ level, index }: Omit<Tile, 'width'>, size: number): number {
  const hashes = Math.floor(size / WIDTH ** level)
  return Math.max(0, Math.min(WIDTH, hashes - index * WIDTH))
}

/** A tile's place in a path: `x001/x234/067` for 1,234,067, with `.p/<width>` where it is not full. */
export function tilePath({ index, width }: Omit<Tile, 'level'>): string {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / DIGITS) * DIGITS, '0')
  const groups = padded.match(/\d{3}/g)!
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
  return width === WIDTH ? path : `${path}.p/${width}`
}

/** The tile that a path names; `undefined` where it is none, or is written in another way than `tilePath` writes it. */
export function tileIn(path: string): Omit<Tile, 'level'> | undefined {
  const found = /^((?:x\d{3}\/){0,3}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path)
  if (!found) return undefined
  const index = Number(found[1]!.replaceAll(/[x/]/g, ''))
  const width = found[2] === undefined ? WIDTH : Number(found[2])
  const tile = { index, width }
  return width <= WIDTH && tilePath(tile) === path ? tile : undefined
}

/** The level in a path, from 0 to 5: enough for 2^48 leaves. */
export const levelIn = (text: string): number | undefined =>
  /^[0-5]$/.test(text) && Number(text) < LEVELS ? Number(text) : undefined

/** Gives the hashes of a tile, one after another. */
export type TileSource = (level: number, index: number) => Promise<Uint8Array>

/** The hash of the tree over a range of leaves, from tiles. Throws a `RangeError` where a tile has too few hashes. */
export async function rangeHash({ from, to }: Range, tile: TileSource): Promise<Hash> {
  const count = to - from
  const power = 2 ** Math.floor(Math.log2(count))
  if (power !== count) {
    const middle = from + power
    const [left, right] = await Promise.all([
      rangeHash({ from, to: middle }, tile),
      rangeHash({ from: middle, to }, tile),
    ])
    return nodeHash(left, right)
  }
  const level = Math.floor(Math.log2(count) / HEIGHT)
  const first = from / WIDTH ** level
  const hashes = await tile(level, Math.floor(first / WIDTH))
  const at = first % WIDTH
  const row = Array.from({ length: count / WIDTH ** level }, (_, n) => hashIn(hashes, at + n))
  return joined(row)
}

function hashIn(hashes: Uint8Array, at: number): Hash {
  const bytes = Buffer.from(hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))
  if (bytes.length !== HASH_BYTES) throw new RangeError('a tile has fewer hashes than the tree')
  return bytes
}

/** The root over neighbouring subtrees, whose number is a power of two. */
function joined(row: readonly Hash[]): Hash {
  if (row.length === 1) return row[0]!
  return joined(Array.from({ length: row.length / 2 }, (_, n) => nodeHash(row[2 * n]!, row[2 * n + 1]!)))
}
