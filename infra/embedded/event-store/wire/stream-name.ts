/** The names that a stream may have. */
import { isUtf8 } from 'node:buffer'
import type { MessageReader } from '../../../wire/protobuf.ts'
import { invalid } from './grpc-error.ts'

/** Metadata prefixes with no name of a stream behind them. */
const RESERVED = /^(\$\$)+$/

/** Decodes a StreamIdentifier. */
export function readIdentifier(message: MessageReader): string {
  let name: Buffer | undefined
  while (message.next()) {
    if (message.field === 3) name = message.view()
    else message.skip()
  }
  return streamName(name)
}

/** The name of which these are the bytes. */
export function streamName(bytes: Buffer | undefined): string {
  if (bytes === undefined || bytes.length === 0) throw invalid('The stream name must not be empty')
  if (!isUtf8(bytes)) throw invalid('The stream name is not valid UTF-8')
  return bytes.toString('utf8')
}

/** Whether no client may write to a stream of this name. */
export const isReserved = (name: string): boolean => name.startsWith('$$') && RESERVED.test(name)
