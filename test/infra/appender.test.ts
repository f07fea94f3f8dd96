/** The lean appender on nodes that fail: what is unknown stays so, nothing is sent twice, the next append works. */
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { EventStoreDBClient } from '@eventstore/db-client'
import { expect } from 'chai'
import type { KogiError } from '../../domain/kernel/errors.ts'
import type { Appender } from '../../infra/event-store/appender.ts'
import { leanAppender } from '../../infra/event-store/lean-appender.ts'
import { frame, pb } from '../contracts/event-store/raw.ts'
import { patient } from '../support/pace.ts'
import { certificates } from './certificates.ts'
import { Appends, type Arrived, oneEvent } from './fake-appends.ts'
import { FakeNode } from './fake-node.ts'
import { expectNothingLeft, timers, until } from './watched-reader.ts'

const TIMEOUT_MS = 5_000
const shortMs = () => patient(150) // long enough for an answer on this machine

describe('the lean appender', () => {
  let node: FakeNode
  let appends: Appends
  let appender: Appender
  const open = (url: string, timeoutMs = TIMEOUT_MS) => {
    appender?.close()
    appender = leanAppender({ url, client: EventStoreDBClient.connectionString(url), timeoutMs })
    return appender
  }
  /** Appends to a stream, and says how that went: a revision, or the code and the cause of the error. */
  const append = (name: string) =>
    appender.append(name, -1n, oneEvent()).then(
      ({ revision }) => String(revision),
      (error: KogiError) => `${error.code}: ${(error.cause as Error | undefined)?.message ?? error.message}`,
    )

  beforeEach(async () => {
    node = await FakeNode.start()
    appends = new Appends()
    node.writes = appends.serve
    open(node.url)
  })
  afterEach(async () => {
    appender.close()
    await node.close()
  })

  it('sends what comes in one turn in one write, and each on one call', async () => {
    expect(await append('first')).to.equal('0')
    appends.together.length = 0
    expect(await Promise.all(Array.from({ length: 20 }, (_, n) => append(`s-${n}`)))).to.deep.equal(Array(20).fill('0'))
    expect(appends.together).to.deep.equal([20])
    expect(node.asked).to.have.length(1)
  })

  it('takes answers in any order and in any pieces', async () => {
    const arrived: Arrived[] = []
    appends.onAppend = one => arrived.push(one)
    const sent = [append('a'), append('b'), append('c')]
    await until(() => arrived.length === 3, 'the appends')
    const bytes = Buffer.concat(arrived.reverse().map(({ answer }) => answer))
    for (const byte of bytes) {
      arrived[0]!.stream.write(Buffer.of(byte))
      await turn()
    }
    expect(await Promise.all(sent)).to.deep.equal(['0', '0', '0'])
  })

  const faults: Readonly<Record<string, readonly [fault: (arrived: Arrived) => void, says: RegExp]>> = {
    'a connection that is cut': [({ node: it }) => it.cut(), /ECONNRESET|broke|closed/],
    'a call that is cut': [({ stream }) => stream.close(8), /broke the appends off|CANCEL/],
    'a call that ends in order': [({ stream }) => stream.end(), /ended the appends with gRPC status 0/],
    'an answer that is none': [({ stream }) => stream.write(Buffer.from([0, 0, 0, 0, 1, 7])), /Field number 0/],
    'an answer too large': [({ stream }) => stream.write(Buffer.from([0, 127, 0, 0, 0])), /sent an answer of/],
    'a compressed answer': [({ stream }) => stream.write(Buffer.from([1, 0, 0, 0, 1])), /compressed/],
  }
  for (const [what, [fault, says]] of Object.entries(faults)) {
    it(`leaves all that was sent unknown after ${what}, sends none of it again, and goes on`, async () => {
      appends.onAppend = arrived => {
        if (appends.names.length === 3) fault(arrived)
      }
      const answers = await Promise.all([append('a'), append('b'), append('c')])
      for (const answer of answers) {
        expect(answer).to.match(/^engine_unavailable: /)
        expect(answer).to.match(says)
      }
      appends.onAppend = ({ accept }) => accept()
      expect(await append('d')).to.equal('0')
      expect(appends.names).to.deep.equal(['a', 'b', 'c', 'd'])
    })
  }

  it('gives an append up when no answer comes, and the call with it where that says nothing at all', async () => {
    const limit = shortMs()
    open(node.url, limit)
    appends.onAppend = ({ name, accept }) => void (name === 'lost' || accept())
    const lost = append('lost')
    const beside = (async () => {
      for (let n = 0; n < 8; n++) {
        expect(await append(`n-${n}`)).to.equal('0')
        await sleep(limit / 5)
      }
    })()
    expect(await lost).to.equal(`engine_unavailable: The event store did not answer in ${limit} ms.`)
    await beside
    expect(node.asked).to.have.length(1)

    expect(await append('lost')).to.contain(`did not answer in ${limit} ms`)
    expect(await append('next')).to.equal('0')
    expect(node.asked).to.have.length(2)
  })

  it('takes no answer for another append, whose own comes too late', async () => {
    const limit = shortMs()
    open(node.url, limit)
    let late: (() => void) | undefined
    appends.onAppend = ({ name, accept }) => {
      if (name === 'late') late = accept
      else accept()
    }
    const sent = append('late')
    await sleep(limit / 2)
    expect(await append('beside')).to.equal('0')
    expect(await sent).to.contain('did not answer')
    late!()
    expect(await append('next')).to.equal('0')
    expect(node.asked).to.have.length(1)
  })

  it('fails at once where there is no node, and connects when there is one', async () => {
    const { port } = node
    await node.close()
    expect(await append('a')).to.match(/^engine_unavailable: .*ECONNREFUSED/)
    const gone = port
    node = await FakeNode.start()
    node.writes = appends.serve
    expect(gone).not.to.equal(node.port)
    open(node.url)
    expect(await append('b')).to.equal('0')
  })

  it('does not wait longer for a node that takes the connection and says nothing', async () => {
    node.socketFault = () => {}
    const limit = shortMs()
    open(node.url, limit)
    expect(await append('a')).to.contain(`did not answer in ${limit} ms`)
    node.socketFault = undefined
    // The second one that it says nothing about ends the silent connection.
    await append('b')
    expect(await append('c')).to.equal('0')
  })

  it('notices a frozen node by its pings while nothing is sent', async () => {
    const [warn, interval] = [console.warn, shortMs()]
    console.warn = () => {} // the client's word on such a short interval
    open(`${node.url}&keepAliveInterval=${interval}`)
    console.warn = warn
    expect(await append('a')).to.equal('0')
    node.freeze()
    await sleep(4 * interval)
    node.cut()
    expect(await append('b')).to.equal('0')
    expect(node.asked).to.have.length(2)
  })

  it('lets a node that is about to close answer what it has, and goes on at a new connection', async () => {
    const held: Arrived[] = []
    appends.onAppend = one => (one.name === 'held' ? held.push(one) : one.accept())
    const first = append('held')
    await until(() => held.length === 1, 'the append')
    held[0]!.stream.session!.goaway(0)
    await sleep(20)
    expect(await append('next')).to.equal('0')
    expect(node.asked).to.have.length(2)
    held[0]!.accept()
    expect(await first).to.equal('0')
  })

  it('waits where the node reads no more, and loses nothing of it', async () => {
    const large = [{ ...oneEvent()[0]!, data: { text: 'x'.repeat(300_000) } }]
    let streams = 0
    node.writes = (stream, headers, it) => {
      appends.serve(stream, headers, it)
      if (streams++ === 0) stream.pause()
      setTimeout(() => stream.resume(), 100)
    }
    const sent = Array.from({ length: 30 }, (_, n) => appender.append(`s-${n}`, -1n, large))
    expect((await Promise.all(sent)).map(({ revision }) => revision)).to.deep.equal(Array(30).fill(0n))
    expect(appends.names).to.deep.equal(Array.from({ length: 30 }, (_, n) => `s-${n}`))
  })

  it('leaves nothing behind when it is closed, and fails what has no answer', async () => {
    await turn()
    const timersBefore = timers()
    appends.onAppend = () => {}
    const sent = append('a')
    await until(() => appends.names.length === 1, 'the append')
    appender.close()
    expect(await sent).to.equal('engine_unavailable: the event store is closed')
    expect(await append('b')).to.equal('engine_unavailable: the event store is closed')
    await expectNothingLeft(node.port, timersBefore)
  })

  it('serves two write sides in one process, each with a call of its own', async () => {
    const other = leanAppender({
      url: node.url,
      client: EventStoreDBClient.connectionString(node.url),
      timeoutMs: TIMEOUT_MS,
    })
    const own = Array.from({ length: 10 }, (_, n) => append(`a-${n}`))
    const others = Array.from({ length: 10 }, (_, n) => other.append(`b-${n}`, -1n, oneEvent()))
    await Promise.all([...own, ...others])
    other.close()
    expect(await append('after')).to.equal('0')
    expect(node.asked).to.have.length(2)
  })

  it('appends one by one where the server has no batch append, what it did not take among them', async () => {
    const paths: string[] = []
    const answer = new pb.AppendResp().setSuccess(new pb.AppendResp.Success().setCurrentRevision('0'))
    node.writes = (stream, headers) => {
      const [path] = headers[':path']!.split('/').slice(-1)
      paths.push(path!)
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': path === 'Append' ? '0' : '12' }))
      stream.resume().on('end', () => stream.end(frame(answer)))
      if (path !== 'Append') stream.end()
    }
    expect(await Promise.all([append('a'), append('b')])).to.deep.equal(['0', '0'])
    expect(await append('c')).to.equal('0')
    expect(paths.filter(path => path === 'BatchAppend')).to.have.length(1)
    expect(paths.filter(path => path === 'Append')).to.have.length(3)
  })

  it('goes to the leader that a node names which leads no more', async () => {
    const second = await FakeNode.start()
    second.writes = appends.serve
    try {
      node.members = [{ port: node.port, leads: true }]
      open(`esdb://127.0.0.1:${node.port},127.0.0.1:${node.port}?tls=false`)
      expect(await append('a')).to.equal('0')
      expect(node.asked.at(-1)!['requires-leader']).to.equal('true')
      const named = { 'leader-endpoint-host': '127.0.0.1', 'leader-endpoint-port': String(second.port) }
      appends.onAppend = ({ stream }) => {
        stream.removeAllListeners('wantTrailers')
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5', ...named }))
        stream.end()
      }
      expect(await append('b')).to.contain('gRPC status 5')
      appends.onAppend = ({ accept }) => accept()
      expect(await append('c')).to.equal('0')
      expect([node.asked.length, second.asked.length]).to.deep.equal([1, 1])
      expect(appends.names).to.deep.equal(['a', 'b', 'c'])
    } finally {
      await second.close()
    }
  })
})

