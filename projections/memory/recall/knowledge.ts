/**
 * The leg of entities: memories are near a query where walks that begin at its entities, and begin anew there, come to
 * them often (personalised PageRank). Ranks are whole numbers, so that they do not depend on the order of edges.
 */
import { Lists, type ListsState } from '../lists.ts'
import { type Filter, isOpen, Scores } from '../scores.ts'
import { entitiesIn, nameOf } from './entities.ts'
import { inOrder, type Relation } from './paths.ts'
import { Runs, type RunsState } from './runs.ts'

/** Something that a memory is about: its id begins with its type, and it is found in queries by its name. */
export type Mention = { readonly id: string; readonly name: string }

/** From what in the query a memory was reached: an entity, then what stands between, and the entity that it names. */
export type GraphPath = readonly string[]

/** The rank that all entities of a query have together; a walk passes on 17 of 20 parts of it. */
const WHOLE = 2 ** 44
const PASSED = 17
const PARTS = 20
const ROUNDS = 4
/** Edges that one search follows at most; a round that would go beyond is not begun. */
const EDGES_MAX = 4_000
/** Words of the longest name that is looked for in a query. */
const NAME_WORDS_MAX = 6
/** Memories that are looked at for one between two entities. */
const BETWEEN_MAX = 200

/** What the leg holds, to store it. */
export type KnowledgeState = {
  readonly ids: readonly string[]
  readonly names: readonly string[]
  readonly free: readonly number[]
  readonly memories: ListsState
  readonly entities: RunsState
  readonly end: number
  readonly mentions: number
  readonly relations: readonly (readonly [number: number, relations: readonly Relation[]])[]
}

export class KnowledgeLeg {
  readonly #numbers = new Map<string, number>()
  readonly #ids: string[] = []
  readonly #names: string[] = []
  readonly #free: number[] = []
  readonly #byName = new Map<string, Set<number>>()
  /** Of each entity, the memories that name it. */
  #memories = new Lists()
  /** Of each memory, what it names, and the relations that it states. */
  #entities = new Runs()
  readonly #relations = new Map<number, readonly Relation[]>()
  /** Of each entity, those that it is related to, each as often as memories say so. */
  readonly #related = new Map<number, Map<number, number>>()
  #mentions = 0
  /** Numbers of memories end before this. */
  #end = 0
  /** What a search gives to memories, and what one of its rounds does. */
  readonly #kept = new Scores()
  readonly #passed = new Scores()

  /** The leg that a state is of. */
  static of(state: KnowledgeState): KnowledgeLeg {
    const leg = new KnowledgeLeg()
    for (const [number, id] of state.ids.entries()) {
      leg.#ids.push(id)
      leg.#names.push(state.names[number]!)
      if (id !== '') leg.#know(number)
    }
    leg.#free.push(...state.free)
    leg.#memories = Lists.of(state.memories)
    leg.#entities = Runs.of(state.entities)
    leg.#end = state.end
    leg.#mentions = state.mentions
    for (const [number, relations] of state.relations) {
      leg.#relations.set(number, relations)
      leg.#relate(relations, 1)
    }
    return leg
  }

