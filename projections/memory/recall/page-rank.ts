/** PageRank (Page, Brin, Motwani and Winograd 1999) of a directed graph, from everywhere or from chosen nodes. */

/** How much of its rank a node passes on; the rest begins anew. */
export const DAMPING = 0.85
/** The sum of all changes of a round at which the ranks stand. */
const TOLERANCE = 1e-12
const ROUNDS_MAX = 1_000

/** Edges by the numbers of their nodes, `0` to `nodes - 1`; an edge that is there twice counts twice. */
export type Edges = { readonly nodes: number; readonly from: readonly number[]; readonly to: readonly number[] }

/**
 * The rank of every node; all together are 1. `starts` says where the walks begin and begin anew, with which weight;
 * without it everywhere. A node without edges passes its rank on to where walks begin.
 */
export function pageRank({ nodes, from, to }: Edges, starts?: ReadonlyMap<number, number>): Float64Array {
  if (nodes === 0) return new Float64Array(0)
  const begin = beginningsOf(nodes, starts)
  const degrees = new Uint32Array(nodes)
  for (const node of from) degrees[node] = degrees[node]! + 1
  let ranks = begin.slice()
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const passed = new Float64Array(nodes)
    let ended = 0
    for (let node = 0; node < nodes; node += 1) if (degrees[node] === 0) ended += ranks[node]!
    for (let edge = 0; edge < from.length; edge += 1) {
      const [source, target] = [from[edge]!, to[edge]!]
      passed[target] = passed[target]! + ranks[source]! / degrees[source]!
    }
    let change = 0
    for (let node = 0; node < nodes; node += 1) {
      const rank = DAMPING * (passed[node]! + ended * begin[node]!) + (1 - DAMPING) * begin[node]!
      change += Math.abs(rank - ranks[node]!)
      passed[node] = rank
    }
    ranks = passed
    if (change < TOLERANCE) break
  }
  return ranks
}

function beginningsOf(nodes: number, starts: ReadonlyMap<number, number> | undefined): Float64Array {
  if (!starts || starts.size === 0) return new Float64Array(nodes).fill(1 / nodes)
  const begin = new Float64Array(nodes)
  const all = [...starts.values()].reduce((sum, weight) => sum + weight, 0)
  for (const [node, weight] of starts) begin[node] = weight / all
  return begin
}
