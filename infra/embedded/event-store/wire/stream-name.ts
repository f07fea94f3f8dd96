/** The names that a stream may have. */
import { isUtf8 } from 'node:buffer'
import { invalid } from './grpc-error.ts'

/** Metadata prefixes with no name of a stream behind them. */
const RESERVED = /^(\$\$)+$/

/** The name in a stream identifier. */
export function streamName(bytes: Uint8Array | undefined): string {
  if (bytes === undefined || bytes.length === 0) throw invalid('The stream name must not be empty')
  if (!isUtf8(bytes)) throw invalid('The stream name is not valid UTF-8')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** Whether no client may write to a stream of this name. */
export const isReserved = (name: string): boolean => RESERVED.test(name)
