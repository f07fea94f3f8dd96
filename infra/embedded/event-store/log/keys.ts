/** Keys and small values of the LMDB tables. Integers are big-endian, so that byte order is number order. */
import { createHash } from 'node:crypto'

const POW32 = 2 ** 32
/** LMDB keys end at 1,978 bytes; a longer stream name is keyed by its digest. */
const NAME_KEY_MAX = 1000
const PLAIN_NAME = 1
const HASHED_NAME = 2

export function positionKey(position: number): Buffer {
  const key = Buffer.allocUnsafe(8)
  writeUint64(key, 0, position)
  return key
}

export function readPositionKey(key: Uint8Array): number {
  return readUint64(Buffer.from(key.buffer, key.byteOffset, key.byteLength), 0)
}

/** Key of the run of events in one stream that begins at a revision. */
export function runKey(streamNumber: number, revision: number): Buffer {
  const key = Buffer.allocUnsafe(12)
  key.writeUInt32BE(streamNumber, 0)
  writeUint64(key, 4, revision)
  return key
}

export function readRunKey(key: Uint8Array): { streamNumber: number; revision: number } {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  return { streamNumber: bytes.readUInt32BE(0), revision: readUint64(bytes, 4) }
}

export function nameKey(name: string): Buffer {
  const bytes = Buffer.from(name, 'utf8')
  return bytes.length <= NAME_KEY_MAX
    ? Buffer.concat([Buffer.from([PLAIN_NAME]), bytes])
    : Buffer.concat([Buffer.from([HASHED_NAME]), createHash('sha256').update(bytes).digest()])
}

export function writeUint64(out: Buffer, at: number, value: number): void {
  out.writeUInt32BE(Math.floor(value / POW32), at)
  out.writeUInt32BE(value % POW32, at + 4)
}

export function readUint64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * POW32 + bytes.readUInt32BE(at + 4)
}
