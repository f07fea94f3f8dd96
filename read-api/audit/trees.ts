/** The trees of the notary as they stand in PostgreSQL: heads, hashes of tiles, and proofs made of them. */
import { KogiError } from '../../domain/kernel/errors.ts'
import { consistencyRanges, type Hash, type Range } from '../../projections/notary/merkle.ts'
import { rangeHash, type TileSource } from '../../projections/notary/tiles.ts'
import type { ReadPool } from '../pool.ts'

const POSITION_BYTES = 8

export type TreeDeps = { readonly pool: ReadPool }

type Head = { readonly size: number; readonly note: string; readonly cosigned: string | null }

/** The head of a tree: an org's, or with `''` that of the log. Throws `not_sealed` where it has none. */
export async function headOf({ pool }: TreeDeps, tree: string): Promise<Head> {
  const { rows } = await pool.query({
    text: 'select size, note, cosigned from notary_heads where tree = $1',
    values: [tree],
    rowMode: 'array',
  })
  if (!rows[0]) throw new KogiError('not_sealed', 'There is no signed checkpoint yet.')
  const [size, note, cosigned] = rows[0] as [string, string, string | null]
  return { size: Number(size), note, cosigned }
}

/** Hashes of tiles, each read once. */
function tilesOf({ pool }: TreeDeps, tree: string): TileSource {
  const read = new Map<string, Promise<Uint8Array>>()
  return (level, index) => {
    const key = `${level} ${index}`
    const found = read.get(key) ?? hashesOf(pool, tree, level, index)
    read.set(key, found)
    return found
  }
}

/** The hashes of a tile; none where it is not written. */
export async function hashesOf(pool: ReadPool, tree: string, level: number, index: number): Promise<Uint8Array> {
  const { rows } = await pool.query({
    text: 'select hashes from notary_tiles where tree = $1 and level = $2 and index = $3',
    values: [tree, level, index],
    rowMode: 'array',
  })
  return (rows[0]?.[0] as Buffer | undefined) ?? Buffer.alloc(0)
}

/** The proof that a tree of `size` entries begins with that of `old`. Throws where its tiles are not written yet. */
export const consistencyHashes = (
  deps: TreeDeps,
  tree: string,
  { old, size }: { readonly old: number; readonly size: number },
): Promise<readonly Hash[]> => hashes(deps, tree, consistencyRanges(old, size))

/** The roots of some ranges of a tree. Throws where its tiles are not written yet. */
export async function hashes(deps: TreeDeps, tree: string, ranges: readonly Range[]): Promise<readonly Hash[]> {
  const source = tilesOf(deps, tree)
  try {
    return await Promise.all(ranges.map(range => rangeHash(range, source)))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new KogiError('engine_unavailable', 'The tiles of the notary are not written yet.', [], { cause: error })
  }
}

/** The positions of the events of a tile of level 0, 8 bytes each. */
export const positionsIn = (bytes: Buffer): readonly bigint[] =>
  Array.from({ length: bytes.length / POSITION_BYTES }, (_, n) => bytes.readBigUInt64BE(n * POSITION_BYTES))
