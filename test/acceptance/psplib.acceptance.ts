import { expect } from 'chai'
import { criticalPath } from '../../domain/center/plan/critical-path.ts'
import { levelled, type ResourceNetwork } from '../../domain/center/plan/levelling.ts'
import { checksum, dataSet } from './data-sets.ts'

type Project = {
  readonly id: string
  readonly set: string
  readonly cap: readonly number[]
  readonly jobs: readonly {
    readonly id: number
    readonly d: number
    readonly r: readonly number[]
    readonly s: readonly number[]
  }[]
  readonly printed_cpm: number | null
  readonly optimum: number
}

/** How far beyond the proven optimum a plan may be. */
const BEYOND_MAX = 0.1

const networkOf = ({ cap, jobs }: Project): ResourceNetwork => {
  const places = new Map(jobs.map(({ id }, at) => [id, at]))
  return {
    durations: jobs.map(({ d }) => d),
    links: jobs.flatMap(({ s }, from) =>
      s.map(to => ({ from, to: places.get(to)!, kind: 'finish_start' as const, lag: 0 })),
    ),
    needs: jobs.map(({ r }) => r.flatMap((units, resource) => (units > 0 ? [[resource, units] as const] : []))),
    capacities: cap,
  }
}

describe('psplib: networks with proven answers', function () {
  const set = dataSet(this, 'psplib', 'projects.jsonl')
  const lines = set.oracle ? set.text('projects.jsonl').trimEnd().split('\n') : []
  const projects = lines.map(line => JSON.parse(line) as Project)
  const named = (value: (project: Project) => number) =>
    projects.map(project => `${project.set}/${project.id},${value(project)}`)

  it('have the longest paths and the slack of the source', () => {
    expect(projects).to.have.length(set.oracle.projects)
    const paths = new Map(projects.map(project => [project, criticalPath(networkOf(project))]))
    for (const [{ id, printed_cpm: printed }, { length }] of paths)
      if (printed !== null) expect(length, id).to.equal(printed)
    expect(checksum(named(project => paths.get(project)!.length))).to.equal(set.oracle.sha256_cpm)
    const slack = (project: Project) => paths.get(project)!.slack.reduce((sum, each) => sum + each, 0)
    expect(checksum(named(slack))).to.equal(set.oracle.sha256_slack)
  })

  it('are planned within their resources, never better than the optimum, and near it', () => {
    expect(checksum(named(({ optimum }) => optimum))).to.equal(set.oracle.sha256_optimum)
    let [planned, best, worst] = [0, 0, 0]
    for (const project of projects) {
      const network = networkOf(project)
      const { length, starts } = levelled(network, { tries: 200, seed: 1 })
      mustFit(project, network, starts)
      expect(length, `${project.set} ${project.id}`).to.be.at.least(project.optimum)
      if (project.set !== 'j30') continue
      planned += length
      best += project.optimum
      worst = Math.max(worst, length / project.optimum - 1)
      expect(length, `${project.id}: ${project.optimum}`).to.be.at.most(project.optimum * (1 + BEYOND_MAX))
    }
    console.log(
      `    j30: ${((planned / best - 1) * 100).toFixed(2)} % beyond in all, ${(worst * 100).toFixed(1)} % at most`,
    )
  })
})

/** Checks a plan by a count of its own: every link, and every resource at every time. */
function mustFit({ id }: Project, network: ResourceNetwork, starts: readonly number[]): void {
  const { durations, links, needs, capacities } = network
  for (const { from, to } of links) expect(starts[to], id).to.be.at.least(starts[from]! + durations[from]!)
  const used = new Map<string, number>()
  for (const [job, start] of starts.entries()) {
    for (let time = start; time < start + durations[job]!; time += 1) {
      for (const [resource, units] of needs[job]!) {
        const key = `${time} ${resource}`
        used.set(key, (used.get(key) ?? 0) + units)
      }
    }
  }
  for (const [key, units] of used)
    expect(units, `${id} at ${key}`).to.be.at.most(capacities[Number(key.split(' ')[1])]!)
}
