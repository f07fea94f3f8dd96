/**
 * The leg of entities: memories are near a query where walks that begin at its entities, and begin anew there, come to
 * them often (personalised PageRank). Ranks are whole numbers, so that they do not depend on the order of edges.
 */
import { Lists } from '../lists.ts'
import { type Filter, isOpen } from '../scores.ts'
import { entitiesIn, nameOf } from './entities.ts'
import { inOrder, type Relation } from './paths.ts'
import { Runs } from './runs.ts'

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

export class KnowledgeLeg {
  readonly #numbers = new Map<string, number>()
  readonly #ids: string[] = []
  readonly #names: string[] = []
  readonly #free: number[] = []
  readonly #byName = new Map<string, Set<number>>()
  /** Of each entity, the memories that name it. */
  readonly #memories = new Lists()
  /** Of each memory, what it names, and the relations that it states. */
  readonly #entities = new Runs()
  readonly #relations = new Map<number, readonly Relation[]>()
  /** Of each entity, those that it is related to, each as often as memories say so. */
  readonly #related = new Map<number, Map<number, number>>()
  #mentions = 0

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
  score(entities: readonly number[], filter: Filter): Map<number, number> {
    const kept = new Map<number, number>()
    let residual = new Map(entities.map(entity => [entity, Math.floor(WHOLE / entities.length)]))
    for (let round = 0, edges = 0; round < ROUNDS && residual.size > 0; round += 1) {
      for (const entity of residual.keys()) edges += this.#degree(entity)
      // What the query names itself is always looked at.
      if (round > 0 && edges > EDGES_MAX) break
      const [memories, next] = this.#passOn(residual)
      for (const [number, rank] of memories) {
        const rest = Math.floor((rank * (PARTS - PASSED)) / PARTS)
        if (rest > 0 && isOpen(filter, number)) add(kept, number, rest / WHOLE)
      }
      if (edges > EDGES_MAX) break
      for (const [number, rank] of memories) {
        const named = this.#entities.get(number)
        const share = Math.floor((rank * PASSED) / PARTS / named.length)
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
    for (const from of entities) {
      const to = named.find(entity => this.#related.get(from)?.has(entity))
      if (to !== undefined) return [this.#ids[from]!, this.#ids[to]!]
    }
    for (const from of entities) {
      const between = this.#between(from, named, keyOf)
      if (between) return between
    }
    return []
  }

  #between(from: number, named: readonly number[], keyOf: (number: number) => string): GraphPath | undefined {
    const start = this.#memories.startOf(from)
    const length = Math.min(BETWEEN_MAX, this.#memories.lengthOf(from))
    const ways: string[][] = []
    for (let at = start; at < start + length; at += 1) {
      const memory = this.#memories.items[at]!
      const to = named.find(entity => this.#memories.countOf(entity, memory) > 0)
      if (to !== undefined) ways.push([this.#ids[from]!, keyOf(memory), this.#ids[to]!])
    }
    return ways.sort((a, b) => (a.join('\n') < b.join('\n') ? -1 : 1))[0]
  }

  /** One step from entities: to the memories that name them, and to the entities that they are related to. */
  #passOn(residual: ReadonlyMap<number, number>): [Map<number, number>, Map<number, number>] {
    const [memories, next] = [new Map<number, number>(), new Map<number, number>()]
    for (const [entity, rank] of residual) {
      const share = Math.floor((rank * PASSED) / PARTS / this.#degree(entity))
      if (share === 0) continue
      const end = this.#memories.startOf(entity) + this.#memories.lengthOf(entity)
      for (let at = this.#memories.startOf(entity); at < end; at += 1) add(memories, this.#memories.items[at]!, share)
      for (const [other, times] of this.#related.get(entity) ?? []) add(next, other, share * times)
    }
    return [memories, next]
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
    this.#numbers.set(id, number)
    this.#ids[number] = id
    this.#names[number] = name
    const same = this.#byName.get(name) ?? new Set()
    this.#byName.set(name, same.add(number))
    return number
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
