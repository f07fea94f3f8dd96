import { expect } from 'chai'
import { changeOf } from '../../../projections/memory/insights/dominant.ts'
import { insightsOf } from '../../../projections/memory/insights/insights.ts'
import { recurringOf } from '../../../projections/memory/insights/rhythm.ts'
import { Recall, type Recalled } from '../../../projections/memory/recall/recall.ts'
import { randomOf } from '../history.ts'

const WORDS = 'invoice harbour ships navy studio travel bread salt Anna Meier Berlin client letter'.split(' ')
const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)

function memoriesOf(seed: number, count: number): Recalled[] {
  const random = randomOf(seed)
  return Array.from({ length: count }, (_, n) => ({
    key: `note/${n}`,
    kind: ['note', 'task'][random(2)]!,
    position: BigInt(n),
    at: new Date(START + random(60) * DAY + random(24) * 3_600_000).toISOString(),
    source: `s${random(9)}`,
    ...(random(2) === 0 && { session: `chat-${random(4)}` }),
    fields: [[Array.from({ length: 2 + random(9) }, () => WORDS[random(WORDS.length)]).join(' '), 1]],
  }))
}

function indexOf(memories: readonly Recalled[]): Recall {
  const index = new Recall()
  for (const memory of memories) index.set(memory)
  return index
}

