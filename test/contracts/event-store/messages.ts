/** Short ways to write the requests of the Streams service and to read its answers. */
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { type Answer, pb, type RawCall, type RawClient, shared, streamsPath } from './raw.ts'

// These two packages belong to the stock client, which is where they are found from.
const require = createRequire(createRequire(import.meta.url).resolve('@eventstore/db-client'))
const emptyModule = require('google-protobuf/google/protobuf/empty_pb.js')
const timestampModule = require('google-protobuf/google/protobuf/timestamp_pb.js')

export type Expected = 'any' | 'no_stream' | 'stream_exists' | 'none' | number | string
export type Proposed = {
  id?: string | null
  type?: string | null
  contentType?: string | null
  data?: Uint8Array
  metadata?: Uint8Array
  extra?: Record<string, string>
}

const empty = (): InstanceType<typeof shared.Empty> => new shared.Empty()

export function identifier(stream: string | Uint8Array): InstanceType<typeof shared.StreamIdentifier> {
  const message = new shared.StreamIdentifier()
  message.setStreamName(typeof stream === 'string' ? Buffer.from(stream) : stream)
  return message
}

export function uuidMessage(id: string): InstanceType<typeof shared.UUID> {
  const message = new shared.UUID()
  message.setString(id)
  return message
}

export function appendOptions(stream: string | undefined, expected: Expected): InstanceType<typeof pb.AppendReq> {
  const options = new pb.AppendReq.Options()
  if (stream !== undefined) options.setStreamIdentifier(identifier(stream))
  if (expected === 'any') options.setAny(empty())
  else if (expected === 'no_stream') options.setNoStream(empty())
  else if (expected === 'stream_exists') options.setStreamExists(empty())
  else if (expected !== 'none') options.setRevision(String(expected))
  const request = new pb.AppendReq()
  request.setOptions(options)
  return request
}

function fill<
  T extends InstanceType<typeof pb.AppendReq.ProposedMessage> | InstanceType<typeof pb.BatchAppendReq.ProposedMessage>,
>(message: T, proposed: Proposed): T {
  const { id, type = 'Tested', contentType = 'application/json', data, metadata, extra } = proposed
  if (id !== null) message.setId(uuidMessage(id ?? randomUUID()))
  if (type !== null) message.getMetadataMap().set('type', type)
  if (contentType !== null) message.getMetadataMap().set('content-type', contentType)
  for (const [key, value] of Object.entries(extra ?? {})) message.getMetadataMap().set(key, value)
  if (data) message.setData(data)
  if (metadata) message.setCustomMetadata(metadata)
  return message
}

export function proposal(proposed: Proposed = {}): InstanceType<typeof pb.AppendReq> {
  const request = new pb.AppendReq()
  request.setProposedMessage(fill(new pb.AppendReq.ProposedMessage(), proposed))
  return request
}

/** Appends through the unary call and answers the decoded result. */
export async function append(
  raw: RawClient,
  stream: string | undefined,
  expected: Expected,
  proposed: Proposed[],
): Promise<Answer & { result: ReturnType<typeof appendResult> }> {
  const answer = await raw.ask(streamsPath('append'), appendOptions(stream, expected), ...proposed.map(proposal))
  return { ...answer, result: appendResult(answer) }
}

function appendResult(answer: Answer) {
  const [message] = answer.messages
  if (!message) return undefined
  const response = pb.AppendResp.deserializeBinary(message).toObject()
  return response
}

