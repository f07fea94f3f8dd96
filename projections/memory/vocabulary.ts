/** The forms that occur in the texts of an index, the words that they count as, and how to find forms by halves. */
import { seedOf } from './recall/embedder.ts'
import { wordOf } from './words.ts'

/** Letters by which forms are looked up: the first of them, and the last. */
const START_LETTERS = 2
const END_LETTERS = 3
/** Shorter words have too many neighbours that differ in one letter. */
const NEAR_LETTERS_MIN = 5
/** Shorter parts of texts are copied by the engine itself. */
const COPIED_LETTERS_MIN = 13
const LETTERS = /^\p{L}+$/u

/** What a vocabulary holds, to store it. */
export type VocabularyState = Readonly<
  Record<'wordOf' | 'seeds' | 'uses' | 'formsOf' | 'freeForms' | 'freeWords', readonly number[]>
> & {
  readonly forms: readonly (readonly [form: number, text: string])[]
  readonly words: readonly (readonly [word: string, number: number])[]
}

/**
 * Forms and words have numbers, which are given to others when nothing has them any more. Every use of a form is
 * counted, so that the vocabulary is exactly that of the texts that are there.
 */
export class Vocabulary {
  readonly #forms = new Map<string, number>()
  readonly #words = new Map<string, number>()
  readonly #texts: string[] = []
  readonly #wordOf: number[] = []
  readonly #seeds: number[] = []
  readonly #uses: number[] = []
  readonly #freeForms: number[] = []
  /** Forms of each word. */
  readonly #formsOf: number[] = []
  readonly #freeWords: number[] = []
  readonly #byStart = new Map<string, number[]>()
  readonly #byEnd = new Map<string, number[]>()
  readonly #read: (form: string) => string
  readonly #common: ReadonlySet<number>
  readonly #isCommon: boolean[] = []
  readonly #numbers = {
    wordOf: this.#wordOf,
    seeds: this.#seeds,
    uses: this.#uses,
    formsOf: this.#formsOf,
    freeForms: this.#freeForms,
    freeWords: this.#freeWords,
  }

  /** `read` gives the word that a form counts as; `common` are seeds of words that say little. */
  constructor(read: (form: string) => string = wordOf, common: ReadonlySet<number> = new Set()) {
    this.#read = read
    this.#common = common
  }

  /** The vocabulary that a state is of; `read` as it was. */
  static of(state: VocabularyState, read: (form: string) => string, common: ReadonlySet<number>): Vocabulary {
    const vocabulary = new Vocabulary(read, common)
    vocabulary.#texts.push(...new Array<string>(state.wordOf.length).fill(''))
    for (const list of ['wordOf', 'seeds', 'uses', 'formsOf', 'freeForms', 'freeWords'] as const) {
      for (const value of state[list]) vocabulary.#numbers[list].push(value)
    }
    for (const [form, text] of state.forms) {
      vocabulary.#texts[form] = text
      vocabulary.#forms.set(text, form)
      within(vocabulary.#byStart, text.slice(0, START_LETTERS), form)
      within(vocabulary.#byEnd, text.slice(-END_LETTERS), form)
    }
    for (const [word, number] of state.words) vocabulary.#words.set(word, number)
    for (const seed of state.seeds) vocabulary.#isCommon.push(common.has(seed))
    return vocabulary
  }

  /** All of it; texts that are no longer used are not in it. */
  get state(): VocabularyState {
    const forms = [...this.#forms].map(([text, form]) => [form, text] as const)
    return { ...this.#numbers, forms, words: [...this.#words] }
  }

  /** How many forms it knows. */
  get size(): number {
    return this.#forms.size
  }

  /** The number of a form, which is made known where it is new. */
  formOf(text: string): number {
    return this.#forms.get(text) ?? this.#addForm(text)
  }

  /** The word of a form. */
  wordOf(form: number): number {
    return this.#wordOf[form]!
  }

  /** A number that follows from the text of a form's word alone. */
  seedOf(form: number): number {
    return this.#seeds[form]!
  }

  /** Whether the word of a form is one of those that say little. */
  isCommon(form: number): boolean {
    return this.#isCommon[form]!
  }

  /** The number of a word; `undefined` where no text has it. */
  find(word: string): number | undefined {
    return this.#words.get(word)
  }

  /** All forms with their numbers and how many texts have them, in the order of their texts. */
  forms(): { readonly text: string; readonly form: number; readonly uses: number }[] {
    const all = [...this.#forms].sort(([a], [b]) => (a < b ? -1 : 1))
    return all.map(([text, form]) => ({ text, form, uses: this.#uses[form]! }))
  }

  /** Each form with its number and how many texts have it, in no order. */
  eachForm(visit: (text: string, form: number, uses: number) => void): void {
    for (const [text, form] of this.#forms) visit(text, form, this.#uses[form]!)
  }

  /** Notes that one more text has the form. */
  use(form: number): void {
    this.#uses[form] = this.#uses[form]! + 1
  }

  /** Notes that one text less has the form. */
  release(form: number): void {
    this.#uses[form] = this.#uses[form]! - 1
    if (this.#uses[form]! > 0) return
    const text = this.#texts[form]!
    this.#forms.delete(text)
    without(this.#byStart, text.slice(0, START_LETTERS), form)
    without(this.#byEnd, text.slice(-END_LETTERS), form)
    this.#freeForms.push(form)
    const word = this.#wordOf[form]!
    this.#formsOf[word] = this.#formsOf[word]! - 1
    if (this.#formsOf[word]! > 0) return
    this.#words.delete(this.#read(text))
    this.#freeWords.push(word)
  }

  /** The words of which a form begins with a text of two letters or more. */
  beginningWith(text: string): Set<number> {
    const found = new Set<number>()
    for (const form of this.#byStart.get(text.slice(0, START_LETTERS)) ?? []) {
      if (this.#texts[form]!.startsWith(text)) found.add(this.#wordOf[form]!)
    }
    return found
  }

  /**
   * The words of which a form differs from a text in one letter that is wrong, missing or added, or in two neighbours
   * that are swapped. Of two halves of the text at least one is whole then, unless the swap is between them.
   */
  near(text: string): Set<number> {
    const found = new Set<number>()
    if (text.length < NEAR_LETTERS_MIN || !LETTERS.test(text)) return found
    const half = text.length >> 1
    const [head, tail] = [text.slice(0, half), text.slice(half)]
    for (const form of this.#byStart.get(text.slice(0, START_LETTERS)) ?? []) {
      const other = this.#texts[form]!
      if (other.startsWith(head) && isNear(text, other)) found.add(this.#wordOf[form]!)
    }
    for (const form of this.#byEnd.get(text.slice(-END_LETTERS)) ?? []) {
      const other = this.#texts[form]!
      if (other.endsWith(tail) && isNear(text, other)) found.add(this.#wordOf[form]!)
    }
    const swapped = this.#forms.get(text.slice(0, half - 1) + text[half]! + text[half - 1]! + text.slice(half + 1))
    if (swapped !== undefined) found.add(this.#wordOf[swapped]!)
    return found
  }

  #addForm(text: string): number {
    const form = this.#freeForms.pop() ?? this.#texts.length
    const word = this.#read(text)
    const known = this.#words.get(word)
    const number = known ?? this.#freeWords.pop() ?? this.#formsOf.length
    if (known === undefined) this.#words.set(ownCopy(word), number)
    this.#formsOf[number] = (known === undefined ? 0 : this.#formsOf[number]!) + 1
    const own = ownCopy(text)
    this.#texts[form] = own
    this.#wordOf[form] = number
    this.#seeds[form] = seedOf(word)
    this.#isCommon[form] = this.#common.has(this.#seeds[form])
    this.#uses[form] = 0
    this.#forms.set(own, form)
    within(this.#byStart, text.slice(0, START_LETTERS), form)
    within(this.#byEnd, text.slice(-END_LETTERS), form)
    return form
  }
}

/** Whether two texts differ in one letter, or in two neighbouring ones that are swapped. */
function isNear(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false
  const shorter = Math.min(a.length, b.length)
  let start = 0
  while (start < shorter && a[start] === b[start]) start += 1
  let end = 0
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1
  const [left, right] = [a.length - start - end, b.length - start - end]
  if (left <= 1 && right <= 1) return true
  return left === 2 && right === 2 && a[start] === b[start + 1] && a[start + 1] === b[start]
}

/** A text by itself: as a part of a longer one it would keep the whole of that in memory. */
const ownCopy = (text: string) =>
  text.length < COPIED_LETTERS_MIN ? text : Buffer.from(text, 'utf16le').toString('utf16le')

function within(lists: Map<string, number[]>, key: string, form: number): void {
  const list = lists.get(key)
  if (list) list.push(form)
  else lists.set(key, [form])
}

/** Takes a form out of its list; the last one takes its place, because the order is of no account. */
function without(lists: Map<string, number[]>, key: string, form: number): void {
  const list = lists.get(key)!
  const last = list.pop()!
  if (last !== form) list[list.indexOf(form)] = last
  if (list.length === 0) lists.delete(key)
}
