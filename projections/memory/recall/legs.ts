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

/** Memories that a leg proposes at most. */
const PROPOSED_MAX = 400
/** Scores are whole numbers of this, so that they add up, and compare equal wherever they are computed. */
const STEP = 1e-6

export const rounded = (score: number): number => Math.round(score / STEP) / (1 / STEP)

/** The answer of a leg from scores of memories; those of equal scores are taken in the order of their keys. */
export function answerOf(
  numbers: Iterable<number>,
  scoreOf: (number: number) => number,
  keyOf: (number: number) => string,
): LegAnswer {
  const top = new Top(PROPOSED_MAX)
  let least = Number.NEGATIVE_INFINITY
  for (const number of numbers) {
    const exact = scoreOf(number)
    if (exact <= 0 || exact < least) continue
    const score = rounded(exact)
    if (score <= 0) continue
    top.offer({ tier: 0, score, key: keyOf(number), number })
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

/** The score of a memory: the sum of what each leg that answered gives. */
export function fused(number: number, answers: Answers, reports: Record<LegName, LegReport>) {
  const legs: Partial<Record<LegName, LegScore>> = {}
  let score = 0
  for (const leg of LEGS) {
    const answer = answers.get(leg)
    if (answer === undefined || answer instanceof Error || reports[leg].state !== 'answered') continue
    const raw = answer.scoreOf(number)
    const normalised = Math.min(1, raw / answer.most)
    const part = rounded(normalised * reports[leg].weight)
    legs[leg] = { raw, normalised: rounded(normalised), part }
    score += part
  }
  return { score: rounded(score), legs }
}
