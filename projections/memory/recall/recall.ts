/**
 * The memories of one org, searched by four legs at once. The same memories give the same answers, in whatever order
 * they came, and a memory that was taken out leaves nothing behind.
 */
import { type Filter, isOpen, Scores } from '../scores.ts'
import { type Rank, Top } from '../top.ts'
import { conceptScores, DIMENSIONS_OF_WORK, type Dimension, type Mentioned, mentionedIn } from './concepts.ts'
import { entitiesIn } from './entities.ts'
import { Kinds, maskOf, type RecallFilter, type Traits } from './filter.ts'
import { type GraphPath, KnowledgeLeg, type Mention } from './knowledge.ts'
import type { Language } from './languages.ts'
import {
  answerOf,
  fusionOf,
  LEGS,
  type LegAnswer,
  type LegName,
  type LegReport,
  type LegScore,
  partsIn,
  reportsOf,
  rounded,
  SILENT,
  STEP,
  scoreIn,
  WEIGHTS,
  type Weights,
} from './legs.ts'
import { type Field, LexicalLeg, type Sought } from './lexical.ts'
import { NeuralLeg } from './neural.ts'
import type { Relation } from './paths.ts'
import { Question } from './question.ts'
import { Sessions } from './sessions.ts'
import type { RecallState } from './stored.ts'

/** A memory to search: its texts, and what is known of it. */
export type Recalled = Traits & {
  readonly fields: readonly Field[]
  /** The language of the texts where it is known; otherwise they say it. */
  readonly language?: Language | undefined
  /** What it is about beside what its texts name. */
  readonly mentions?: readonly Mention[] | undefined
  readonly relations?: readonly Relation[] | undefined
}

export type RecallMode = 'hybrid' | LegName

export type RecallOptions = {
  readonly mode?: RecallMode
  readonly filter?: RecallFilter
  readonly limit?: number
  /** The place of the last hit of the page before. */
  readonly after?: Rank | undefined
  readonly weights?: Weights
  readonly dimensions?: readonly Dimension[]
  readonly language?: Language
}

/** A memory that was found, and why. */
type RecallHit = {
  readonly key: string
  readonly score: number
  readonly legs: Partial<Record<LegName, LegScore>>
  /** The words of the query that its texts have, and what the lexical leg gained by each. */
  readonly matched: readonly { readonly word: string; readonly as: Sought['as']; readonly score: number }[]
  /** What the lexical leg gained by phrases of the query, and by hits beside it in its session. */
  readonly phrase: number
  readonly session: number
  /** From an entity of the query to one of the memory. */
  readonly path: GraphPath
  readonly place: Rank
}

export type RecallAnswer = {
  readonly hits: readonly RecallHit[]
  readonly legs: Record<LegName, LegReport>
  /** The dimensions that the query mentions, and where on them it stands: from -1, the low pole, to 1. */
  readonly dimensions: readonly { readonly name: string; readonly at: number }[]
}

const LIMIT_DEFAULT = 10
/** Hits whose neighbours in the session are lifted, and by which part of the hit's score. */
const LIFTING = 50
const LIFT = 0.2

/** What the legs are asked with. */
type Asking = {
  readonly question: Question
  readonly filter: Filter
  readonly sought: readonly Sought[]
  /** What memories gain by phrases, and by hits beside them in their sessions. */
  readonly phrases: Map<number, number>
  readonly neighbours: Map<number, number>
  readonly entities: readonly number[]
  readonly mentioned: readonly Mentioned[]
}

export class Recall {
  lexical = new LexicalLeg()
  neural = new NeuralLeg()
  knowledge = new KnowledgeLeg()
  readonly #sessions = new Sessions()
  readonly #numbers = new Map<string, number>()
  readonly #traits: (Traits | undefined)[] = []
  readonly #free: number[] = []
  readonly #kinds = new Kinds()
  readonly #scores = new Scores()
  readonly #near = new Scores()