export function batchRequest(
  stream: string | undefined,
  expected: Expected,
  proposed: Proposed[],
  more: { correlation?: string | null; isFinal?: boolean; deadlineSeconds?: number; noOptions?: boolean } = {},
): InstanceType<typeof pb.BatchAppendReq> {
  const options = new pb.BatchAppendReq.Options()
  if (stream !== undefined) options.setStreamIdentifier(identifier(stream))
  const { Empty } = emptyModule
  if (expected === 'any') options.setAny(new Empty())
  else if (expected === 'no_stream') options.setNoStream(new Empty())
  else if (expected === 'stream_exists') options.setStreamExists(new Empty())
  else if (expected !== 'none') options.setStreamPosition(String(expected))
  const request = new pb.BatchAppendReq()
  if (more.correlation !== null) request.setCorrelationId(uuidMessage(more.correlation ?? randomUUID()))
  if (more.deadlineSeconds !== undefined) {
    const timestamp = new timestampModule.Timestamp()
    timestamp.fromDate(new Date(Date.now() + more.deadlineSeconds * 1000))
    options.setDeadline(timestamp)
  }
  if (!more.noOptions) request.setOptions(options)
  for (const one of proposed) request.addProposedMessages(fill(new pb.BatchAppendReq.ProposedMessage(), one))
  request.setIsFinal(more.isFinal ?? true)
  return request
}

export function batchCall(raw: RawClient): RawCall {
  return raw.call(streamsPath('batchAppend'))
}

export function batchResponse(message: Buffer) {
  const response = pb.BatchAppendResp.deserializeBinary(message)
  const details = response.getError()?.getDetails()
  return {
    ...response.toObject(),
    correlation: response.getCorrelationId()?.getString(),
    code: response.getError()?.getCode(),
    text: response.getError()?.getMessage(),
    detailsType: details?.getTypeUrl(),
    details: details?.getValue_asU8(),
    expectation: response.getExpectedStreamPositionCase(),
  }
}

export function deleteRequest(stream: string, expected: Expected, hard = false) {
  const Request = hard ? pb.TombstoneReq : pb.DeleteReq
  const options = new Request.Options()
  options.setStreamIdentifier(identifier(stream))
  if (expected === 'any') options.setAny(empty())
  else if (expected === 'no_stream') options.setNoStream(empty())
  else if (expected === 'stream_exists') options.setStreamExists(empty())
  else if (expected !== 'none') options.setRevision(String(expected))
  const request = new Request()
  request.setOptions(options as never)
  return request
}

export type ReadOptions = {
  /** undefined for `$all`. */
  stream?: string
  /** A revision or a commit position. */
  from?: 'start' | 'end' | bigint | number
  prepare?: bigint
  backwards?: boolean
  count?: number | string | 'subscription' | 'none'
  resolveLinks?: boolean
  ids?: 'string' | 'structured'
  filter?:
    | 'none'
    | { stream?: Expression; type?: Expression; max?: number; window?: 'count' | 'none'; multiplier?: number }
  compatibility?: number
}

type Expression = {
  regex?: string
  prefixes?: string[]
}

export function readRequest(options: ReadOptions): InstanceType<typeof pb.ReadReq> {
  const { stream, from = 'start', count = Number.MAX_SAFE_INTEGER, ids = 'string', filter } = options
  const message = new pb.ReadReq.Options()
  if (stream === undefined) {
    const all = new pb.ReadReq.Options.AllOptions()
    if (from === 'start') all.setStart(empty())
    else if (from === 'end') all.setEnd(empty())
    else {
      const position = new pb.ReadReq.Options.Position()
      position.setCommitPosition(String(from))
      position.setPreparePosition(String(options.prepare ?? from))
      all.setPosition(position)
    }
    message.setAll(all)
  } else {
    const one = new pb.ReadReq.Options.StreamOptions()
    one.setStreamIdentifier(identifier(stream))
    if (from === 'start') one.setStart(empty())
    else if (from === 'end') one.setEnd(empty())
    else one.setRevision(String(from))
    message.setStream(one)
  }
  message.setReadDirection(options.backwards ? 1 : 0)
  message.setResolveLinks(options.resolveLinks ?? false)
  if (count === 'subscription') message.setSubscription(new pb.ReadReq.Options.SubscriptionOptions())
  else if (count !== 'none') message.setCount(String(count))
  if (filter === undefined) message.setNoFilter(empty())
  else if (filter !== 'none') message.setFilter(filterMessage(filter))
  const option = new pb.ReadReq.Options.UUIDOption()
  if (ids === 'string') option.setString(empty())
  else option.setStructured(empty())
  message.setUuidOption(option)
  if (options.compatibility !== undefined) {
    const control = new pb.ReadReq.Options.ControlOption()
    control.setCompatibility(options.compatibility)
    message.setControlOption(control)
  }
  const request = new pb.ReadReq()
  request.setOptions(message)
  return request
}

