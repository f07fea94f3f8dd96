/** What legs have in common: raw scores of memories, the best of them, and how they become one score. */
import { Top } from '../top.ts'

export const LEGS = ['lexical', 'neural', 'conceptual', 'knowledge'] as const
export type LegName = (typeof LEGS)[number]

/** What a leg says of a query: its best memories, what any memory scores, and the best score. */
export type LegAnswer = {
  readonly best: readonly number[]
  readonly scoreOf: (number: number) => number
  readonly most: number
}

/** How a leg took part: its share of the score, and why it has none. */
export type LegReport = {
  readonly state: 'answered' | 'silent' | 'failed'
  /** Its share of every score; the shares of all legs are 1 together. */
  readonly weight: number
  readonly reason?: string
}

/** What a leg gave to the score of a hit. */
export type LegScore = {
  /** In the leg's own terms. */
  readonly raw: number
  /** The raw score in parts of the best one of the leg. */
  readonly normalised: number
  /** The normalised score times the leg's share: parts of all legs are the score. */
  readonly part: number
}

export type Weights = Readonly<Record<LegName, number>>

/** The shares of the legs in the score where all answer: the best on half of the queries of public collections. */
export const WEIGHTS: Weights = { lexical: 0.58, neural: 0.34, conceptual: 0.04, knowledge: 0.04 }

/** The answer of a leg that has nothing to say. */
export const SILENT: LegAnswer = { best: [], scoreOf: () => 0, most: 0 }

/** Memories that a leg proposes at most. */
const PROPOSED_MAX = 400
/** Scores are whole numbers of this, so that they add up, and compare equal wherever they are computed. */
export const STEP = 1e-6

export const rounded = (score: number): number => Math.round(score / STEP) / (1 / STEP)

/** The answer of a leg from scores of memories; those of equal scores are taken in the order of their keys. */
export function answerOf(
  numbers: ArrayLike<number>,
  scoreOf: (number: number) => number,
  keyOf: (number: number) => string,
): LegAnswer {
  const top = new Top(PROPOSED_MAX)
  let least = Number.NEGATIVE_INFINITY
  for (let at = 0; at < numbers.length; at += 1) {
    const number = numbers[at]!
    const exact = scoreOf(number)
    if (exact <= 0 || exact < least) continue
    const [score, key, { last }] = [rounded(exact), keyOf(number), top]
    if (score <= 0 || (last && (score < last.score || (score === last.score && key > last.key)))) continue
    top.offer({ tier: 0, score, key, number })
    least = top.leastOf(0) - STEP
  }
  const best = top.sorted()
  return {
    best: best.map(({ number }) => number),
    scoreOf: number => rounded(scoreOf(number)),
    most: best[0]?.score ?? 0,
  }
}

/** Answers of legs, and failures with what they were. */
export type Answers = ReadonlyMap<LegName, LegAnswer | Error>

/** The shares of the legs that answered, in the proportions of the weights. */
export function reportsOf(answers: Answers, weights: Weights): Record<LegName, LegReport> {
  const speaks = (leg: LegName) => {
    const answer = answers.get(leg)
    return answer !== undefined && !(answer instanceof Error) && answer.most > 0
  }
  const all = LEGS.reduce((sum, leg) => sum + (speaks(leg) ? weights[leg] : 0), 0)
  const report = (leg: LegName): LegReport => {
    const answer = answers.get(leg)
    if (answer instanceof Error) return { state: 'failed', weight: 0, reason: answer.message }
    return speaks(leg) && all > 0 ? { state: 'answered', weight: weights[leg] / all } : { state: 'silent', weight: 0 }
  }
  return Object.fromEntries(LEGS.map(leg => [leg, report(leg)])) as Record<LegName, LegReport>
}

/** The legs that answered, and their shares. */
export type Fusion = readonly (readonly [leg: LegName, answer: LegAnswer, weight: number])[]

export function fusionOf(answers: Answers, reports: Record<LegName, LegReport>): Fusion {
  return LEGS.flatMap(leg => {
    const answer = answers.get(leg)
    const { state, weight } = reports[leg]
    return answer === undefined || answer instanceof Error || state !== 'answered' ? [] : [[leg, answer, weight]]
  })
}

/** The leg whose scores take longest: it is not asked where the others show that it would be of no use. */
const DEAREST: LegName = 'neural'
/** More than rounding adds to a score. */
const SLACK = 10 * STEP

/** The score of a memory: the sum of what each leg that answered gives; 0 where it is surely below `least`. */
export function scoreIn(fusion: Fusion, number: number, least: number): number {
  let most = SLACK
  for (const [leg, answer, weight] of fusion) {
    most += leg === DEAREST ? weight : Math.min(1, answer.scoreOf(number) / answer.most) * weight
  }
  if (most < least) return 0
  let score = 0
  for (const [, answer, weight] of fusion) {
    score += rounded(Math.min(1, answer.scoreOf(number) / answer.most) * weight)
  }
  return rounded(score)
}

/** What each leg gives to the score of a memory. */
export function partsIn(fusion: Fusion, number: number): Partial<Record<LegName, LegScore>> {
  const parts = fusion.map(([leg, { scoreOf, most }, weight]) => {
    const raw = scoreOf(number)
    const normalised = Math.min(1, raw / most)
    return [leg, { raw, normalised: rounded(normalised), part: rounded(normalised * weight) }]
  })
  return Object.fromEntries(parts)
}
