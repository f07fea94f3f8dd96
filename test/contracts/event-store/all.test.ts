/** Reads of `$all`: positions, directions and filters. */
import { expect } from 'chai'
import { newStream, overEngines } from './engines.ts'
import { append, type Read, type ReadOptions, read } from './messages.ts'
import { Status } from './raw.ts'

const commits = (reads: Read[]): bigint[] => reads.map(one => one.event!.commit)

overEngines('$all', engine => {
  const refused = engine.isReal ? Status.unknown : Status.invalidArgument
  const prefix = newStream('all')
  const streams = [`${prefix}-a`, `${prefix}-b`, `${prefix}-a`]
  let all: bigint[]

  before(async () => {
    for (const [n, stream] of streams.entries())
      await append(engine.raw, stream, 'any', [{ type: `Type${n}` }, { type: `$type${n}` }, { type: `other${n}` }])
    all = commits((await read(engine.raw, {})).reads)
  })

  const mine = async (filter: ReadOptions['filter'], more: ReadOptions = {}) =>
    (await read(engine.raw, { filter: filter!, ...more })).reads.map(one => one.event!.map.type)

  it('begins with the metadata of $scavenges and hides the epoch', async function () {
    if (engine.isReal) return this.skip() // A server that was used before holds what its users wrote.
    const { reads } = await read(engine.raw, {})
    expect(reads[0]!.event).to.include({ stream: '$$$scavenges', revision: 0n, commit: 546n })
    expect(JSON.parse(reads[0]!.event!.data.toString())).to.deep.equal({
      $maxAge: 2592000,
      $acl: { $r: '$ops', $w: [], $d: [], $mr: [], $mw: [] },
    })
    expect(reads.some(one => one.event!.stream === '$epoch-information')).to.equal(false)
    expect((await read(engine.raw, { stream: '$epoch-information' })).reads[0]!.event).to.include({
      revision: 0n,
      commit: 230n,
    })
  })

  it('gives every event its position, which is also the commit position of the answer', async () => {
    const { reads } = await read(engine.raw, { from: 'end', backwards: true, count: 9 })
    for (const one of reads) {
      expect(one.position).to.equal(one.event!.commit)
      expect(one.event!.prepare).to.equal(one.event!.commit)
    }
    expect([...all].sort((a, b) => (a < b ? -1 : 1))).to.deep.equal(all)
  })

  it('reads inclusively forwards and exclusively backwards', async () => {
    const at = all.at(-4)!
    expect(commits((await read(engine.raw, { from: at })).reads)).to.deep.equal(all.slice(-4))
    expect(commits((await read(engine.raw, { from: at, backwards: true })).reads)).to.deep.equal(
      all.slice(0, -4).reverse(),
    )
    expect(commits((await read(engine.raw, { from: 'end', backwards: true, count: 3 })).reads)).to.deep.equal(
      all.slice(-3).reverse(),
    )
    expect(commits((await read(engine.raw, { from: at, count: 2 })).reads)).to.deep.equal(all.slice(-4, -2))
  })

  it('knows where it begins and ends', async () => {
    const last = all.at(-1)!
    expect(commits((await read(engine.raw, { from: 0n })).reads)).to.deep.equal(all)
    const nothing: ReadOptions[] = [
      { from: 'start', backwards: true },
      { from: 0n, backwards: true },
      { from: 'end' },
      { from: last + 1_000_000n },
    ]
    for (const options of nothing) {
      const answer = await read(engine.raw, options)
      expect([answer.status, answer.reads.length]).to.deep.equal([Status.ok, 0])
    }
    const fromMax = await read(engine.raw, { from: 2n ** 64n - 1n, backwards: true, count: 1 })
    expect(commits(fromMax.reads)).to.deep.equal([last])
  })

  it('refuses positions where no record is', async () => {
    const at = all.at(-4)!
    const answers: ReadOptions[] = [
      { from: at + 1n },
      { from: at + 1n, backwards: true },
      { from: at, prepare: at + 1n },
      { from: all.at(-1)! + 1_000_000n, backwards: true },
    ]
    for (const options of answers) expect((await read(engine.raw, options)).status).to.equal(refused)
    const below = await read(engine.raw, { from: at, prepare: at - 5n, count: 1 })
    expect(commits(below.reads)).to.deep.equal([at])
  })

  it('refuses a read without a count', async () => {
    const answer = await read(engine.raw, { count: 'none' })
    expect(answer.status).to.equal(Status.invalidArgument)
    expect(answer.message).to.equal('The combination of (All, None, Forwards, NoFilter) is invalid.')
  })

  it('filters by prefixes of the stream or the type', async () => {
    expect(await mine({ stream: { prefixes: [`${prefix}-b`] } })).to.deep.equal(['Type1', '$type1', 'other1'])
    expect(await mine({ stream: { prefixes: ['nothing', `${prefix}-b`] } })).to.have.length(3)
    expect(await mine({ stream: { prefixes: [`${prefix}-B`] } })).to.deep.equal([])
    const types = await mine({ type: { prefixes: ['Type', '$type2'] } }, { from: all.at(-9)! })
    expect(types).to.deep.equal(['Type0', 'Type1', 'Type2', '$type2'])
    expect(await mine({ stream: { prefixes: [''] } })).to.have.length(all.length)
    expect(await mine({ stream: {} })).to.deep.equal([])
  })

  it('filters by regular expressions as .NET understands them', async () => {
    const types = (regex: string) => mine({ type: { regex } }, { from: all.at(-9)! })
    expect(await types('^Type')).to.deep.equal(['Type0', 'Type1', 'Type2'])
    expect(await types('pe1$')).to.deep.equal(['Type1', '$type1'])
    expect(await types('(?i)^type')).to.deep.equal(['Type0', 'Type1', 'Type2'])
    expect(await types('^(?!Type|\\$)')).to.deep.equal(['other0', 'other1', 'other2'])
    expect(await types('\\AType\\d\\z')).to.deep.equal(['Type0', 'Type1', 'Type2'])
    expect(await types('^[^$].*')).to.have.length(6)
    const both = { type: { regex: '^other', prefixes: ['Type'] } }
    expect(await mine(both, { from: all.at(-9)! })).to.deep.equal(['other0', 'other1', 'other2'])
    expect((await read(engine.raw, { filter: { type: { regex: '(' } } })).status).to.equal(refused)
  })

  it('counts matches, whatever the window, in both directions', async () => {
    const filter = { stream: { prefixes: [prefix] }, max: 1, multiplier: 0 }
    expect(await mine(filter, { count: 2 })).to.deep.equal(['Type0', '$type0'])
    expect(await mine(filter, { count: 2, from: 'end', backwards: true })).to.deep.equal(['other2', '$type2'])
    expect(await mine({ ...filter, window: 'count' }, { count: 1 })).to.deep.equal(['Type0'])
  })

  it('refuses a filter without a window', async () => {
    const answer = await read(engine.raw, { filter: { stream: { prefixes: ['x'] }, window: 'none' } })
    expect(answer.status).to.equal(Status.invalidArgument)
    expect(answer.message).to.match(/^'None' is not a valid .*WindowOneofCase$/)
  })
})
