/** The gRPC services: which methods are there, and the answer of everything that is not. */
import { Status } from '../../../wire/grpc.ts'
import type { Store } from '../log/store.ts'
import type { Call } from '../wire/call.ts'
import { GrpcError } from '../wire/grpc-error.ts'
import { readRequest } from '../wire/read-request.ts'
import type { Committer } from '../write/committer.ts'
import { readFailure } from './failure.ts'
import { clusterInfo, type NodeIdentity, supportedMethods } from './node-info.ts'
import { read } from './reads.ts'
import { subscribe } from './subscriptions.ts'
import { append, BatchAppend, remove, unary } from './writes.ts'

/** A store as it is served. */
export type StoreNode = {
  readonly store: Store
  readonly committer: Committer
  readonly identity: NodeIdentity
}

type Handler = (call: Call, node: StoreNode) => void

const PREFIX = 'event_store.client.'

const HANDLERS: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  'streams.Streams': {
    Read: (call, node) => unary(call, message => void serveRead(call, node, message)),
    Append: (call, { committer }) => append(call, committer),
    BatchAppend: (call, { committer }) => void new BatchAppend(call, committer),
    Delete: (call, { committer }) => remove(call, committer, false),
    Tombstone: (call, { committer }) => remove(call, committer, true),
  },
  'gossip.Gossip': { Read: (call, node) => unary(call, () => call.reply(clusterInfo(node.identity))) },
  'server_features.ServerFeatures': { GetSupportedMethods: call => unary(call, () => call.reply(supportedMethods())) },
}

/** Services of the real server that an application can do without. */
const LEFT_OUT = [
  'persistent_subscriptions.PersistentSubscriptions',
  'projections.Projections',
  'users.Users',
  'operations.Operations',
  'monitoring.Monitoring',
  'redaction.Redaction',
]

/** Finds the handler of a path; undefined for a service that no EventStoreDB has either. */
export function handlerOf(path: string): Handler | undefined {
  const [, service = '', method = ''] = path.split('/')
  const name = service.startsWith(PREFIX) ? service.slice(PREFIX.length) : ''
  const methods = Object.hasOwn(HANDLERS, name) ? HANDLERS[name] : undefined
  if (methods) return Object.hasOwn(methods, method) ? methods[method] : unimplemented('Method is unimplemented.')
  if (!LEFT_OUT.includes(name)) return undefined
  return unimplemented(`${service}/${method} is not part of the embedded event store; a real EventStoreDB has it.`)
}

function unimplemented(message: string): Handler {
  return call => call.fail(new GrpcError(Status.unimplemented, message))
}

async function serveRead(call: Call, node: StoreNode, message: Buffer): Promise<void> {
  try {
    const request = readRequest(message)
    await (request.count === undefined ? subscribe(call, node, request) : read(call, node.store, request))
  } catch (error) {
    call.fail(readFailure(error))
  }
}
