/**
 * The message classes that `@eventstore/db-client` was built with, for what is read or written once a call. They are
 * CommonJS: each module arrives as one object, so the classes are reached through it.
 */
import gossip from '@eventstore/db-client/generated/gossip_pb.js'
import features from '@eventstore/db-client/generated/serverfeatures_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { MalformedMessage } from './protobuf.ts'

export { features, gossip, shared, streams }

/** Decodes a message of a generated class, whose own errors do not say what they are about. */
export function decoded<T>(type: { deserializeBinary: (bytes: Uint8Array) => T }, bytes: Uint8Array): T {
  try {
    return type.deserializeBinary(bytes)
  } catch (error) {
    throw new MalformedMessage('The message cannot be decoded', { cause: error })
  }
}
