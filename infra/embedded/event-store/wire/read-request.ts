import { Reader } from '../../../wire/protobuf.ts'
import type { FilterOptions } from '../serve/filter.ts'
import { invalid, streamName } from './write-request.ts'

/** Decodes Read, which is also how a client subscribes. */

/** Events that one window looks at when the client leaves it to the server. */
const DEFAULT_WINDOW = 32

export interface ReadRequest {
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

type Draft = { -readonly [K in keyof ReadRequest]: ReadRequest[K] } & {
  target: 'None' | 'Stream' | 'All'
  amount: 'None' | 'Count' | 'Subscription'
  filtering: 'None' | 'Filter' | 'NoFilter'
  hasIds: boolean
}

export function readRequest(message: Buffer): ReadRequest {
  const draft: Draft = {
    stream: undefined,
    from: 'start',
    prepare: 0n,
    backwards: false,
    resolveLinks: false,
    count: undefined,
    filter: undefined,
    structuredIds: false,
    compatibility: 0,
    target: 'None',
    amount: 'None',
    filtering: 'None',
    hasIds: false,
  }
  const reader = new Reader(message)
  while (reader.next()) {
    if (reader.field === 1) readOptions(reader.message(), draft)
    else reader.skip()
  }
  return checked(draft)
}

function readOptions(reader: Reader, draft: Draft): void {
  while (reader.next()) {
    if (reader.field === 1) streamOptions(reader.message(), draft)
    else if (reader.field === 2) allOptions(reader.message(), draft)
    else if (reader.field === 3) draft.backwards = reader.uint() === 1
    else if (reader.field === 4) draft.resolveLinks = reader.bool()
    else if (reader.field === 5) {
      draft.amount = 'Count'
      draft.count = reader.uint()
    } else if (reader.field === 6) {
      reader.skip()
      draft.amount = 'Subscription'
      draft.count = undefined
    } else if (reader.field === 7) {
      draft.filtering = 'Filter'
      draft.filter = filterOptions(reader.message())
    } else if (reader.field === 8) {
      reader.skip()
      draft.filtering = 'NoFilter'
      draft.filter = undefined
    } else if (reader.field === 9) idOption(reader.message(), draft)
    else if (reader.field === 10) draft.compatibility = control(reader.message())
    else reader.skip()
  }
}

function streamOptions(reader: Reader, draft: Draft): void {
  draft.target = 'Stream'
  draft.stream = undefined
  let hasStart = false
  while (reader.next()) {
    if (reader.field === 1) draft.stream = streamName(reader.message())
    else if (reader.field >= 2 && reader.field <= 4) {
      hasStart = true
      if (reader.field === 2) draft.from = reader.uint64()
      else {
        draft.from = reader.field === 3 ? 'start' : 'end'
        reader.skip()
      }
    } else reader.skip()
  }
  if (draft.stream === undefined) throw invalid('The stream name must not be empty')
  if (!hasStart)
    throw invalid("'None' is not a valid event_store.client.streams.ReadReq+StreamOptions+RevisionOptionOneofCase")
}

function allOptions(reader: Reader, draft: Draft): void {
  draft.target = 'All'
  draft.stream = undefined
  let hasStart = false
  while (reader.next()) {
    if (reader.field === 1) {
      const position = reader.message()
      draft.from = 0n
      while (position.next()) {
        if (position.field === 1) draft.from = position.uint64()
        else if (position.field === 2) draft.prepare = position.uint64()
        else position.skip()
      }
    } else if (reader.field === 2 || reader.field === 3) {
      draft.from = reader.field === 2 ? 'start' : 'end'
      reader.skip()
    } else {
      reader.skip()
      continue
    }
    hasStart = true
  }
  if (!hasStart) throw invalid("'None' is not a valid event_store.client.streams.ReadReq+AllOptions+AllOptionOneofCase")
}

function idOption(reader: Reader, draft: Draft): void {
  while (reader.next()) {
    draft.hasIds = true
    draft.structuredIds = reader.field === 1
    reader.skip()
  }
}

function control(reader: Reader): number {
  let compatibility = 0
  while (reader.next()) {
    if (reader.field === 1) compatibility = reader.uint()
    else reader.skip()
  }
  return compatibility
}

function filterOptions(reader: Reader): FilterOptions {
  let on: 'stream' | 'type' | undefined
  let expression: { regex: string | undefined; prefixes: string[] } = { regex: undefined, prefixes: [] }
  let window: number | undefined
  let checkpointMultiplier = 0
  while (reader.next()) {
    if (reader.field === 1 || reader.field === 2) {
      on = reader.field === 1 ? 'stream' : 'type'
      expression = filterExpression(reader.message())
    } else if (reader.field === 3) window = reader.uint()
    else if (reader.field === 4) {
      reader.skip()
      window = DEFAULT_WINDOW
    } else if (reader.field === 5) checkpointMultiplier = reader.uint()
    else reader.skip()
  }
  if (on === undefined)
    throw invalid("'None' is not a valid event_store.client.streams.ReadReq+FilterOptions+FilterOneofCase")
  if (window === undefined)
    throw invalid("'None' is not a valid event_store.client.streams.ReadReq+FilterOptions+WindowOneofCase")
  return { on, ...expression, window: Math.max(1, window), checkpointMultiplier }
}

function filterExpression(reader: Reader): { regex: string | undefined; prefixes: string[] } {
  const expression: { regex: string | undefined; prefixes: string[] } = { regex: undefined, prefixes: [] }
  while (reader.next()) {
    if (reader.field === 1) expression.regex = reader.string()
    else if (reader.field === 2) expression.prefixes.push(reader.string())
    else reader.skip()
  }
  return expression
}

function checked(draft: Draft): ReadRequest {
  const { target, amount, filtering, backwards, filter } = draft
  const isValid =
    target !== 'None' &&
    amount !== 'None' &&
    filtering !== 'None' &&
    !(target === 'Stream' && filtering === 'Filter') &&
    !(amount === 'Subscription' && backwards)
  if (!isValid) {
    const direction = backwards ? 'Backwards' : 'Forwards'
    throw invalid(`The combination of (${target}, ${amount}, ${direction}, ${filtering}) is invalid.`)
  }
  if (!draft.hasIds)
    throw invalid("'None' is not a valid event_store.client.streams.ReadReq+UUIDOption+ContentOneofCase")
  if (draft.count === 0) throw invalid('The count must be greater than 0')
  if (amount === 'Subscription' && filter?.checkpointMultiplier === 0)
    throw invalid('The checkpoint interval multiplier must be greater than 0')
  return draft
}
