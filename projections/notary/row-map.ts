/**
 * The Merkle map of the rows of a read model: one hash for all of them, from which a few hashes lead to each row, and
 * to the place where a row would be that is not there.
 *
 * A row stands at the SHA-256 of its key, so that the form of the tree follows from the rows alone, whatever came
 * first. A tree of no rows is 32 bytes of zero, one of a single row is the hash of that row at whatever depth, and
 * every other is the hash of its halves by the next bit of the place: 0 to the left, 1 to the right. (After the trees
 * of "Efficient Sparse Merkle Trees", Dahlberg, Pulls and Peeters, 2016, with subtrees of one leaf cut short.)
 *
 * It is kept in pages of four bits: each has up to 16 subtrees, of which one of a single row is that row.
 */
import { hash as hashOnce } from 'node:crypto'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { type Hash, nodeHash } from './merkle.ts'

const HASH_BYTES = 32
const CHILDREN = 16
const ROW_FLAG = 0x10
/** The longest path, in bits. */
export const DEPTH_MAX = 8 * HASH_BYTES
/** The hash of no rows. */
export const NO_ROWS: Hash = Buffer.alloc(HASH_BYTES)

/** A row of the map: its place in hexadecimal digits, the SHA-256 of its canonical JSON, and the hash of both. */
export type MapRow = { readonly place: string; readonly digest: Hash; readonly hash: Hash }
/** A subtree: one row, or several by their hash alone; `undefined` where there is none. */
type Subtree = MapRow | { readonly place?: undefined; readonly hash: Hash } | undefined
/** The subtrees of a page, by their next hexadecimal digit. */
export type Page = readonly Subtree[]

const sha256 = (bytes: string | Uint8Array): Hash => Buffer.from(hashOnce('sha256', bytes, 'binary'), 'binary')

/** The bytes that a row is hashed by; it is filled for each: a byte of zero, the place, and the hash of the row. */
const ROW = Buffer.alloc(1 + 2 * HASH_BYTES)

/** Where the row of a key stands: the SHA-256 of the canonical JSON of its key columns, in hexadecimal. */
export const placeOf = (key: Readonly<Record<string, unknown>>): string => sha256(canonicalJson(key)).toString('hex')

/** The SHA-256 of the canonical JSON of a row. */
export const rowDigest = (row: string): Hash => sha256(row)

/** A row with its hash: the SHA-256 of a byte of zero, the place, and the digest of the row. */
export function rowAt(place: string, digest: Hash): MapRow {
  ROW.write(place, 1, 'hex')
  ROW.set(digest, 1 + HASH_BYTES)
  return { place, digest, hash: sha256(ROW) }
}

/** Whether a subtree has no page of its own. */
const isRow = (subtree: Subtree): subtree is MapRow | undefined => subtree === undefined || subtree.place !== undefined

const joined = (left: Subtree, right: Subtree): Subtree => {
  if (left === undefined && (right === undefined || right.place !== undefined)) return right
  if (right === undefined && left?.place !== undefined) return left
  return { hash: nodeHash(left?.hash ?? NO_ROWS, right?.hash ?? NO_ROWS) }
}

/** The subtrees of a page and those that pairs of them make, up to the one of the whole page. */
function levelsOf(page: Page): readonly Page[] {
  const levels: Page[] = [Array.from({ length: CHILDREN }, (_, n) => page[n])]
  for (let last = levels[0]!; last.length > 1; last = levels.at(-1)!) {
    levels.push(Array.from({ length: last.length / 2 }, (_, n) => joined(last[2 * n], last[2 * n + 1])))
  }
  return levels
}

const wholeOf = (page: Page): Subtree => levelsOf(page).at(-1)![0]

export function pageBytes(page: Page): Buffer {
  const parts: Uint8Array[] = []
  for (let digit = 0; digit < CHILDREN; digit += 1) {
    const child = page[digit]
    if (child === undefined) continue
    const isLone = child.place !== undefined
    if (isLone) parts.push(Buffer.of(digit | ROW_FLAG), child.digest, Buffer.from(child.place, 'hex'))
    else parts.push(Buffer.of(digit), child.hash)
  }
  return Buffer.concat(parts)
}

export function pageFrom(bytes: Buffer): Page {
  const page: Subtree[] = new Array(CHILDREN).fill(undefined)
  for (let at = 0; at < bytes.length; ) {
    const head = bytes[at]!
    const hash = bytes.subarray(at + 1, at + 1 + HASH_BYTES)
    at += 1 + HASH_BYTES
    if ((head & ROW_FLAG) === 0) page[head] = { hash }
    else {
      page[head & (ROW_FLAG - 1)] = rowAt(bytes.toString('hex', at, at + HASH_BYTES), hash)
      at += HASH_BYTES
    }
  }
  return page
}

/** A change of a map: the digest of the row that now stands at a place, or none. */
export type MapChange = { readonly place: string; readonly digest: Hash | undefined }

/** A page of a map, by the digits that the places of its rows begin with. */
type PageId = { readonly map: number; readonly prefix: string }

/** Reads pages of maps, those that there are, in the order that was asked for. */
export type LoadPages = (ids: readonly PageId[]) => Promise<readonly (Page | undefined)[]>

/** A map after some changes: its root, by how many rows it grew, and its pages that are others now, or gone. */
export type Updated = {
  readonly map: number
  readonly root: Hash
  readonly grown: number
  readonly pages: ReadonlyMap<string, Page | undefined>
}

type Wanted = PageId & { readonly changes: readonly MapChange[] }

