import { crc32 } from 'node:zlib'

/** The unit of the log: a few events, each a frame as it goes over the wire, behind a checksum and their count. */
export interface Block {
  /** Position of its first event, and its key. */
  readonly position: number
  readonly bytes: Buffer
}

export const BLOCK_HEADER = 8
/** Large enough to be copied cheaply by the dozen, small enough to fetch one event from: four LMDB pages. */
export const BLOCK_SIZE = 16_384 - 16

/** Finishes a block: its count and the checksum over everything behind the checksum. */
export function sealBlock(bytes: Buffer, count: number): void {
  bytes.writeUInt32BE(count, 4)
  bytes.writeUInt32BE(crc32(bytes.subarray(4)), 0)
}

export function blockCount(bytes: Buffer): number {
  return bytes.readUInt32BE(4)
}

export function isIntact(bytes: Buffer): boolean {
  return bytes.length > BLOCK_HEADER && bytes.readUInt32BE(0) === crc32(bytes.subarray(4))
}

/** A block whose bytes are not those that were written: none of them leaves the store. */
export class DamagedBlock extends Error {
  constructor(position: number) {
    super(
      `The block at position ${position} does not match its checksum: ` +
        'run `kogi store verify` for all of the damage, and restore the folder from a backup',
    )
  }
}
