/**
 * Checks the tables' file before LMDB maps it, so that a file which is cut, or of another program, is refused with
 * advice.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'

/** Where the fields of a meta page stand; the layout is that of LMDB's `MDB_page` and `MDB_meta`, version 2. */
const MAGIC_AT = 0x18
const VERSION_AT = 0x1c
const PAGE_SIZE_AT = 0x30
const ROOTS_AT = [0x58, 0x88]
const LAST_PAGE_AT = 0x90
const TRANSACTION_AT = 0x98
const META_SIZE = 0xa0

const MAGIC = 0xbeefc0de
const VERSION = 2
const NO_PAGE = 0xffff_ffff_ffff_ffffn
/** LMDB does not write pages at the end that a transaction took and gave back; when more are missing, data is lost. */
const UNWRITTEN_PAGES_MAX = 16
const ADVICE = 'restore the whole folder from a backup; nothing was changed in it'

/** Throws unless the file is new, empty or what LMDB wrote, in its full length. */
export function checkFile(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return
  const first = metaAt(path, 0)
  const pageSize = first?.readUInt32LE(PAGE_SIZE_AT) ?? 0
  const second = isPageSize(pageSize) ? metaAt(path, pageSize) : undefined
  if (first === undefined || second === undefined)
    throw new Error(`${path} is no event store, or its beginning is damaged: ${ADVICE}`)
  const isSecondNewer = second.readBigUInt64LE(TRANSACTION_AT) > first.readBigUInt64LE(TRANSACTION_AT)
  const pages = pagesOf(isSecondNewer ? second : first)
  // The size is read again, because a server beside this process may have made the file longer meanwhile.
  const found = BigInt(Math.floor(statSync(path).size / pageSize))
  if (found < pages)
    throw new Error(`${path} is cut off: it has ${found} pages of ${pageSize} bytes and needs ${pages}; ${ADVICE}`)
}

/** How many pages the file must have. */
function pagesOf(meta: Buffer): bigint {
  const roots = ROOTS_AT.map(at => meta.readBigUInt64LE(at)).filter(root => root !== NO_PAGE)
  const written = meta.readBigUInt64LE(LAST_PAGE_AT) + 1n - BigInt(UNWRITTEN_PAGES_MAX)
  return [...roots.map(root => root + 1n), written].reduce((most, pages) => (pages > most ? pages : most), 2n)
}

function isPageSize(size: number): boolean {
  return size >= 512 && size <= 65_536 && (size & (size - 1)) === 0
}

/** The meta page at an offset; undefined when there is none. */
function metaAt(path: string, offset: number): Buffer | undefined {
  const bytes = Buffer.alloc(META_SIZE)
  const fd = openSync(path, 'r')
  try {
    if (readSync(fd, bytes, 0, META_SIZE, offset) < META_SIZE) return undefined
  } finally {
    closeSync(fd)
  }
  const isMeta = bytes.readUInt32LE(MAGIC_AT) === MAGIC && bytes.readUInt32LE(VERSION_AT) === VERSION
  return isMeta ? bytes : undefined
}
