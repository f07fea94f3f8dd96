/** Connections of the lean reader of `$all`: TLS, other nodes, closing. */
import { readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { eventLog } from '../../infra/event-store/reader.ts'
import { certificates } from './certificates.ts'
import { FakeNode, POSITIONS } from './fake-node.ts'
import { expectNothingLeft, followPast, socketsTo, timers, until, watched } from './watched-reader.ts'

const prefixes = ['task-']

describe('the lean reader: TLS', () => {
  let folder: string
  let node: FakeNode
  const file = (name: string) => path.join(folder, name)

  before(async function certify() {
    folder = (await certificates()) ?? this.skip()
    node = await FakeNode.start({ key: await readFile(file('node.key')), cert: await readFile(file('node.pem')) })
  })
  after(async () => {
    await node?.close()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  it('reads from a node whose authority the connection string names, with its credentials', async () => {
    const credentials = `${encodeURIComponent('an:admin')}:${encodeURIComponent('pässwörd:@/')}`
    const url = `esdb://${credentials}@localhost:${node.port}?tlsCAFile=${encodeURIComponent(file('ca.pem'))}`
    expect(await followPast(url)).to.deep.equal([])
    const [, sent] = /^Basic (.*)$/.exec(node.asked.at(-1)!.authorization!)!
    expect(Buffer.from(sent!, 'base64').toString()).to.equal('an:admin:pässwörd:@/')
  })

  const refused: Readonly<Record<string, readonly [at: () => string, says: RegExp]>> = {
    'a node without a trusted certificate': [() => `localhost:${node.port}`, /certificate/],
    'a node of another name': [() => `127.0.0.1:${node.port}?tlsCAFile=${file('ca.pem')}`, /altnames/],
    'a file that is not there': [
      () => `localhost:${node.port}?tlsCAFile=${file('none.pem')}`,
      /no such file|not found/,
    ],
    'a node without TLS': [() => `localhost:${node.port}?tls=false`, /Protocol error|closed|broke off|ECONNRESET/],
  }
  for (const [what, [at, says]] of Object.entries(refused)) {
    it(`refuses ${what}, and says why`, async () => {
      await turn()
      const timersBefore = timers()
      const message = await ended(`esdb://${at()}`)
      expect(message).to.match(says)
      await expectNothingLeft(node.port, timersBefore)
    })
  }

  /** How a subscription ended, or could not even be made. */
  async function ended(url: string): Promise<string> {
    try {
      const { ends } = watched(url)
      await until(() => ends.length > 0, 'the end')
      return ends.join()
    } catch (error) {
      return (error as Error).message
    }
  }
})

describe('the lean reader: nodes', () => {
  it('reports a port that is closed, under a name of several addresses too', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    await new Promise(resolve => server.close(resolve))
    for (const host of ['127.0.0.1', 'localhost']) {
      const { ends } = watched(`esdb://${host}:${port}?tls=false`)
      await until(() => ends.length > 0, 'the end')
      expect(ends.join()).to.contain('ECONNREFUSED')
    }
  })

  it('goes on at another node of the cluster when the one it reads from has died', async () => {
    const [first, second] = [await FakeNode.start(), await FakeNode.start()]
    const members = (leader: FakeNode) => [first, second].map(({ port }) => ({ port, leads: port === leader.port }))
    first.members = members(first)
    second.members = members(first)
    first.fault = ({ begin, node }) => {
      begin()
      second.members = members(second)
      setTimeout(() => void node.close(), 30)
    }
    try {
      const wrong = await followPast(`esdb://127.0.0.1:${first.port},127.0.0.1:${second.port}?tls=false`)
      expect(wrong.length).to.be.greaterThan(0)
      expect([first.asked.length, second.asked.length]).to.deep.equal([1, 1])
    } finally {
      await first.close()
      await second.close()
    }
  })
})

describe('the lean reader: closing', () => {
  let node: FakeNode
  beforeEach(async () => {
    node = await FakeNode.start()
  })
  afterEach(() => node.close())

  it('leaves nothing behind and says nothing, whenever it is closed', async () => {
    await turn()
    const timersBefore = timers()
    for (const waitMs of [-1, 0, 1, 2, 5, 10, 20, 40]) {
      const seen = watched(node.url)
      if (waitMs >= 0) await sleep(waitMs)
      const sockets = socketsTo(node.port)
      seen.close()
      await expectNothingLeft(node.port, timersBefore)
      expect(seen.ends).to.deep.equal([])
      if (waitMs === 40) expect(sockets).to.equal(1)
    }
  })

  it('delivers nothing more once it was closed, also of what had arrived with it', async () => {
    const positions: bigint[] = []
    const seen = watched(node.url, {
      onMessage: message => {
        if (message.kind === 'event') positions.push(message.event.position)
        seen.close()
        return true
      },
    })
    await until(() => positions.length > 0, 'an event')
    await sleep(30)
    expect(positions).to.deep.equal([POSITIONS[0]])
    expect(seen.ends).to.deep.equal([])
  })

  it('waits while no more is wanted, and goes on when it is', async () => {
    const positions: bigint[] = []
    let wanted = false
    const seen = watched(node.url, {
      onMessage: message => {
        if (message.kind === 'event') positions.push(message.event.position)
        return wanted
      },
    })
    await until(() => positions.length > 0, 'an event')
    wanted = true
    seen.resume()
    await until(() => positions.length === POSITIONS.length, 'all events')
    seen.close()
  })

  it('ends readers of both kinds with the log that they read', async () => {
    node.fault = ({ begin }) => begin()
    const log = eventLog({ url: node.url, prefixes })
    const read = async () => {
      for await (const _ of log.read({ after: 0n, to: 600n, max: 1 }));
    }
    const follow = async () => {
      for await (const _ of log.follow({ after: 0n, max: () => 1, signal: new AbortController().signal }));
      return 'ended'
    }
    const readers = [read().catch(error => error.name), follow()]
    await until(() => node.asked.length === 2, 'both readers')
    await log.close()
    expect(await Promise.all(readers)).to.deep.equal(['AbortError', 'ended'])
  })

  it('reads nothing for a signal that was aborted before', async () => {
    const log = eventLog({ url: node.url, prefixes })
    const lists = log.read({ after: 0n, to: 600n, max: 1, signal: AbortSignal.abort() })
    const error = await lists[Symbol.asyncIterator]()
      .next()
      .catch(error => error)
    expect(error.name).to.equal('AbortError')
    expect(node.asked).to.deep.equal([])
    await log.close()
  })
})
