import { randomUUID } from 'node:crypto'
import { Writer as Message } from '../../../wire/protobuf.ts'
import type { Store } from '../log/store.ts'
import { type Call, GrpcError, Status } from '../wire/call.ts'
import { readRequest } from '../wire/read-request.ts'
import type { Writer } from '../write/committer.ts'
import { read } from './reads.ts'
import { subscribe } from './subscriptions.ts'
import { append, BatchAppend, remove, unary } from './writes.ts'

/** The gRPC services: what is there, and how everything else says that it is not. */

/** The version of EventStoreDB whose behaviour this server shows. */
export const SERVER_VERSION = '23.10.6'

export interface Server {
  readonly store: Store
  readonly writer: Writer
  readonly instanceId: string
  readonly endpoint: { readonly address: string; readonly port: number }
}

type Handler = (call: Call, server: Server) => void

const PREFIX = 'event_store.client.'

const HANDLERS: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  'streams.Streams': {
    Read: (call, server) => unary(call, message => void serveRead(call, server, message)),
    Append: (call, { writer }) => append(call, writer),
    BatchAppend: (call, { writer }) => void new BatchAppend(call, writer),
    Delete: (call, { writer }) => remove(call, writer, false),
    Tombstone: (call, { writer }) => remove(call, writer, true),
  },
  'gossip.Gossip': { Read: (call, server) => unary(call, () => call.reply(clusterInfo(server))) },
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

async function serveRead(call: Call, server: Server, message: Buffer): Promise<void> {
  try {
    const request = readRequest(message)
    await (request.count === undefined ? subscribe(call, server, request) : read(call, server.store, request))
  } catch (error) {
    call.fail(error)
  }
}

const FEATURES: readonly (readonly [service: string, method: string, ...features: string[]])[] = [
  ['streams.streams', 'read', 'position', 'events'],
  ['streams.streams', 'append'],
  ['streams.streams', 'delete'],
  ['streams.streams', 'tombstone'],
  ['streams.streams', 'batchappend', 'deadline_duration'],
  ['gossip.gossip', 'read'],
  ['server_features.serverfeatures', 'getsupportedmethods'],
]

function supportedMethods(): Buffer {
  const answer = new Message()
  for (const [service, method, ...features] of FEATURES) {
    const supported = new Message().string(1, method).string(2, PREFIX + service)
    for (const feature of features) supported.string(3, feature)
    answer.message(1, supported)
  }
  return answer.string(2, SERVER_VERSION).finish()
}

const LEADER = 8
const TICKS_PER_MS = 10_000n
/** Ticks of .NET's DateTime at 1970. */
const EPOCH_TICKS = 621_355_968_000_000_000n

function clusterInfo({ instanceId, endpoint }: Server): Buffer {
  const hex = instanceId.replaceAll('-', '')
  const id = new Message().uint(1, BigInt(`0x${hex.slice(0, 16)}`)).uint(2, BigInt(`0x${hex.slice(16)}`))
  const member = new Message()
    .message(1, new Message().message(1, id))
    .uint(2, EPOCH_TICKS + BigInt(Date.now()) * TICKS_PER_MS)
    .uint(3, LEADER)
    .bool(4, true)
    .message(5, new Message().string(1, endpoint.address).uint(2, endpoint.port))
  return new Message().message(1, member).finish()
}

export function newInstanceId(): string {
  return randomUUID()
}
