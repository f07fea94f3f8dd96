/** The unit of the log: a few events, each a frame as it goes over the wire, behind a checksum and their count. */
import { crc32 } from 'node:zlib'

export const BLOCK_HEADER = 8
/** Four LMDB pages: large enough to be copied cheaply by the dozen, small enough to fetch one event from. */
export const BLOCK_SIZE = 16_384 - 16

export type Block = {
  /** Position of its first event, and its key. */
  readonly position: number
  readonly bytes: Buffer
}

/** Finishes a block: writes its count, and the checksum over everything behind the checksum. */
export function sealBlock(bytes: Buffer, count: number): void {
  bytes.writeUInt32BE(count, 4)
  bytes.writeUInt32BE(crc32(bytes.subarray(4)), 0)
}

/** How many events the block holds. */
export function blockCount(bytes: Buffer): number {
  return bytes.readUInt32BE(4)
}

/** Whether the bytes match their checksum. */
export function isIntact(bytes: Buffer): boolean {
  return bytes.length > BLOCK_HEADER && bytes.readUInt32BE(0) === crc32(bytes.subarray(4))
}

/** A block is not what was written; none of its bytes leaves the store. */
export class DamagedBlock extends Error {
  override readonly name = 'DamagedBlock'

  constructor(position: number) {
    super(
      `The block at position ${position} does not match its checksum: ` +
        'run `kogi store verify` for all of the damage, and restore the folder from a backup',
    )
  }
}
