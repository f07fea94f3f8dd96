/** How good a ranking is, by judgements (Järvelin and Kekäläinen 2002 for nDCG). */

/** Texts by how well they answer. */
export type Grades = ReadonlyMap<string, number>

const gain = (grade: number, at: number) => grade / Math.log2(at + 2)

/** Discounted gain of the first `depth` texts, in parts of the best possible one. */
export function ndcg(ranked: readonly string[], grades: Grades, depth: number): number {
  const found = ranked.slice(0, depth).reduce((sum, id, at) => sum + gain(grades.get(id) ?? 0, at), 0)
  const ideal = [...grades.values()].sort((a, b) => b - a).slice(0, depth)
  return found / ideal.reduce((sum, grade, at) => sum + gain(grade, at), 0)
}

/** The part of the right texts that is among the first `depth`. */
export const recall = (ranked: readonly string[], grades: Grades, depth: number): number =>
  ranked.slice(0, depth).filter(id => grades.has(id)).length / grades.size

/** 1 by the place of the first right text; 0 where there is none. */
export function reciprocalRank(ranked: readonly string[], grades: Grades): number {
  const at = ranked.findIndex(id => grades.has(id))
  return at < 0 ? 0 : 1 / (at + 1)
}

/** The value below which so many of 100 are; 0 of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0
}

export const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
