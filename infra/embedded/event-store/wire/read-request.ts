/** Decodes the request of Read, which is also how a client subscribes, and checks it as a real server does. */
import { decoded, streams } from '../../../wire/generated.ts'
import { invalid } from './grpc-error.ts'
import { streamName } from './stream-name.ts'

/** Events that one window looks at when the client leaves it to the server. */
const DEFAULT_WINDOW = 32
const TYPE = 'event_store.client.streams.ReadReq'
const { Options } = streams.ReadReq
type Options = InstanceType<typeof Options>

/** What a filtered read of `$all` looks at, and how often a subscription reports how far it has looked. */
export type FilterOptions = {
  readonly on: 'stream' | 'type'
  readonly regex: string | undefined
  readonly prefixes: readonly string[]
  /** Events that a subscription looks at in one go. */
  readonly window: number
  readonly checkpointMultiplier: number
}

export type ReadRequest = {
  /** A stream's name; undefined for `$all`. */
  readonly stream: string | undefined
  /** A revision, or a commit position. */
  readonly from: bigint | 'start' | 'end'
  readonly prepare: bigint
  readonly backwards: boolean
  readonly resolveLinks: boolean
  /** undefined for a subscription. */
  readonly count: number | undefined
  readonly filter: FilterOptions | undefined
  readonly structuredIds: boolean
  readonly compatibility: number
}

export function readRequest(message: Buffer): ReadRequest {
  const options = decoded(streams.ReadReq, message).getOptions() ?? new Options()
  checkCombination(options)
  if (!options.getUuidOption()?.getContentCase())
    throw invalid(`'None' is not a valid ${TYPE}+UUIDOption+ContentOneofCase`)
  const filter = options.hasFilter() ? filterOptions(options) : undefined
  const count = options.hasCount() ? Number(options.getCount()) : undefined
  if (count === 0) throw invalid('The count must be greater than 0')
  if (count === undefined && filter?.checkpointMultiplier === 0)
    throw invalid('The checkpoint interval multiplier must be greater than 0')
  return {
    ...(options.hasStream() ? startInStream(options) : startInAll(options)),
    backwards: isBackwards(options),
    resolveLinks: options.getResolveLinks(),
    count,
    filter,
    structuredIds: options.getUuidOption()!.hasStructured(),
    compatibility: options.getControlOption()?.getCompatibility() ?? 0,
  }
}

/** Refuses what is incomplete, a filter on a stream, and a subscription backwards. */
function checkCombination(options: Options): void {
  const target = options.hasStream() ? 'Stream' : options.hasAll() ? 'All' : 'None'
  const amount = options.hasCount() ? 'Count' : options.hasSubscription() ? 'Subscription' : 'None'
  const filtering = options.hasFilter() ? 'Filter' : options.hasNoFilter() ? 'NoFilter' : 'None'
  const isComplete = target !== 'None' && amount !== 'None' && filtering !== 'None'
  const isFilteredStream = target === 'Stream' && filtering === 'Filter'
  const isBackwardsSubscription = amount === 'Subscription' && isBackwards(options)
  if (isComplete && !isFilteredStream && !isBackwardsSubscription) return
  const direction = isBackwards(options) ? 'Backwards' : 'Forwards'
  throw invalid(`The combination of (${target}, ${amount}, ${direction}, ${filtering}) is invalid.`)
}

const isBackwards = (options: Options): boolean => options.getReadDirection() === Options.ReadDirection.BACKWARDS

type Start = Pick<ReadRequest, 'stream' | 'from' | 'prepare'>

function startInStream(options: Options): Start {
  const target = options.getStream()!
  const stream = streamName(target.getStreamIdentifier()?.getStreamName_asU8())
  if (target.hasRevision()) return { stream, from: BigInt(target.getRevision()), prepare: 0n }
  if (target.hasStart()) return { stream, from: 'start', prepare: 0n }
  if (target.hasEnd()) return { stream, from: 'end', prepare: 0n }
  throw invalid(`'None' is not a valid ${TYPE}+StreamOptions+RevisionOptionOneofCase`)
}

function startInAll(options: Options): Start {
  const target = options.getAll()!
  const position = target.getPosition()
  if (position) {
    const [from, prepare] = [position.getCommitPosition(), position.getPreparePosition()]
    return { stream: undefined, from: BigInt(from), prepare: BigInt(prepare) }
  }
  if (target.hasStart()) return { stream: undefined, from: 'start', prepare: 0n }
  if (target.hasEnd()) return { stream: undefined, from: 'end', prepare: 0n }
  throw invalid(`'None' is not a valid ${TYPE}+AllOptions+AllOptionOneofCase`)
}

function filterOptions(options: Options): FilterOptions {
  const filter = options.getFilter()!
  const expression = filter.getStreamIdentifier() ?? filter.getEventType()
  if (!expression) throw invalid(`'None' is not a valid ${TYPE}+FilterOptions+FilterOneofCase`)
  if (!filter.getWindowCase()) throw invalid(`'None' is not a valid ${TYPE}+FilterOptions+WindowOneofCase`)
  return {
    on: filter.hasStreamIdentifier() ? 'stream' : 'type',
    regex: expression.getRegex() || undefined,
    prefixes: expression.getPrefixList(),
    window: filter.hasMax() ? Math.max(1, filter.getMax()) : DEFAULT_WINDOW,
    checkpointMultiplier: filter.getCheckpointintervalmultiplier(),
  }
}
