/** A bounded read is whole or fails, also on a node that lags behind the leader. */
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { eventLog } from '../../infra/event-store/reader.ts'
import { patient } from '../support/pace.ts'
import { CAUGHT_UP, type Call, FakeNode, POSITIONS } from './fake-node.ts'
import { expectNothingLeft, PATIENCE_MS, timers } from './watched-reader.ts'

const LAG_MS = 150
/** Long enough for what a node has to be delivered. */
const IMPATIENT_MS = patient(250)

/** Says after two events that these are all, and sends the others later. */
const lagging = ({ stream, begin, rest }: Call) => {
  begin()
  stream.write(CAUGHT_UP)
  setTimeout(() => stream.write(rest), LAG_MS)
}
/** Says after two events that these are all, and sends no other. */
const stuck = ({ stream, begin }: Call) => {
  begin()
  stream.write(CAUGHT_UP)
}

describe('the lean reader: up to a position', () => {
  let node: FakeNode
  beforeEach(async () => {
    node = await FakeNode.start()
  })
  afterEach(() => node.close())

  async function read(to: bigint, { timeoutMs = patient(PATIENCE_MS), max = 10 } = {}) {
    await turn()
    const timersBefore = timers()
    const log = eventLog({ url: node.url, prefixes: ['task-'], timeoutMs })
    const found: bigint[] = []
    let error: string | undefined
    try {
      for await (const list of log.read({ after: 0n, to, max })) found.push(...list.map(({ position }) => position))
    } catch (thrown) {
      error = (thrown as Error).message
    }
    await log.close()
    await expectNothingLeft(node.port, timersBefore)
    return { found, error, calls: node.asked.length }
  }

  it('asks once where the event there, or a later one, is delivered', async () => {
    expect(await read(600n)).to.deep.equal({ found: POSITIONS, error: undefined, calls: 1 })
    expect(await read(450n)).to.deep.equal({ found: POSITIONS.slice(0, 4), error: undefined, calls: 2 })
  })

  for (const max of [1, 10]) {
    it(`waits for what a lagging node delivers later, in lists of ${max}`, async () => {
      node.fault = lagging
      expect(await read(600n, { max })).to.deep.equal({ found: POSITIONS, error: undefined, calls: 2 })
    })
  }

  it('waits for the last event where no event stands at the position', async () => {
    node.fault = lagging
    expect(await read(450n)).to.deep.equal({ found: POSITIONS.slice(0, 4), error: undefined, calls: 2 })
  })

  it('ends where nothing is missing, without waiting for a later event', async () => {
    node.fault = stuck
    expect(await read(250n)).to.deep.equal({ found: [100n, 200n], error: undefined, calls: 2 })
  })

  it('fails where what is missing does not come', async () => {
    node.fault = stuck
    const error = `the event store did not come as far as position 400 within ${IMPATIENT_MS} ms`
    expect(await read(450n, { timeoutMs: IMPATIENT_MS })).to.deep.equal({ found: [100n, 200n], error, calls: 2 })
  })

  it('asks a node that lags for the end until it has come as far', async () => {
    node.fault = lagging
    node.known = 2
    setTimeout(() => {
      node.known = POSITIONS.length
    }, LAG_MS)
    const { found, error } = await read(600n)
    expect({ found, error }).to.deep.equal({ found: POSITIONS, error: undefined })
  })

  it('fails where no node comes as far', async () => {
    node.fault = stuck
    node.known = 2
    const { found, error } = await read(600n, { timeoutMs: IMPATIENT_MS })
    expect(found).to.deep.equal([100n, 200n])
    expect(error).to.equal(`the event store did not come as far as position 600 within ${IMPATIENT_MS} ms`)
  })
})