  /** The index that a state is of: it answers as the other did, and goes on from there. */
  static of({ lexical, neural, knowledge, traits, free }: RecallState): Recall {
    const recall = new Recall()
    recall.lexical = LexicalLeg.of(lexical)
    recall.neural = NeuralLeg.of(neural, recall.#lists)
    recall.knowledge = KnowledgeLeg.of(knowledge)
    for (const [number, each] of traits.entries()) {
      recall.#traits.push(each ?? undefined)
      if (each) recall.#know(number, each)
    }
    recall.#free.push(...free)
    return recall
  }

  /** All that it holds, as long as nothing changes: no word is in it that no memory has. */
  get state(): RecallState {
    return {
      lexical: this.lexical.state,
      neural: this.neural.stateWith(this.#lists),
      knowledge: this.knowledge.state,
      traits: this.#traits.map(each => each ?? null),
      free: this.#free,
    }
  }

  get #lists() {
    return [...this.lexical.parts.values()].map(({ postings }) => postings)
  }

  get size(): number {
    return this.#numbers.size
  }

  /** What it takes of the memory of the process, about. */
  get bytes(): number {
    return this.lexical.bytes + this.neural.bytes + this.knowledge.bytes + 260 * this.size
  }

  /** Adds a memory, in place of the one with the same key if there is one. */
  set({ fields, language, mentions = [], relations = [], ...traits }: Recalled): void {
    this.delete(traits.key)
    const number = this.#free.pop() ?? this.#traits.length
    this.#traits[number] = traits
    this.#know(number, traits)
    const words = this.lexical.add(number, fields, language)
    const part = this.lexical.partOf(number)
    this.neural.add(number, words, part.postings)
    const text = fields.map(([each]) => each).join('\n')
    const nameIn = (id: string) => id.slice(id.indexOf(':') + 1)
    const named = entitiesIn(text, part.language !== 'de').map(({ id }) => ({ id, name: nameIn(id) }))
    this.knowledge.add(number, [...named, ...mentions], relations)
  }

  #know(number: number, { key, kind, session, position }: Traits): void {
    this.#numbers.set(key, number)
    this.#kinds.set(number, kind)
    if (session !== undefined) this.#sessions.add(session, { number, position, key })
  }

  /** Takes a memory out of every leg at once. */
  delete(key: string): void {
    const number = this.#numbers.get(key)
    if (number === undefined) return
    const { session } = this.#traits[number]!
    const { postings } = this.lexical.partOf(number)
    this.neural.remove(number, this.lexical.remove(number), postings)
    this.knowledge.remove(number)
    if (session !== undefined) this.#sessions.remove(session, number)
    this.#numbers.delete(key)
    this.#traits[number] = undefined
    this.#kinds.delete(number)
    this.#free.push(number)
  }

