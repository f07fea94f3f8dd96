import { expect } from 'chai'
import fc from 'fast-check'
import { criticalPath } from '../../../../domain/center/plan/critical-path.ts'
import { levelled, type ResourceNetwork } from '../../../../domain/center/plan/levelling.ts'
import { LINK_KINDS, type Link, type Network } from '../../../../domain/center/plan/network.ts'

const LONG = process.env.KOGI_LONG === '1'

/** Networks of jobs in which links lead from earlier to later places: without circles, in any other order too. */
function networks(kinds: readonly Link['kind'][], lags: fc.Arbitrary<number>): fc.Arbitrary<Network> {
  return fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 }).chain(durations => {
    const job = fc.integer({ min: 0, max: durations.length - 1 })
    const link = fc
      .tuple(job, job, fc.constantFrom(...kinds), lags)
      .filter(([a, b]) => a !== b)
      .map(([a, b, kind, lag]) => ({ from: Math.max(a, b), to: Math.min(a, b), kind, lag }))
    const links = durations.length === 1 ? fc.constant([]) : fc.array(link, { maxLength: 20 })
    return links.map(found => ({ durations, links: found }))
  })
}

/** Whether starts keep a link, by the ends that it is about. */
function isKept({ from, to, kind, lag }: Link, starts: readonly number[], durations: readonly number[]): boolean {
  const end = (job: number) => starts[job]! + durations[job]!
  const first = kind.startsWith('finish') ? end(from) : starts[from]!
  const second = kind.endsWith('finish') ? end(to) : starts[to]!
  return second >= first + lag
}

describe('the critical path', () => {
  const all = networks(LINK_KINDS, fc.integer({ min: -5, max: 5 }))

  it('is that of a textbook', () => {
    const links = [
      [0, 1],
      [0, 2],
      [1, 3],
      [2, 3],
    ].map(([from, to]) => ({ from: from!, to: to!, kind: 'finish_start' as const, lag: 0 }))
    expect(criticalPath({ durations: [3, 2, 4, 1], links })).to.deep.equal({
      length: 8,
      earliest: [0, 3, 3, 7],
      latest: [0, 5, 3, 7],
      slack: [0, 2, 0, 0],
    })
  })

  it('refuses a circle', () => {
    const link = { kind: 'finish_start', lag: 0 } as const
    const links = [
      { from: 0, to: 1, ...link },
      { from: 1, to: 0, ...link },
    ]
    expect(() => criticalPath({ durations: [1, 1], links })).to.throw('circle')
  })

  it('keeps every link, as early and as late as can be', () => {
    fc.assert(
      fc.property(all, network => {
        const { durations, links } = network
        const { length, earliest, latest, slack } = criticalPath(network)
        expect(length).to.equal(Math.max(...earliest.map((start, job) => start + durations[job]!)))
        for (const starts of [earliest, latest]) {
          for (const link of links) expect(isKept(link, starts, durations)).to.equal(true)
        }
        for (const job of durations.keys()) {
          const sooner = earliest.with(job, earliest[job]! - 1)
          const isBound = earliest[job] === 0 || links.some(link => link.to === job && !isKept(link, sooner, durations))
          expect(isBound, 'as early as can be').to.equal(true)
          const later = latest.with(job, latest[job]! + 1)
          const isLast = latest[job]! + durations[job]! === length
          expect(isLast || links.some(link => link.from === job && !isKept(link, later, durations))).to.equal(true)
          // Later by its slack, a job makes the whole no longer; by more it does.
          const moved = criticalPath(startingAt(network, job, earliest[job]! + slack[job]!)).length
          const beyond = criticalPath(startingAt(network, job, earliest[job]! + slack[job]! + 1)).length
          expect([moved, beyond > length]).to.deep.equal([length, true])
        }
        expect(Math.min(...slack)).to.equal(0)
      }),
      { numRuns: LONG ? 3_000 : 100 },
    )
  })
})

/** The network with a job that starts no sooner than a time: it waits for another one that lasts so long. */
const startingAt = ({ durations, links }: Network, job: number, time: number): Network => ({
  durations: [...durations, time],
  links: [...links, { from: durations.length, to: job, kind: 'finish_start', lag: 0 }],
})

describe('levelling', () => {
  const networksOfResources: fc.Arbitrary<ResourceNetwork> = networks(
    LINK_KINDS,
    fc.integer({ min: -3, max: 3 }),
  ).chain(network =>
    fc
      .tuple(
        fc.array(fc.tuple(fc.tuple(fc.constant(0), fc.nat(3)), fc.tuple(fc.constant(1), fc.nat(2))), {
          minLength: network.durations.length,
          maxLength: network.durations.length,
        }),
        fc.tuple(fc.integer({ min: 3, max: 5 }), fc.integer({ min: 2, max: 4 })),
      )
      .map(([needs, capacities]) => ({ ...network, needs, capacities })),
  )

  it('keeps links and capacities, and the same seed gives the same', () => {
    fc.assert(
      fc.property(networksOfResources, fc.nat(), (network, seed) => {
        const { durations, links, needs, capacities } = network
        const { length, starts } = levelled(network, { tries: 10, seed })
        expect(levelled(network, { tries: 10, seed })).to.deep.equal({ length, starts })
        for (const link of links) expect(isKept(link, starts, durations)).to.equal(true)
        expect(length).to.equal(Math.max(...starts.map((start, job) => start + durations[job]!)))
        expect(length).to.be.at.least(criticalPath(network).length)
        for (let time = 0; time < length; time += 1) {
          for (const [resource, capacity] of capacities.entries()) {
            const running = starts.flatMap((start, job) =>
              start <= time && time < start + durations[job]! ? [needs[job]![resource]![1]] : [],
            )
            expect(running.reduce((sum, units) => sum + units, 0)).to.be.at.most(capacity)
          }
        }
      }),
      { numRuns: LONG ? 2_000 : 60 },
    )
  })

  it('does one thing after another where there is one to do it', () => {
    const { length } = levelled(
      { durations: [2, 3, 4], links: [], needs: [[[0, 1]], [[0, 1]], [[0, 1]]], capacities: [1] },
      { tries: 0, seed: 1 },
    )
    expect(length).to.equal(9)
  })

  it('looks no longer than it may, and keeps its promises then', () => {
    const jobs = Array.from({ length: 2_000 }, (_, job) => job)
    const network: ResourceNetwork = {
      durations: jobs.map(job => 1 + (job % 7)),
      links: jobs.slice(1).map(job => ({ from: job >> 1, to: job, kind: 'finish_start', lag: job % 5 })),
      needs: jobs.map(job => [[(job * 31) % 500, 1]]),
      capacities: Array(500).fill(1),
    }
    const { length, starts } = levelled(network, { tries: 1_000_000, seed: 1, steps: 100_000 })
    for (const link of network.links) expect(isKept(link, starts, network.durations)).to.equal(true)
    expect(length).to.be.at.least(criticalPath(network).length)
  })

  it('refuses a job that needs more than there is', () =>
    expect(() =>
      levelled({ durations: [1], links: [], needs: [[[0, 2]]], capacities: [1] }, { tries: 0, seed: 1 }),
    ).to.throw('needs too much'))
})
