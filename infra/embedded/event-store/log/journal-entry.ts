/**
 * The form of one commit in the journal: the store's mark, a checksum over the rest of the header, the entry's length,
 * where the log ended before and after, and for each block its position, its length and its checksum; then the blocks.
 */
import { crc32 } from 'node:zlib'
import { type Block, isIntact } from './block.ts'
import { readUint64, writeUint64 } from './keys.ts'

const MARK = 8
/** Offsets in the header. */
const CHECKSUM_AT = 8
const LENGTH_AT = 12
const FROM_AT = 16
const TO_AT = 24
const COUNT_AT = 32
const HEADER = 36
/** The row of one block: position, length, checksum. */
const ROW = 16
const ROW_LENGTH_AT = 8
const ROW_CHECKSUM_AT = 12
/** The part of the header that says where the entry begins in the log, and how long it is. */
const BEGINNING = 24

/** One commit. */
export type Entry = {
  /** End of the log before the commit, which is where the entry before ends. */
  readonly from: number
  readonly to: number
  readonly blocks: readonly Block[]
}

/** The entry as bytes, and again with its blocks standing in them. */
export function encodeEntry(mark: Buffer, { from, to, blocks }: Entry): { bytes: Buffer; copy: Entry } {
  const tableEnd = HEADER + blocks.length * ROW
  const length = blocks.reduce((sum, block) => sum + block.bytes.length, tableEnd)
  const bytes = Buffer.allocUnsafeSlow(length)
  bytes.set(mark, 0)
  bytes.writeUInt32BE(length, LENGTH_AT)
  writeUint64(bytes, FROM_AT, from)
  writeUint64(bytes, TO_AT, to)
  bytes.writeUInt32BE(blocks.length, COUNT_AT)
  let at = tableEnd
  const copied = blocks.map((block, index): Block => {
    const row = HEADER + index * ROW
    writeUint64(bytes, row, block.position)
    bytes.writeUInt32BE(block.bytes.length, row + ROW_LENGTH_AT)
    block.bytes.copy(bytes, row + ROW_CHECKSUM_AT, 0, 4)
    bytes.set(block.bytes, at)
    const copy = bytes.subarray(at, at + block.bytes.length)
    at += block.bytes.length
    return { position: block.position, bytes: copy }
  })
  bytes.writeUInt32BE(crc32(bytes.subarray(LENGTH_AT, tableEnd)), CHECKSUM_AT)
  return { bytes, copy: { from, to, blocks: copied } }
}

/** The entry at an offset and where it ends; undefined when there is none, or not a whole one. */
export function decodeEntry(bytes: Buffer, at: number, mark: Buffer): { entry: Entry; end: number } | undefined {
  if (at + HEADER > bytes.length || !bytes.subarray(at, at + MARK).equals(mark)) return undefined
  const end = at + bytes.readUInt32BE(at + LENGTH_AT)
  const count = bytes.readUInt32BE(at + COUNT_AT)
  const tableEnd = at + HEADER + count * ROW
  if (end > bytes.length || tableEnd > end) return undefined
  if (bytes.readUInt32BE(at + CHECKSUM_AT) !== crc32(bytes.subarray(at + LENGTH_AT, tableEnd))) return undefined
  const blocks: Block[] = []
  let start = tableEnd
  for (let row = at + HEADER; row < tableEnd; row += ROW) {
    const block = bytes.subarray(start, start + bytes.readUInt32BE(row + ROW_LENGTH_AT))
    if (!isIntact(block) || block.readUInt32BE(0) !== bytes.readUInt32BE(row + ROW_CHECKSUM_AT)) return undefined
    blocks.push({ position: readUint64(bytes, row), bytes: block })
    start += block.length
  }
  return { entry: { from: readUint64(bytes, at + FROM_AT), to: readUint64(bytes, at + TO_AT), blocks }, end }
}

/** Bytes of the entry at an offset that a crash left half written, when it was to begin at `position`; 0 for none. */
export function halfWrittenBytes(bytes: Buffer, at: number, position: number): number {
  if (at + BEGINNING > bytes.length) return 0
  const length = bytes.readUInt32BE(at + LENGTH_AT)
  return length > 0 && readUint64(bytes, at + FROM_AT) === position ? Math.min(length, bytes.length - at) : 0
}