  /** All of it, as long as nothing changes. */
  get state(): KnowledgeState {
    return {
      ids: this.#ids,
      names: this.#names,
      free: this.#free,
      memories: this.#memories.state,
      entities: this.#entities.state,
      end: this.#end,
      mentions: this.#mentions,
      relations: [...this.#relations],
    }
  }

  get bytes(): number {
    return 18 * this.#mentions + 300 * this.#numbers.size
  }

  /** How many entities memories name, and how often they do so. */
  get totals(): { readonly entities: number; readonly mentions: number } {
    return { entities: this.#numbers.size, mentions: this.#mentions }
  }

  add(number: number, mentions: readonly Mention[], relations: readonly Relation[]): void {
    const entities = new Set(mentions.map(mention => this.#numberOf(mention)))
    for (const { from, to } of relations) {
      for (const id of [from, to]) entities.add(this.#numberOf({ id, name: nameOf(id.slice(id.indexOf(':') + 1)) }))
    }
    for (const entity of entities) this.#memories.insert(entity, number, 1)
    this.#end = Math.max(this.#end, number + 1)
    this.#entities.set(number, [...entities])
    if (relations.length > 0) this.#relations.set(number, [...relations].sort(inOrder))
    this.#mentions += entities.size
    this.#relate(relations, 1)
  }

  remove(number: number): void {
    const entities = this.#entities.get(number)
    this.#relate(this.#relations.get(number) ?? [], -1)
    this.#relations.delete(number)
    for (const entity of entities) {
      this.#memories.remove(entity, number)
      if (this.#memories.lengthOf(entity) === 0) this.#drop(entity)
    }
    this.#mentions -= entities.length
    this.#entities.delete(number)
  }

  /** Ids of what a memory names, in order. */
  entitiesOf(number: number): string[] {
    return [...this.#entities.get(number)].map(entity => this.#ids[entity]!).sort()
  }

  /** Numbers of what a memory names. */
  namedBy(number: number): readonly number[] {
    return [...this.#entities.get(number)]
  }

  idOf(entity: number): string {
    return this.#ids[entity]!
  }

  /** All relations that memories state, in order. */
  relations(): Relation[] {
    return [...this.#relations.values()].flat().sort(inOrder)
  }

  /** The entities that a query names: by the rules for texts, and by names that memories have, longest first. */
  entitiesIn(text: string, forms: readonly string[]): number[] {
    const found = new Set(entitiesIn(text).flatMap(({ id }) => this.#numbers.get(id) ?? []))
    for (let at = 0; at < forms.length; ) {
      const words = this.#longestName(forms, at, found)
      at += Math.max(1, words)
    }
    return [...found].sort((a, b) => (this.#ids[a]! < this.#ids[b]! ? -1 : 1))
  }

  /** The share of all walks that is at each memory that passes the filter, from the entities of a query. */
  score(entities: readonly number[], filter: Filter): Scores {
    const [kept, passed] = [this.#kept, this.#passed]
    kept.reset(this.#end)
    let residual = new Map(entities.map(entity => [entity, Math.floor(WHOLE / entities.length)]))
    for (let round = 0, edges = 0; round < ROUNDS && residual.size > 0; round += 1) {
      for (const entity of residual.keys()) edges += this.#degree(entity)
      // What the query names itself is always looked at.
      if (round > 0 && edges > EDGES_MAX) break
      const next = this.#passOn(residual)
      for (const number of passed.numbers()) {
        const rest = Math.floor((passed.values[number]! * (PARTS - PASSED)) / PARTS)
        if (rest > 0 && isOpen(filter, number)) kept.gain(number, rest / WHOLE)
      }
      if (edges > EDGES_MAX) break
      for (const number of passed.numbers()) {
        const named = this.#entities.get(number)
        const share = Math.floor((passed.values[number]! * PASSED) / PARTS / named.length)
        if (share > 0) for (const entity of named) add(next, entity, share)
      }
      residual = next
    }
    return kept
  }

  /** How a memory hangs together with the entities of a query, by the shortest way, in ids. */
  pathTo(number: number, entities: readonly number[], keyOf: (number: number) => string): GraphPath {
    const asked = new Set(entities)
    const named = [...this.#entities.get(number)].sort((a, b) => (this.#ids[a]! < this.#ids[b]! ? -1 : 1))
    const direct = named.find(entity => asked.has(entity))
    if (direct !== undefined) return [this.#ids[direct]!]
    // A relation is a way through the memory that states it: whether that may be read decides whether the way may.
    for (const from of entities) {
      const between = this.#between(from, named, keyOf)
      if (between) return between
    }
    return []
  }

  #between(from: number, named: readonly number[], keyOf: (number: number) => string): GraphPath | undefined {
    const start = this.#memories.startOf(from)
    const length = Math.min(BETWEEN_MAX, this.#memories.lengthOf(from))
    const places = new Map(named.map((entity, at) => [entity, at]))
    const ways: string[][] = []
    for (const memory of this.#memories.items.subarray(start, start + length)) {
      let first = named.length
      for (const entity of this.#entities.get(memory)) first = Math.min(first, places.get(entity) ?? first)
      if (first < named.length) ways.push([this.#ids[from]!, keyOf(memory), this.#ids[named[first]!]!])
    }
    return ways.sort((a, b) => (a.join('\n') < b.join('\n') ? -1 : 1))[0]
  }

  /** One step from entities: to the memories that name them, and to the entities that they are related to. */
  #passOn(residual: ReadonlyMap<number, number>): Map<number, number> {
    const next = new Map<number, number>()
    this.#passed.reset(this.#end)
    const { items } = this.#memories
    for (const [entity, rank] of residual) {
      const share = Math.floor((rank * PASSED) / PARTS / this.#degree(entity))
      if (share === 0) continue
      const end = this.#memories.startOf(entity) + this.#memories.lengthOf(entity)
      for (let at = this.#memories.startOf(entity); at < end; at += 1) this.#passed.gain(items[at]!, share)
      for (const [other, times] of this.#related.get(entity) ?? []) add(next, other, share * times)
    }
    return next
  }

  #degree(entity: number): number {
    let degree = this.#memories.lengthOf(entity)
    for (const times of this.#related.get(entity)?.values() ?? []) degree += times
    return degree
  }

  #longestName(forms: readonly string[], at: number, found: Set<number>): number {
    for (let words = Math.min(NAME_WORDS_MAX, forms.length - at); words > 0; words -= 1) {
      const named = this.#byName.get(forms.slice(at, at + words).join(' '))
      if (!named) continue
      for (const entity of named) found.add(entity)
      return words
    }
    return 0
  }

  #relate(relations: readonly Relation[], times: 1 | -1): void {
    for (const { from, to } of relations) {
      const [a, b] = [this.#numbers.get(from)!, this.#numbers.get(to)!]
      for (const [one, other] of [
        [a, b],
        [b, a],
      ] as const) {
        const near = this.#related.get(one) ?? new Map<number, number>()
        this.#related.set(one, near)
        add(near, other, times)
        if (near.get(other) === 0) near.delete(other)
        if (near.size === 0) this.#related.delete(one)
      }
    }
  }

  #numberOf({ id, name }: Mention): number {
    const known = this.#numbers.get(id)
    if (known !== undefined) return known
    const number = this.#free.pop() ?? this.#ids.length
    this.#ids[number] = id
    this.#names[number] = name
    this.#know(number)
    return number
  }

  #know(number: number): void {
    const name = this.#names[number]!
    this.#numbers.set(this.#ids[number]!, number)
    const same = this.#byName.get(name) ?? new Set()
    this.#byName.set(name, same.add(number))
  }

  #drop(entity: number): void {
    const name = this.#names[entity]!
    const same = this.#byName.get(name)!
    same.delete(entity)
    if (same.size === 0) this.#byName.delete(name)
    this.#numbers.delete(this.#ids[entity]!)
    this.#ids[entity] = ''
    this.#names[entity] = ''
    this.#free.push(entity)
  }
}

const add = (sums: Map<number, number>, key: number, value: number) => sums.set(key, (sums.get(key) ?? 0) + value)