  /** Every memory with its number, in no order. */
  each(visit: (number: number, traits: Traits) => void): void {
    for (const [number, traits] of this.#traits.entries()) if (traits) visit(number, traits)
  }

  /** The same in the order of keys. */
  memories(): { readonly number: number; readonly traits: Traits }[] {
    const all = [...this.#numbers].sort(([a], [b]) => (a < b ? -1 : 1))
    return all.map(([, number]) => ({ number, traits: this.#traits[number]! }))
  }

  search(text: string, options: RecallOptions = {}): RecallAnswer {
    const { mode = 'hybrid', filter = {}, limit = LIMIT_DEFAULT, after, weights = WEIGHTS } = options
    const question = new Question(text, options.language)
    const asking = this.#asking(question, filter, options.dimensions ?? DIMENSIONS_OF_WORK)
    const answers = new Map<LegName, LegAnswer | Error>()
    for (const leg of mode === 'hybrid' ? LEGS : [mode]) answers.set(leg, this.#answer(leg, asking))
    const shares = mode === 'hybrid' ? weights : { lexical: 1, neural: 1, conceptual: 1, knowledge: 1 }
    const reports = reportsOf(answers, shares)
    const fusion = fusionOf(answers, reports)
    const top = new Top(limit, after)
    for (const number of new Set(fusion.flatMap(([, { best }]) => best))) {
      const score = scoreIn(fusion, number, top.leastOf(0))
      if (score > 0) top.offer({ tier: 0, score, key: this.#keyOf(number), number })
    }
    const hits = top.sorted().map(({ tier, score, key, number }) => ({
      key,
      score,
      legs: partsIn(fusion, number),
      matched: answers.has('lexical') ? this.lexical.explain(number, asking.sought) : [],
      phrase: asking.phrases.get(number) ?? 0,
      session: asking.neighbours.get(number) ?? 0,
      path: answers.has('knowledge') ? this.knowledge.pathTo(number, asking.entities, this.#keyOf) : [],
      place: { tier, score, key },
    }))
    const mentioned = asking.mentioned.map(({ dimension: { name }, at }) => ({ name, at }))
    return { hits, legs: reports, dimensions: answers.has('conceptual') ? mentioned : [] }
  }

  #asking(question: Question, filter: RecallFilter, dimensions: readonly Dimension[]): Asking {
    const { kinds, ...others } = filter
    const byKind = kinds && Object.values(others).every(condition => condition === undefined)
    const mask = byKind ? this.#kinds.maskOf(kinds) : maskOf(this.#traits, filter)
    const sought = this.lexical.sought(question)
    const entities = this.knowledge.entitiesIn(question.text, question.forms)
    const mentioned = mentionedIn(question, dimensions)
    return { question, filter: mask, sought, entities, mentioned, phrases: new Map(), neighbours: new Map() }
  }

  /** A leg that fails is said; the others answer. */
  #answer(leg: LegName, asking: Asking): LegAnswer | Error {
    try {
      return this.#legs[leg](asking)
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  readonly #legs: Readonly<Record<LegName, (asking: Asking) => LegAnswer>> = {
    lexical: ({ question, sought, filter, phrases, neighbours }) => {
      const scores = this.#scores
      this.lexical.score(sought, filter, scores)
      const byWords = scores.numbers()
      for (const phrase of question.phrases) this.#gainByPhrase(phrase, filter, phrases)
      for (const [number, worth] of phrases) scores.gain(number, worth)
      if (this.#sessions.size > 0) this.#lift(byWords, scores, filter, neighbours)
      for (const [number, lift] of neighbours) scores.gain(number, lift)
      return this.#answerOf(scores)
    },
    neural: ({ sought, filter }) => {
      const pointer = this.neural.point(sought)
      if (!pointer) return SILENT
      const near = this.#near
      near.reset(this.#traits.length)
      for (const number of this.neural.nearest(pointer, filter)) near.gain(number, this.neural.scoreOf(number, pointer))
      // Memories that other legs propose are compared when they are asked about.
      const scoreOf = (number: number) => near.values[number]! || this.neural.scoreOf(number, pointer)
      return answerOf(near.numbers(), scoreOf, this.#keyOf)
    },
    conceptual: ({ mentioned, filter }) => this.#answerOf(conceptScores(mentioned, this.lexical, filter)),
    knowledge: ({ entities, filter }) =>
      entities.length === 0 ? SILENT : this.#answerOf(this.knowledge.score(entities, filter)),
  }

  #answerOf(scores: Scores): LegAnswer {
    return answerOf(scores.numbers(), number => scores.values[number] ?? 0, this.#keyOf)
  }

  /** Lifts what stands beside the best hits in their sessions. */
  #lift(byWords: Uint32Array, { values }: Scores, filter: Filter, neighbours: Map<number, number>): void {
    const top = new Top(LIFTING)
    let least = Number.NEGATIVE_INFINITY
    for (const number of byWords) {
      const exact = values[number]!
      if (exact + STEP < least || this.#traits[number]!.session === undefined) continue
      const score = rounded(exact)
      if (score < least) continue
      top.offer({ tier: 0, score, key: this.#keyOf(number), number })
      least = top.leastOf(0)
    }
    for (const { number, score } of top.sorted()) {
      for (const other of this.#sessions.beside(this.#traits[number]!.session!, number)) {
        if (isOpen(filter, other)) neighbours.set(other, Math.max(neighbours.get(other) ?? 0, LIFT * score))
      }
    }
  }

  #gainByPhrase(phrase: readonly string[], filter: Filter, phrases: Map<number, number>): void {
    const { numbers, worth } = this.lexical.withPhrase(phrase)
    for (const number of numbers) {
      if (isOpen(filter, number)) phrases.set(number, (phrases.get(number) ?? 0) + worth)
    }
  }

  readonly #keyOf = (number: number): string => this.#traits[number]!.key
}