describe('memory: insights', () => {
  it('are the same however the memories came, and count those alone that are open', () => {
    for (const seed of [1, 2, 3]) {
      const memories = memoriesOf(seed, 200)
      const whole = insightsOf(indexOf(memories))
      const other = indexOf(memoriesOf(seed + 50, 30).map(memory => ({ ...memory, key: `other/${memory.key}` })))
      for (const memory of [...memories].reverse()) other.set(memory)
      for (let n = 0; n < 30; n += 1) other.delete(`other/note/${n}`)
      expect(insightsOf(other)).to.deep.equal(whole)
      const tasks = memories.filter(({ kind }) => kind === 'task')
      const open = insightsOf(indexOf(memories), { isOpen: ({ kind }) => kind === 'task' })
      expect(open.totals.by_kind).to.deep.equal({ task: tasks.length })
      const { first_at, last_at } = open.totals
      const times = tasks.map(({ at }) => at).sort()
      expect([first_at, last_at]).to.deep.equal([times[0], times.at(-1)])
    }
  })

  it('count as a plain loop does', () => {
    const memories = memoriesOf(7, 300)
    const until = new Date(START + 50 * DAY).toISOString()
    const found = insightsOf(indexOf(memories), { days: 20, until })
    const between = (from: number, to: number) => {
      const inside = (at: string) => Date.parse(at) >= START + from * DAY && Date.parse(at) < START + to * DAY
      return memories.filter(({ at }) => inside(at))
    }
    const [now, before] = [between(30, 50), between(10, 30)]
    const { by_kind: _, ...totals } = found.totals
    const counted = (values: (string | undefined)[]) => new Set(values.filter(value => value !== undefined)).size
    const times = memories.map(({ at }) => at).sort()
    expect(totals).to.deep.equal({
      memories: 300,
      in_period: now.length,
      in_period_before: before.length,
      sources: counted(memories.map(({ kind, source }) => `${kind} ${source}`)),
      sessions: counted(memories.map(({ session }) => session)),
      first_at: times[0],
      last_at: times.at(-1),
    })
    const having = (some: readonly Recalled[], word: string) =>
      some.filter(({ fields }) => fields[0]![0].toLowerCase().split(' ').includes(word)).length
    expect(found.dominant_concepts).to.have.length(WORDS.length)
    for (const { concept, memories: inside, memories_before, share, change } of found.dominant_concepts) {
      expect([inside, memories_before], concept).to.deep.equal([having(now, concept), having(before, concept)])
      expect(share).to.be.closeTo(inside / now.length, 1e-4)
      expect(Math.sign(change) >= 0).to.equal(inside / now.length >= memories_before / before.length)
    }
    const { by_hour, by_weekday } = found.temporal_patterns
    const dates = memories.map(({ at }) => new Date(at))
    for (let hour = 0; hour < 24; hour += 1) {
      expect(by_hour[hour]).to.equal(dates.filter(date => date.getUTCHours() === hour).length)
    }
    for (let day = 0; day < 7; day += 1) {
      expect(by_weekday[day]).to.equal(dates.filter(date => (date.getUTCDay() + 6) % 7 === day).length)
    }
  })

  it('say how two shares differ, as tables of the log-likelihood ratio do', () => {
    // By hand: 2 (10 ln 10/6 + 990 ln 990/994 + 2 ln 2/6 + 998 ln 998/994).
    expect(changeOf(10, 1_000, 2, 1_000)).to.be.closeTo(5.86, 0.01)
    expect(changeOf(2, 1_000, 10, 1_000)).to.be.closeTo(-5.86, 0.01)
    expect([changeOf(5, 100, 10, 200), changeOf(0, 0, 0, 0)]).to.deep.equal([0, 0])
  })

  it('name gaps that come again, and no others', () => {
    expect(recurringOf('entry rent', [0, 30, 61, 91, 122])).to.deep.include({ days: 30, times: 4, gaps: 4 })
    expect(recurringOf('entry rent', [0, 7, 14, 21])).to.deep.include({
      kind: 'entry',
      source: 'rent',
      days: 7,
      last_on: '1970-01-22',
      next_on: '1970-01-29',
    })
    expect(recurringOf('entry odd', [0, 1, 9, 11, 40])).to.equal(undefined)
    expect(recurringOf('entry few', [0, 7, 14])).to.equal(undefined)
  })

  it('group what is about the same, each group with a member that is in the middle of it', () => {
    const topics = ['harbour ships navy fleet sails', 'bread flour salt oven yeast', 'guitar drums stage singer band']
    const random = randomOf(9)
    const index = indexOf(
      Array.from({ length: 60 }, (_, n): Recalled => {
        const words = topics[n % 3]!.split(' ')
        const text = Array.from({ length: 6 }, () => words[random(words.length)]).join(' ')
        return {
          key: `t${n % 3}/${n}`,
          kind: 'note',
          position: 1n,
          at: new Date(START).toISOString(),
          fields: [[text, 1]],
        }
      }),
    )
    const clusters = insightsOf(index).semantic_clusters
    expect(clusters.reduce((sum, { memories }) => sum + memories, 0)).to.equal(60)
    for (const { words, typical } of clusters) {
      const topic = topics[Number(typical.key[1])]!
      for (const word of words) expect(topic.split(' ')).to.include(word)
      expect(typical.cosine).to.be.within(0.5, 1)
    }
    expect(new Set(clusters.map(({ typical }) => typical.key[1])).size).to.equal(3)
  })

  it('show how the company of a word moves', () => {
    const text = (n: number) => (n < 50 ? 'bank river water boat' : 'bank money credit loan')
    const index = indexOf(
      Array.from({ length: 100 }, (_, n): Recalled => {
        const at = new Date(START + n * DAY).toISOString()
        return { key: `m${n}`, kind: 'note', position: BigInt(n), at, fields: [[text(n), 1]] }
      }),
    )
    const [drift] = insightsOf(index, { concept: 'banks' }).concept_drift
    expect(drift!.memories).to.equal(100)
    expect(drift!.windows.map(({ memories }) => memories).reduce((a, b) => a + b)).to.equal(100)
    const moved = drift!.windows.map(({ drift_from_first }) => drift_from_first)
    expect(moved.slice(0, 3)).to.deep.equal([0, 0, 0])
    expect(Math.min(...moved.slice(3))).to.be.above(0.3)
    expect(drift!.windows[0]!.beside).to.include.members(['boat', 'river', 'water'])
    expect(drift!.windows.at(-1)!.beside).to.include.members(['credit', 'loan', 'money'])
    expect(insightsOf(index, { concept: 'nothing' }).concept_drift[0]).to.deep.include({ memories: 0, windows: [] })
  })

  it('of no memories are empty', () => {
    const found = insightsOf(new Recall())
    expect(found.totals.memories).to.equal(0)
    expect([found.dominant_concepts, found.semantic_clusters, found.concept_drift]).to.deep.equal([[], [], []])
  })
})