/** Applies changes to maps, each place once. Pages are read level by level, those of all maps at once. */
export async function updateMaps(
  load: LoadPages,
  maps: readonly { readonly map: number; readonly changes: readonly MapChange[] }[],
): Promise<readonly Updated[]> {
  const works = maps.map(() => new Update())
  let wanted = maps.map((map, at): Wanted & { at: number } => ({ ...map, prefix: '', at }))
  while (wanted.length > 0) {
    const pages = await load(wanted)
    wanted = wanted.flatMap((one, n) => {
      const page = pages[n]
      if (page === undefined) return []
      works[one.at]!.known.set(one.prefix, page)
      return grouped(one.changes, one.prefix.length).flatMap(({ digit, changes }) => {
        const child = page[digit]
        if (isRow(child)) return []
        return [{ ...one, prefix: one.prefix + digit.toString(CHILDREN), changes }]
      })
    })
  }
  return maps.map(({ map, changes }, at) => {
    const work = works[at]!
    const first = work.change('', changes)
    return { map, root: first?.hash ?? NO_ROWS, grown: work.grown, pages: work.pages }
  })
}

/** Changes by the digit of their places at some depth. */
function grouped<C extends { readonly place: string }>(changes: readonly C[], depth: number) {
  const groups: { readonly digit: number; readonly changes: C[] }[] = []
  const found = new Map<number, C[]>()
  for (const change of changes) {
    const digit = Number.parseInt(change.place[depth]!, CHILDREN)
    const group = found.get(digit)
    if (group) group.push(change)
    else {
      const changes = [change]
      found.set(digit, changes)
      groups.push({ digit, changes })
    }
  }
  return groups
}

/** The changes of one map. */
class Update {
  readonly known = new Map<string, Page>()
  readonly pages = new Map<string, Page | undefined>()
  grown = 0

  /** Changes a subtree that has a page, or the whole map; returns what it is then. */
  change(prefix: string, changes: readonly MapChange[]): Subtree {
    const before = this.known.get(prefix)
    if (before === undefined) return this.#grow(prefix, undefined, changes)
    const page = [...before]
    for (const { digit, changes: some } of grouped(changes, prefix.length)) {
      const child = page[digit]
      const below = prefix + digit.toString(CHILDREN)
      page[digit] = isRow(child) ? this.#grow(below, child, some) : this.change(below, some)
    }
    return this.#kept(prefix, page)
  }

  /** Changes a subtree of one row or none. */
  #grow(prefix: string, row: MapRow | undefined, changes: readonly MapChange[]): Subtree {
    const rows = new Map<string, MapRow>(row ? [[row.place, row]] : [])
    const before = rows.size
    for (const { place, digest } of changes) {
      if (digest) rows.set(place, rowAt(place, digest))
      else rows.delete(place)
    }
    this.grown += rows.size - before
    return this.#made(prefix, [...rows.values()])
  }

  #made(prefix: string, rows: readonly MapRow[]): Subtree {
    // The first page is there even for a single row.
    if (rows.length <= 1 && prefix !== '') return rows[0]
    const page: Subtree[] = new Array(CHILDREN).fill(undefined)
    for (const { digit, changes } of grouped(rows, prefix.length)) {
      page[digit] = this.#made(prefix + digit.toString(CHILDREN), changes)
    }
    return this.#kept(prefix, page)
  }

  #kept(prefix: string, page: Page): Subtree {
    const whole = wholeOf(page)
    const isNeeded = whole !== undefined && (prefix === '' || whole.place === undefined)
    if (isNeeded || this.known.has(prefix)) this.pages.set(prefix, isNeeded ? page : undefined)
    return whole
  }
}

/** How a map leads to a place: hashes from the bottom up, and the row at their end, where there is one. */
export type MapPath = { readonly hashes: readonly Hash[]; readonly end: MapRow | undefined }

/** The prefixes of the pages that may lead to a place: more digits than two of any number of rows share. */
export const prefixesOf = (place: string, depthMax = 24): readonly string[] =>
  Array.from({ length: depthMax }, (_, depth) => place.slice(0, depth))

/** The path to a place through its pages. Throws a `RangeError` where a page is missing. */
export function pathTo(place: string, pages: ReadonlyMap<string, Page>): MapPath {
  const hashes: Hash[] = []
  for (let prefix = ''; ; prefix = place.slice(0, prefix.length + 1)) {
    const page = pages.get(prefix)
    if (page === undefined && prefix === '') return { hashes, end: undefined }
    if (page === undefined) throw new RangeError('a page of the map is missing')
    const levels = levelsOf(page)
    const digit = Number.parseInt(place[prefix.length]!, CHILDREN)
    for (let level = levels.length - 1; level >= 0; level -= 1) {
      const at = digit >> level
      const found = levels[level]![at]
      if (level < levels.length - 1) hashes.unshift(levels[level]![at ^ 1]?.hash ?? NO_ROWS)
      if (isRow(found)) return { hashes, end: found }
    }
  }
}

/** Whether a path leads from the end of it, a row or none, to the root of a map. */
export function leadsTo(root: Hash, place: string, { hashes, end }: MapPath): boolean {
  if (hashes.length > DEPTH_MAX) return false
  const bits = Buffer.from(place, 'hex')
  let hash = end?.hash ?? NO_ROWS
  for (const [n, other] of hashes.entries()) {
    const depth = hashes.length - 1 - n
    hash = bitAt(bits, depth) ? nodeHash(other, hash) : nodeHash(hash, other)
  }
  return hash.equals(root)
}

/** Whether two places have their first bits in common. */
export function shareBits(a: string, b: string, count: number): boolean {
  const [first, second] = [Buffer.from(a, 'hex'), Buffer.from(b, 'hex')]
  for (let bit = 0; bit < count; bit += 1) if (bitAt(first, bit) !== bitAt(second, bit)) return false
  return true
}

const bitAt = (bytes: Buffer, bit: number): number => (bytes[bit >> 3]! >> (7 - (bit & 7))) & 1