function filterMessage(filter: Exclude<NonNullable<ReadOptions['filter']>, 'none'>) {
  const message = new pb.ReadReq.Options.FilterOptions()
  const expression = ({ regex, prefixes }: Expression) => {
    const part = new pb.ReadReq.Options.FilterOptions.Expression()
    if (regex !== undefined) part.setRegex(regex)
    part.setPrefixList(prefixes ?? [])
    return part
  }
  if (filter.stream) message.setStreamIdentifier(expression(filter.stream))
  if (filter.type) message.setEventType(expression(filter.type))
  if (filter.window === 'count') message.setCount(empty())
  else if (filter.window !== 'none') message.setMax(filter.max ?? 32)
  message.setCheckpointintervalmultiplier(filter.multiplier ?? 1)
  return message
}

export type Read = ReturnType<typeof readMessage>

/** One message of a Read, flattened to what the tests look at. */
export function readMessage(bytes: Buffer) {
  const message = pb.ReadResp.deserializeBinary(bytes)
  const recorded = (of: 'event' | 'link') => {
    const record = of === 'event' ? message.getEvent()?.getEvent() : message.getEvent()?.getLink()
    if (!record) return undefined
    return {
      id: record.getId()!.toObject(),
      stream: Buffer.from(record.getStreamIdentifier()!.getStreamName_asU8()).toString(),
      revision: BigInt(record.getStreamRevision()),
      commit: BigInt(record.getCommitPosition()),
      prepare: BigInt(record.getPreparePosition()),
      map: Object.fromEntries(record.getMetadataMap().toArray()) as Record<string, string>,
      data: Buffer.from(record.getData_asU8()),
      metadata: Buffer.from(record.getCustomMetadata_asU8()),
    }
  }
  const checkpoint = message.getCheckpoint()
  return {
    kind: kindOf(message),
    event: recorded('event'),
    link: recorded('link'),
    position: message.getEvent()?.hasCommitPosition() ? BigInt(message.getEvent()!.getCommitPosition()) : undefined,
    checkpoint: checkpoint && BigInt(checkpoint.getCommitPosition()),
    subscription: message.getConfirmation()?.getSubscriptionId(),
    first: message.hasFirstStreamPosition() ? Number(message.getFirstStreamPosition()) : undefined,
    last: message.hasLastStreamPosition() ? Number(message.getLastStreamPosition()) : undefined,
  }
}

function kindOf(message: InstanceType<typeof pb.ReadResp>): string {
  const kinds = [
    'event',
    'confirmation',
    'checkpoint',
    'not found',
    'first',
    'last',
    'last all',
    'caught up',
    'fell behind',
  ]
  return kinds[message.getContentCase() - 1] ?? 'nothing'
}

export async function read(raw: RawClient, options: ReadOptions): Promise<Answer & { reads: Read[] }> {
  const answer = await raw.ask(streamsPath('read'), readRequest(options))
  return { ...answer, reads: answer.messages.map(readMessage) }
}

/** Subscribes; `next(n)` answers the first n messages. */
export function subscribe(raw: RawClient, options: ReadOptions) {
  const call = raw
    .call(streamsPath('read'))
    .send(readRequest({ ...options, count: 'subscription' }))
    .end()
  return {
    call,
    next: async (count: number): Promise<Read[]> => (await call.received(count)).slice(0, count).map(readMessage),
    all: (): Read[] => call.messages.map(readMessage),
    cancel: (): void => call.cancel(),
  }
}
