import { crc32 } from 'node:zlib'
import { type Block, isIntact } from './block.ts'
import { readUint64, writeUint64 } from './keys.ts'

/**
 * One commit in the journal: the store's mark, a checksum over the rest of the header, its length, where the log ended
 * before and after, and for each block its position, its length and its checksum; then the blocks.
 */
export interface Entry {
  /** End of the log before the commit: the entry before ends there. */
  readonly from: number
  readonly to: number
  readonly blocks: readonly Block[]
}

const MARK = 8
const CHECKED = 12
const HEADER = 36
const BLOCK_ENTRY = 16

/** The entry as bytes, and again with its blocks standing in them. */
export function encodeEntry(mark: Buffer, { from, to, blocks }: Entry): { bytes: Buffer; copy: Entry } {
  const tableEnd = HEADER + blocks.length * BLOCK_ENTRY
  const length = blocks.reduce((sum, block) => sum + block.bytes.length, tableEnd)
  const bytes = Buffer.allocUnsafeSlow(length)
  bytes.set(mark, 0)
  bytes.writeUInt32BE(length, CHECKED)
  writeUint64(bytes, 16, from)
  writeUint64(bytes, 24, to)
  bytes.writeUInt32BE(blocks.length, 32)
  let at = tableEnd
  const copied = blocks.map((block, index): Block => {
    const row = HEADER + index * BLOCK_ENTRY
    writeUint64(bytes, row, block.position)
    bytes.writeUInt32BE(block.bytes.length, row + 8)
    block.bytes.copy(bytes, row + 12, 0, 4)
    bytes.set(block.bytes, at)
    const copy = bytes.subarray(at, at + block.bytes.length)
    at += block.bytes.length
    return { position: block.position, bytes: copy }
  })
  bytes.writeUInt32BE(crc32(bytes.subarray(CHECKED, tableEnd)), MARK)
  return { bytes, copy: { from, to, blocks: copied } }
}

/** The entry at an offset and where it ends; undefined when there is none, or not a whole one. */
export function decodeEntry(bytes: Buffer, at: number, mark: Buffer): { entry: Entry; end: number } | undefined {
  if (at + HEADER > bytes.length || !bytes.subarray(at, at + MARK).equals(mark)) return undefined
  const end = at + bytes.readUInt32BE(at + CHECKED)
  const count = bytes.readUInt32BE(at + 32)
  const tableEnd = at + HEADER + count * BLOCK_ENTRY
  if (end > bytes.length || tableEnd > end) return undefined
  if (bytes.readUInt32BE(at + MARK) !== crc32(bytes.subarray(at + CHECKED, tableEnd))) return undefined
  const blocks: Block[] = []
  let start = tableEnd
  for (let row = at + HEADER; row < tableEnd; row += BLOCK_ENTRY) {
    const block = bytes.subarray(start, start + bytes.readUInt32BE(row + 8))
    if (!isIntact(block) || block.readUInt32BE(0) !== bytes.readUInt32BE(row + 12)) return undefined
    blocks.push({ position: readUint64(bytes, row), bytes: block })
    start += block.length
  }
  return { entry: { from: readUint64(bytes, at + 16), to: readUint64(bytes, at + 24), blocks }, end }
}
