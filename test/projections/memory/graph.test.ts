import { expect } from 'chai'
import { entitiesIn } from '../../../projections/memory/recall/entities.ts'
import { DAMPING, pageRank } from '../../../projections/memory/recall/page-rank.ts'
import { firstPath, neighbourhood, type Relation } from '../../../projections/memory/recall/paths.ts'
import { randomOf } from '../history.ts'

describe('memory: PageRank', () => {
  it('is what solving the equations gives, from everywhere and from chosen nodes', () => {
    const random = randomOf(70)
    for (let round = 0; round < 20; round += 1) {
      const nodes = 2 + random(8)
      const edges = Array.from({ length: random(20) }, () => [random(nodes), random(nodes)] as const)
      const [from, to] = [edges.map(([a]) => a), edges.map(([, b]) => b)]
      const starts =
        random(2) === 0
          ? undefined
          : new Map([
              [random(nodes), 1 + random(3)],
              [0, 2],
            ])
      const ranks = pageRank({ nodes, from, to }, starts)
      expect(ranks.reduce((sum, rank) => sum + rank, 0)).to.be.closeTo(1, 1e-9)
      for (const [node, rank] of solved(nodes, edges, starts).entries()) expect(ranks[node]).to.be.closeTo(rank, 1e-9)
    }
  })

  it('has no ranks where there are no nodes', () => expect(pageRank({ nodes: 0, from: [], to: [] })).to.have.length(0))
})

describe('memory: entities of texts', () => {
  it('are found in long runs of letters about as fast as in words', () => {
    const timeOf = (text: string) => {
      const times = Array.from({ length: 5 }, () => {
        const begun = performance.now()
        entitiesIn(text)
        return performance.now() - begun
      })
      return Math.min(...times)
    }
    const words = timeOf(`in ${'Anna Meier met Ben. '.repeat(1_000)}`)
    for (const run of ['A', 'A\u0301', 'Ab-', "A'a"]) {
      expect(timeOf(`in ${run.repeat(20_000 / run.length)}`), run).to.be.below(10 * words + 20)
    }
  })
})

describe('memory: ways in time', () => {
  const relation = (from: string, to: string, since?: string, until?: string): Relation => ({
    from,
    type: 'knows',
    to,
    since,
    until,
    memory: `${from}${to}`,
  })
  const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00.000Z`

  it('takes no step before the one before it', () => {
    const late = relation('a', 'b', day(9))
    const relations = [
      late,
      relation('b', 'c', day(1), day(5)),
      relation('b', 'd', day(1)),
      relation('d', 'c', day(12)),
    ]
    const way = firstPath(relations, 'a', 'c')!
    expect(way.map(step => [step.relation.to, step.at])).to.deep.equal([
      ['b', day(9)],
      ['d', day(9)],
      ['c', day(12)],
    ])
    expect(firstPath([late, relations[1]!], 'a', 'c')).to.equal(undefined)
    expect(firstPath(relations, 'a', 'a')).to.deep.equal([])
  })

  it('arrives as early as any way of all ways does', () => {
    const random = randomOf(71)
    for (let round = 0; round < 60; round += 1) {
      const relations = Array.from({ length: 12 }, () => {
        const since = 1 + random(9)
        const name = () => 'abcde'[random(5)]!
        return relation(name(), name(), day(since), random(2) === 0 ? undefined : day(since + 1 + random(5)))
      })
      const arrivals = [...ways(relations, 'a', 'e', '')].sort()
      expect(firstPath(relations, 'a', 'e')?.at(-1)?.at).to.equal(arrivals[0])
    }
  })

  it('knows what is near at a time, in both directions', () => {
    const relations = [relation('a', 'b', day(1), day(3)), relation('c', 'a', day(2)), relation('c', 'd', day(2))]
    const at = (time: string, steps: number) => neighbourhood(relations, 'a', time, steps).map(({ memory }) => memory)
    expect(at(day(1), 2)).to.deep.equal(['ab'])
    expect(at(day(2), 1)).to.deep.equal(['ab', 'ca'])
    expect(at(day(3), 2)).to.deep.equal(['ca', 'cd'])
  })
})

/** Arrivals of all ways without repeated relations. */
function* ways(relations: readonly Relation[], from: string, to: string, at: string): Generator<string> {
  for (const [n, { from: source, to: target, since, until }] of relations.entries()) {
    const taken = since !== undefined && since > at ? since : at
    if (source !== from || (until !== undefined && taken >= until)) continue
    if (target === to) yield taken
    else yield* ways(relations.toSpliced(n, 1), target, to, taken)
  }
}

/** PageRank by Gauss's elimination of (I - d·P)·r = (1 - d)·s. */
function solved(nodes: number, edges: readonly (readonly [number, number])[], starts?: ReadonlyMap<number, number>) {
  const all = starts ? [...starts.values()].reduce((sum, weight) => sum + weight, 0) : nodes
  const begin = Array.from({ length: nodes }, (_, node) => (starts ? (starts.get(node) ?? 0) : 1) / all)
  const out = begin.map((_, node) => edges.filter(([from]) => from === node).length)
  const passes = (from: number, to: number) =>
    out[from] === 0 ? begin[to]! : edges.filter(([a, b]) => a === from && b === to).length / out[from]!
  const rows = begin.map((value, to) => [
    ...begin.map((_, from) => (from === to ? 1 : 0) - DAMPING * passes(from, to)),
    (1 - DAMPING) * value,
  ])
  for (let at = 0; at < nodes; at += 1) {
    const pivot = rows.slice(at).reduce((best, row) => (Math.abs(row[at]!) > Math.abs(best[at]!) ? row : best))
    rows.splice(rows.indexOf(pivot), 1, rows[at]!)
    rows[at] = pivot
    for (const row of rows) {
      if (row === pivot) continue
      const factor = row[at]! / pivot[at]!
      for (let n = at; n <= nodes; n += 1) row[n] = row[n]! - factor * pivot[n]!
    }
  }
  return rows.map((row, at) => row[nodes]! / row[at]!)
}