describe('the lean appender: TLS', () => {
  let folder: string
  let node: FakeNode
  const appends = new Appends()
  const file = (name: string) => path.join(folder, name)
  before(async function certify() {
    folder = (await certificates()) ?? this.skip()
    node = await FakeNode.start({ key: await readFile(file('node.key')), cert: await readFile(file('node.pem')) })
    node.writes = appends.serve
  })
  after(async () => {
    await node?.close()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  /** How one append went at this address. */
  async function appended(url: string): Promise<string> {
    const appender = leanAppender({ url, client: EventStoreDBClient.connectionString(url), timeoutMs: TIMEOUT_MS })
    try {
      return String((await appender.append('s', -1n, oneEvent())).revision)
    } catch (error) {
      return String(((error as Error).cause as Error).message)
    } finally {
      appender.close()
    }
  }

  it('appends at a node whose authority the connection string names, with its credentials', async () => {
    const credentials = `${encodeURIComponent('an:admin')}:${encodeURIComponent('pässwörd:@/')}`
    const authority = `tlsCAFile=${encodeURIComponent(file('ca.pem'))}`
    expect(await appended(`esdb://${credentials}@localhost:${node.port}?${authority}`)).to.equal('0')
    const [, sent] = /^Basic (.*)$/.exec(node.asked.at(-1)!.authorization!)!
    expect(Buffer.from(sent!, 'base64').toString()).to.equal('an:admin:pässwörd:@/')
  })

  it('appends at no node that it cannot trust', async () => {
    const count = appends.names.length
    expect(await appended(`esdb://localhost:${node.port}`)).to.match(/certificate/)
    expect(await appended(`esdb://127.0.0.1:${node.port}?tlsCAFile=${file('ca.pem')}`)).to.match(/altnames/)
    expect(appends.names).to.have.length(count)
  })
})
