/**
 * Snapshots: the state of a stream beside it in `<category>_snapshot-<id>`, so that a long stream is loaded without all
 * of its events. They are derived from the log and disposable. A state of any size is written in parts, each a tree of
 * some of its members, which are merged when it is read; the event loop is given back between two of them.
 */
import { setImmediate } from 'node:timers/promises'
import type { AnyAggregate } from '../domain/kernel/aggregate.ts'
import type { Json } from '../domain/kernel/json.ts'
import { uuidOf } from './ids.ts'
import type { EventStore, NewEvent } from './ports.ts'

/** Characters of JSON in one part: small enough to be written and read in a few milliseconds. */
const PART_CHARS = 32 * 1024
/** Parts in one append: below the log's limit of 1 MiB, whatever characters there are. */
const PARTS_PER_APPEND = 8

/** `wallet-1f…` → `wallet_snapshot-1f…`: derived streams stand beside the categories, never in them. */
export const derived = (stream: string, kind: 'snapshot' | 'commands') => stream.replace('-', `_${kind}-`)

/** A part as it is stored; a snapshot of before there were parts is the only one of its state. */
type Part = { schema: number; revision: string; state: Json; part?: number; parts?: number }

/** How many events a snapshot stream keeps: one in parts needs room for the one before, until it is whole. */
const keptFor = (parts: number) => (parts <= 1 ? parts : parts * 2)

/** Writes a state and returns the number of its parts. `before`: that of the last snapshot, 0 where there is none. */
export async function saveSnapshot(
  store: EventStore,
  aggregate: AnyAggregate,
  { stream, revision, state }: { readonly stream: string; readonly revision: bigint; readonly state: unknown },
  before: number,
): Promise<number> {
  const trees: Json[] = []
  for (const tree of partsOf(state)) {
    trees.push(tree)
    await setImmediate()
  }
  const { length: parts } = trees
  if (keptFor(before) < keptFor(parts)) await store.keepLast(derived(stream, 'snapshot'), keptFor(parts))
  const { stateSchema: schema } = aggregate
  const events = trees.map((tree, part): NewEvent => {
    const id = uuidOf([stream, 'snapshot', schema, String(revision), part, parts])
    const data: Part = { schema, revision: String(revision), state: tree, part, parts }
    return { id, type: 'Snapshot', data, metadata: {} }
  })
  for (let at = 0; at < parts; at += PARTS_PER_APPEND) {
    await store.appendDerived(derived(stream, 'snapshot'), events.slice(at, at + PARTS_PER_APPEND))
  }
  return parts
}

/** The last whole snapshot of a stream, `undefined` where there is none of the aggregate's present state. */
export async function readSnapshot(store: EventStore, { stateSchema }: AnyAggregate, stream: string) {
  const read = async (limit: number) => {
    const events = await store.readDerived(derived(stream, 'snapshot'), 'backwards', limit)
    return events.map(({ data }) => data as Part)
  }
  let stored = await read(1)
  const { parts = 1 } = stored[0] ?? {}
  if (parts > 1 || (stored[0]?.part ?? 0) > 0) stored = await read(parts * 2)
  for (let at = 0; at < stored.length; at += 1) {
    const last = stored[at]!
    const own = stored.slice(at, at + (last.parts ?? 1)).filter(({ revision }) => revision === last.revision)
    const isWhole = (last.part ?? 0) === (last.parts ?? 1) - 1 && own.length === (last.parts ?? 1)
    if (!isWhole || last.schema !== stateSchema) continue
    let state: unknown
    for (const { state: tree } of own) {
      state = merged(state, tree)
      await setImmediate()
    }
    return { state, revision: BigInt(last.revision), parts: last.parts ?? 1 }
  }
  return undefined
}

type Tree = { [key: string]: Json }

/**
 * A state as JSON, in trees that give it back when they are merged. A bigint becomes `{ "$bigint": "…" }`; a key that
 * begins with `$` gets a second one. Lists are not split.
 */
export function* partsOf(state: unknown): Generator<Json> {
  let root: Tree = {}
  let chars = 0
  let isEmpty = true
  for (const [path, leaf] of leavesOf(state, [])) {
    if (path.length === 0) {
      yield leaf
      return
    }
    let node = root
    for (const key of path.slice(0, -1)) node = (own(node, key) ?? put(node, key, {})) as Tree
    put(node, path.at(-1)!, leaf)
    isEmpty = false
    chars += path.at(-1)!.length + JSON.stringify(leaf).length
    if (chars < PART_CHARS) continue
    yield root
    root = {}
    chars = 0
    isEmpty = true
  }
  if (!isEmpty) yield root
}

/** The parts that are not split: lists, plain values, and objects of a few of both. */
function* leavesOf(value: unknown, path: readonly string[]): Generator<readonly [readonly string[], Json]> {
  if (!isTree(value) || isSmall(value)) {
    yield [path, packed(value)]
    return
  }
  for (const key of Object.keys(value)) {
    const item = value[key]
    if (item !== undefined) yield* leavesOf(item, [...path, key.startsWith('$') ? `$${key}` : key])
  }
}

type Members = Readonly<Record<string, unknown>>

const isTree = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const SMALL_MAX = 32

function isSmall(tree: Members): boolean {
  const members = Object.values(tree)
  return members.length <= SMALL_MAX && !members.some(isTree)
}

function packed(value: unknown): Json {
  if (typeof value === 'bigint') return { $bigint: String(value) }
  if (Array.isArray(value)) return value.map(packed)
  if (!isTree(value)) return value as Json
  const tree: Tree = {}
  for (const key of Object.keys(value)) {
    const item = value[key]
    if (item !== undefined) put(tree, key.startsWith('$') ? `$${key}` : key, packed(item))
  }
  return tree
}

/** Adds the members of a tree to a state, which it changes. */
function merged(state: unknown, tree: Json): unknown {
  if (Array.isArray(tree)) return tree.map(item => merged(undefined, item))
  if (typeof tree !== 'object' || tree === null) return tree
  const entries = Object.entries(tree)
  if (entries.length === 1 && entries[0]![0] === '$bigint') return BigInt(entries[0]![1] as string)
  const into = (typeof state === 'object' && state !== null ? state : {}) as Record<string, unknown>
  for (const [key, item] of entries) {
    const name = key.startsWith('$') ? key.slice(1) : key
    put(into, name, merged(own(into, name), item))
  }
  return into
}

const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

/** Sets a member, whatever its name. */
function put<T>(record: Record<string, T>, key: string, value: T): T {
  if (key === '__proto__')
    Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true })
  else record[key] = value
  return value
}
