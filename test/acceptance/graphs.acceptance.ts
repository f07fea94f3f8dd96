/** PageRank of a real graph, as independent programs have it. */
import { expect } from 'chai'
import { pageRank } from '../../projections/memory/recall/page-rank.ts'
import { csv, dataSet } from './data-sets.ts'

const TOLERANCE = 1e-9

describe('graphs: who writes to whom', function () {
  const name = 'email_eu_core'
  const set = dataSet(this, 'graphs', `${name}.csv`, `${name}.pagerank.csv`)
  const oracle = set.oracle?.[name]
  const edges = set.oracle ? csv(set.text(`${name}.csv`)) : []
  const names = [...new Set(edges.flatMap(({ from, to }) => [from!, to!]))]
  const numbers = new Map(names.map((node, number) => [node, number]))
  const once = [
    ...new Map(edges.map(({ from, to }) => [`${from} ${to}`, [numbers.get(from!)!, numbers.get(to!)!]])).values(),
  ]

  it('has the published ranks', () => {
    const graph = { nodes: names.length, from: once.map(([from]) => from!), to: once.map(([, to]) => to!) }
    expect([graph.nodes, graph.from.length]).to.deep.equal([oracle.nodes, oracle.edges])
    const ranks = pageRank(graph)
    const published = new Map(csv(set.text(`${name}.pagerank.csv`)).map(row => Object.values(row) as [string, string]))
    let most = 0
    for (const [node, rank] of published) {
      most = Math.max(most, Math.abs(ranks[numbers.get(node)!]! - Number(rank) / 1e12))
    }
    expect(most).to.be.below(TOLERANCE)
    const ordered = [...names].sort((a, b) => ranks[numbers.get(b)!]! - ranks[numbers.get(a)!]!)
    expect(ordered.slice(0, 10).map(Number)).to.deep.equal(oracle.top10)
  })
})
