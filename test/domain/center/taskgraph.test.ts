import { expect } from 'chai'
import fc from 'fast-check'
import type { events } from '../../../domain/center/taskgraph/messages.ts'
import { FORGET_TIMES, taskGraph } from '../../../domain/center/taskgraph/taskgraph.ts'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { CONTEXT, codeOf, specFor } from '../../support/spec.ts'

type Fact = EventOf<typeof events>

const { given } = specFor(taskGraph)
const how = { type: 'finish_start', lag: 0 } as const
const added = (task: string, dependency: string): Fact => ({
  type: 'DependencyAdded',
  data: { task, dependency, ...how },
})
const gone = (task: string, dependency: string): Fact => ({ type: 'DependencyRemoved', data: { task, dependency } })
const add = (task: string, dependency: string) => ({ task, dependency, ...how })

describe('task graph', () => {
  it('has a dependency once, and changes how it is', () => {
    given().when('addDependency', add('b', 'a')).then(added('b', 'a'))
    given(added('b', 'a')).when('addDependency', add('b', 'a')).changesNothing()
    given(added('b', 'a'))
      .when('addDependency', { ...add('b', 'a'), type: 'start_start', lag: 2 })
      .then({ type: 'DependencyChanged', data: { task: 'b', dependency: 'a', type: 'start_start', lag: 2 } })
  })

  it('has no circles', () => {
    given().when('addDependency', add('a', 'a')).rejects('dependency_circular')
    given(added('b', 'a')).when('addDependency', add('a', 'b')).rejects('dependency_circular')
    given(added('b', 'a'), added('c', 'b')).when('addDependency', add('a', 'c')).rejects('dependency_circular')
    given(added('b', 'a'), added('c', 'b'), gone('c', 'b')).when('addDependency', add('a', 'c')).then(added('a', 'c'))
  })

  it('removes what is there, and all of a task that is gone', () => {
    given(added('b', 'a')).when('removeDependency', { task: 'b', dependency: 'a' }).then(gone('b', 'a'))
    given().when('removeDependency', { task: 'b', dependency: 'a' }).rejects('dependency_unknown')
    given(added('b', 'a'), added('c', 'b'), added('d', 'a'))
      .when('forgetTask', { task: 'b' })
      .then(gone('b', 'a'), gone('c', 'b'))
    given().when('forgetTask', { task: 'b' }).changesNothing()
  })

  it('forgets a task that many depend on in parts, and lets no more depend on one than it can forget', () => {
    let graph = taskGraph.initial
    const apply = (facts: readonly Fact[]) => {
      for (const { type, data } of facts) graph = taskGraph.evolve[type](graph, data as never, CONTEXT.at)
      return facts.length
    }
    const depend = (n: number) => () => taskGraph.decide.addDependency(graph, add(`t${n}`, 'a'), CONTEXT)
    for (let n = 0; n < 2_000; n += 1) apply(depend(n)())
    expect(codeOf(depend(2_000))).to.equal('dependencies_too_many')
    let times = 0
    for (let some = 1; some > 0; times += 1) {
      some = apply(taskGraph.decide.forgetTask(graph, { task: 'a' }, CONTEXT))
      expect(some).to.be.at.most(250)
    }
    expect(graph.count).to.equal(0)
    // Of a log from before there was a limit for one task all of 200,000 may be its own.
    expect(FORGET_TIMES).to.equal(800)
    expect(times - 1).to.be.at.most(FORGET_TIMES)
  })

  it('accepts exactly what leaves an order, as a naive search says', () => {
    const node = fc.constantFrom(...'abcdefgh')
    const commands = fc.array(fc.tuple(node, node, fc.integer({ min: 0, max: 3 })), { maxLength: 60 })
    fc.assert(
      fc.property(commands, tried => {
        let graph = taskGraph.initial
        const edges = new Set<string>()
        for (const [task, dependency, kind] of tried) {
          const isRemoval = kind === 0 && edges.has(task + dependency)
          const decided = () =>
            isRemoval
              ? taskGraph.decide.removeDependency(graph, { task, dependency }, CONTEXT)
              : taskGraph.decide.addDependency(graph, add(task, dependency), CONTEXT)
          const isCircular = !isRemoval && (task === dependency || reaches(edges, dependency, task))
          if (isCircular) {
            expect(codeOf(decided)).to.equal('dependency_circular')
            continue
          }
          for (const { type, data } of decided()) {
            graph = taskGraph.evolve[type](graph, data as never, CONTEXT.at)
            if (type === 'DependencyRemoved') edges.delete(task + dependency)
            else edges.add(task + dependency)
          }
          expect(graph.count).to.equal(edges.size)
        }
      }),
      { numRuns: process.env.KOGI_LONG ? 2_000 : 60 },
    )
  })
})

/** Whether a task depends on another one, directly or not. */
const reaches = (edges: ReadonlySet<string>, from: string, to: string): boolean =>
  [...edges].some(([task, next]) => task === from && (next === to || reaches(edges, next!, to)))
