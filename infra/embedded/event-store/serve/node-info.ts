/** What a client learns of the node before its first call: the methods and features of the server, and its cluster. */
import { randomUUID } from 'node:crypto'
import { features, gossip, shared } from '../../../wire/generated.ts'

/** The version of EventStoreDB whose behaviour this server shows. */
export const SERVER_VERSION = '23.10.6'

const PREFIX = 'event_store.client.'
const FEATURES: readonly (readonly [service: string, method: string, ...features: string[]])[] = [
  ['streams.streams', 'read', 'position', 'events'],
  ['streams.streams', 'append'],
  ['streams.streams', 'delete'],
  ['streams.streams', 'tombstone'],
  ['streams.streams', 'batchappend', 'deadline_duration'],
  ['gossip.gossip', 'read'],
  ['server_features.serverfeatures', 'getsupportedmethods'],
]
const TICKS_PER_MS = 10_000n
/** Ticks of .NET's DateTime at 1970. */
const EPOCH_TICKS = 621_355_968_000_000_000n

/** How the node is known to others. */
export type NodeIdentity = {
  readonly instanceId: string
  readonly address: string
  readonly port: number
}

export const newInstanceId = (): string => randomUUID()

/** SupportedMethods, encoded. */
export function supportedMethods(): Uint8Array {
  const methods = FEATURES.map(([service, method, ...names]) =>
    new features.SupportedMethod()
      .setServiceName(PREFIX + service)
      .setMethodName(method)
      .setFeaturesList(names),
  )
  return new features.SupportedMethods()
    .setMethodsList(methods)
    .setEventStoreServerVersion(SERVER_VERSION)
    .serializeBinary()
}

/** ClusterInfo, encoded: a cluster of one leader. */
export function clusterInfo({ instanceId, address, port }: NodeIdentity): Uint8Array {
  const hex = instanceId.replaceAll('-', '')
  const half = (digits: string) => String(BigInt.asIntN(64, BigInt(`0x${digits}`)))
  const structured = new shared.UUID.Structured()
    .setMostSignificantBits(half(hex.slice(0, 16)))
    .setLeastSignificantBits(half(hex.slice(16)))
  const leader = new gossip.MemberInfo()
    .setInstanceId(new shared.UUID().setStructured(structured))
    .setTimeStamp(String(EPOCH_TICKS + BigInt(Date.now()) * TICKS_PER_MS))
    .setState(gossip.MemberInfo.VNodeState.LEADER)
    .setIsAlive(true)
    .setHttpEndPoint(new gossip.EndPoint().setAddress(address).setPort(port))
  return new gossip.ClusterInfo().setMembersList([leader]).serializeBinary()
}
