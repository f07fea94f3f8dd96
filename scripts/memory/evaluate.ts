/** Measures search on a test collection: each scope is an org with an index of its own. */
import { LEGS } from '../../projections/memory/recall/legs.ts'
import { Recall, type RecallMode } from '../../projections/memory/recall/recall.ts'
import type { Collection } from './collection.ts'
import { mean, ndcg, percentile, recall, reciprocalRank } from './quality.ts'

export const MODES: readonly RecallMode[] = ['hybrid', ...LEGS]
const DEPTH = 100
const DEPTH_NDCG = 10

export type Quality = {
  readonly queries: number
  readonly 'ndcg@10': number
  readonly 'recall@100': number
  readonly mrr: number
  readonly 'right@1': number
}

export type Evaluation = {
  readonly mode: RecallMode
  readonly docs: number
  readonly orgs: number
  readonly all: Quality
  /** Weights are fixed on the odd ones, so that the even ones say how good search is. */
  readonly odd: Quality
  readonly even: Quality
  readonly latency_ms: { readonly p50: number; readonly p95: number }
  readonly memories_per_second: number
  readonly bytes_per_memory: number
}

/** Stores the texts of a collection and searches for each of its queries. */
export function evaluate({ docs, queries }: Collection, mode: RecallMode): Evaluation {
  const orgs = new Map<string, Recall>()
  const started = performance.now()
  for (const [at, { id, text, scope }] of docs.entries()) {
    const index = orgs.get(scope) ?? new Recall()
    orgs.set(scope, index)
    const traits = { key: id, kind: 'memory', position: BigInt(at), at: '1970-01-01T00:00:00.000Z' }
    index.set({ ...traits, fields: [[text, 1]] })
  }
  const seconds = (performance.now() - started) / 1_000
  const measured = queries.map(({ id, text, scope, grades }, at) => {
    const before = performance.now()
    const ranked = (orgs.get(scope)?.search(text, { mode, limit: DEPTH }).hits ?? []).map(({ key }) => key)
    const number = /^[0-9]+$/.test(id) ? Number(id) : at + 1
    return { ranked, grades, isOdd: number % 2 === 1, ms: performance.now() - before }
  })
  const times = measured.map(({ ms }) => ms)
  const bytes = [...orgs.values()].reduce((sum, index) => sum + index.bytes, 0)
  return {
    mode,
    docs: docs.length,
    orgs: orgs.size,
    all: qualityOf(measured),
    odd: qualityOf(measured.filter(({ isOdd }) => isOdd)),
    even: qualityOf(measured.filter(({ isOdd }) => !isOdd)),
    latency_ms: { p50: rounded(percentile(times, 50)), p95: rounded(percentile(times, 95)) },
    memories_per_second: Math.round(docs.length / seconds),
    bytes_per_memory: Math.round(bytes / Math.max(1, docs.length)),
  }
}

type Measured = { readonly ranked: readonly string[]; readonly grades: ReadonlyMap<string, number> }

function qualityOf(measured: readonly Measured[]): Quality {
  const of = (rate: (ranked: readonly string[], grades: Measured['grades']) => number) =>
    rounded(mean(measured.map(({ ranked, grades }) => rate(ranked, grades))))
  return {
    queries: measured.length,
    'ndcg@10': of((ranked, grades) => ndcg(ranked, grades, DEPTH_NDCG)),
    'recall@100': of((ranked, grades) => recall(ranked, grades, DEPTH)),
    mrr: of(reciprocalRank),
    'right@1': of(([first], grades) => (first !== undefined && grades.has(first) ? 1 : 0)),
  }
}

const rounded = (value: number) => Math.round(value * 10_000) / 10_000
