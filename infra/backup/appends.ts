/**
 * Appends lines of a backup to an event store, byte for byte and in their order, many on the way at once. The calls of
 * the client's interface would write the JSON anew and wait for each answer.
 */
import type { EventStoreDBClient } from '@eventstore/db-client'
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js'
import type { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Line } from '../embedded/event-store/care/transfer.ts'
import { shared, streams } from '../wire/generated.ts'
import { bytesOf, unavailable } from './event-lines.ts'

/** Appends whose answers are awaited at once. */
const UNDER_WAY_MAX = 256
/** Events and bytes of one append: an event store takes 1 MiB. */
const EVENTS_MAX = 500
const BYTES_MAX = 256 * 1024

export type Appends = {
  /** Adds an event; one that stands `alone` is an append of its own. Resolves when more may be added. */
  readonly add: (line: Line, alone?: boolean) => Promise<void>
  /** Resolves with the position of the last event when everything is stored. */
  readonly settle: () => Promise<bigint>
  readonly close: () => void
}

type UnderWay = { readonly lines: readonly Line[]; readonly done: Promise<bigint> }
type Waiting = { readonly resolve: (position: bigint) => void; readonly reject: (error: unknown) => void }

/** Opens the call. `onStored` is called with every append that is stored, in order. */
export async function openAppends(
  client: EventStoreDBClient,
  onStored: (lines: readonly Line[], position: bigint) => void,
): Promise<Appends> {
  const waiting = new Map<number, Waiting>()
  const underWay: UnderWay[] = []
  let open: Line[] = []
  let openBytes = 0
  let sent = 0
  let last = 0n
  const call = await openCall(client).catch(error => {
    throw unavailable(error)
  })
  const failAll = (error: unknown) => {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  call.on('data', (response: BatchAppendResp) => {
    const number = numberOf(response.getCorrelationId()!)
    const { resolve, reject } = waiting.get(number)!
    waiting.delete(number)
    const position = response.getSuccess()?.getPosition()
    if (position) resolve(BigInt(position.getCommitPosition()))
    else reject(refusalOf(response))
  })
  call.on('error', error => failAll(unavailable(error)))
  call.on('end', () => failAll(unavailable(new Error('it ended the call'))))

  const send = async () => {
    if (open.length === 0) return
    const lines = open
    open = []
    openBytes = 0
    const number = ++sent
    const done = new Promise<bigint>((resolve, reject) => waiting.set(number, { resolve, reject }))
    done.catch(() => {})
    underWay.push({ lines, done })
    const hasRoom = call.write(requestOf(lines, number))
    if (underWay.length >= UNDER_WAY_MAX) await takeFirst()
    else if (!hasRoom) await new Promise(resolve => setImmediate(resolve))
  }
  const takeFirst = async () => {
    const { lines, done } = underWay.shift()!
    const position = await done
    if (position <= last) throw outOfOrder(lines[0]!)
    last = position
    onStored(lines, position)
  }

  return {
    async add(line, alone = false) {
      const bytes = (line.data ?? line.dataBase64 ?? '').length + (line.metadata ?? line.metadataBase64 ?? '').length
      const fits = open.length < EVENTS_MAX && openBytes + bytes <= BYTES_MAX
      if (alone || !fits || open[0]?.stream !== line.stream) await send()
      open.push(line)
      openBytes += bytes
      if (alone) await send()
    },
    async settle() {
      await send()
      while (underWay.length > 0) await takeFirst()
      return last
    },
    close: () => call.cancel(),
  }
}

async function openCall(client: EventStoreDBClient) {
  // biome-ignore-start lint/complexity/useLiteralKeys: what is protected is reached by its name
  const settings = client['callArguments']({ requiresLeader: true }, { deadline: Number.POSITIVE_INFINITY })
  return client['GRPCStreamCreator'](streamsGrpc.StreamsClient, 'restore', rpc => rpc.batchAppend(...settings))()
  // biome-ignore-end lint/complexity/useLiteralKeys: what is protected is reached by its name
}

/** One append of events of one stream, behind the revision before the first of them. */
function requestOf(lines: readonly Line[], number: number) {
  const [{ stream, revision }] = lines as [Line]
  if (revision === 'tombstone') throw notAppendable(stream, 'it was deleted')
  const { Options, ProposedMessage } = streams.BatchAppendReq
  const name = new shared.StreamIdentifier().setStreamName(Buffer.from(stream, 'utf8').toString('base64'))
  const options = new Options().setStreamIdentifier(name)
  if (revision === 0) options.setNoStream(new shared.Empty())
  else options.setStreamPosition(String(revision - 1))
  const request = new streams.BatchAppendReq()
    .setCorrelationId(new shared.UUID().setString(idOf(number)))
    .setOptions(options)
    .setIsFinal(true)
  for (const line of lines) {
    const message = new ProposedMessage()
      .setId(new shared.UUID().setString(line.id))
      .setData(bytesOf(line.data, line.dataBase64).toString('base64'))
      .setCustomMetadata(bytesOf(line.metadata, line.metadataBase64).toString('base64'))
    message.getMetadataMap().set('type', line.type).set('content-type', line.contentType)
    request.addProposedMessages(message)
  }
  return request
}

/** The number of an append as the UUID that names it in its answer, and back. */
const idOf = (number: number) => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`

function numberOf(id: InstanceType<typeof shared.UUID>): number {
  const structured = id.getStructured()
  if (!structured) return Number.parseInt(id.getString().slice(-12), 16)
  return Number(BigInt.asUintN(48, BigInt(structured.getLeastSignificantBits())))
}

function refusalOf(response: BatchAppendResp): Error {
  const stream = Buffer.from(response.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8')
  return notAppendable(stream, response.getError()?.getMessage() || 'the event store refused it')
}

const notAppendable = (stream: string, why: string) =>
  new KogiError('not_restorable', `The stream ${stream} cannot be restored by appends: ${why}.`)

const outOfOrder = ({ stream, revision }: Line) =>
  new KogiError(
    'order_lost',
    `The event store did not keep the order of appends at revision ${revision} of ${stream}. Empty it and try again.`,
  )
