/** Faults of a node: each ends a subscription of the lean reader once, with words, and a reader follows past it. */
import { constants } from 'node:http2'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { patient } from '../support/pace.ts'
import { type Call, FakeNode, POSITIONS } from './fake-node.ts'
import { expectNothingLeft, followPast, matches, PATIENCE_MS, timers, until, watched } from './watched-reader.ts'

// Long enough for an answer that does come to come in time on a busy machine.
const TIMEOUT_MS = patient(150)

const trailers = (fields: Record<string, string>, { stream, begin }: Call) => {
  stream.on('wantTrailers', () => stream.sendTrailers(fields))
  begin()
  stream.end()
}
const answer = (fields: Record<string, string>, { stream }: Call) => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...fields }, { endStream: true })
}
const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants

/** What a node does to a call, the error that the subscription ends with, and how many events had come. */
const FAULTS: Readonly<Record<string, readonly [(call: Call) => void, says: string | RegExp, events: number]>> = {
  'HTTP status 503': [
    ({ stream }) => {
      stream.respond({ ':status': 503 })
      stream.end('busy')
    },
    'the event store answered with HTTP status 503',
    0,
  ],
  'a gRPC status instead of an answer': [
    call => answer({ 'grpc-status': '14', 'grpc-message': encodeURIComponent('Überlastet: 100 %') }, call),
    'the event store answered with gRPC status 14: Überlastet: 100 %',
    0,
  ],
  'a gRPC status after some events': [
    call => trailers({ 'grpc-status': '8', 'grpc-message': 'Consumer%20too%20slow' }, call),
    'the event store answered with gRPC status 8: Consumer too slow',
    2,
  ],
  'a gRPC message that is not percent-encoded': [
    call => answer({ 'grpc-status': '2', 'grpc-message': '100% busy, %E0%A4%A' }, call),
    'the event store answered with gRPC status 2: 100% busy, %E0%A4%A',
    0,
  ],
  'an end in good order': [call => trailers({ 'grpc-status': '0' }, call), 'the event store ended the subscription', 2],
  'an end without a status': [
    ({ stream, begin }) => {
      begin()
      stream.close(NGHTTP2_NO_ERROR)
    },
    'the event store broke off the subscription',
    2,
  ],
  'a cancelled stream': [
    ({ stream, begin }) => {
      begin()
      setImmediate(() => stream.close(NGHTTP2_CANCEL))
    },
    'the event store broke off the subscription',
    2,
  ],
  'no answer to the request': [() => {}, `the event store did not answer within ${TIMEOUT_MS} ms`, 0],
  'silence in the middle': [
    ({ node, begin }) => {
      begin()
      setTimeout(() => node.freeze(), 20)
    },
    `the event store did not answer within ${TIMEOUT_MS} ms`,
    2,
  ],
  'a farewell and silence after it': [
    ({ stream, node, begin }) => {
      begin()
      setTimeout(() => stream.session!.goaway(), 10)
      setTimeout(() => node.freeze(), 30)
    },
    // On a busy machine the node may be frozen before the farewell is on its way.
    /the event store is about to close the connection|the event store did not answer/,
    2,
  ],
  'a reset of the stream inside a message': [
    ({ stream, begin, next }) => {
      begin()
      stream.write(next.subarray(0, next.length - 3), () => stream.close(NGHTTP2_INTERNAL_ERROR))
    },
    'Stream closed with error code NGHTTP2_INTERNAL_ERROR',
    2,
  ],
  'a reset of the connection inside a message': [
    ({ stream, node, begin, next }) => {
      begin()
      stream.write(next.subarray(0, next.length - 3), () => setTimeout(() => node.cut(), 20))
    },
    /ECONNRESET|closed the connection/,
    2,
  ],
  'bytes that are no message': [
    ({ stream, begin }) => {
      begin()
      stream.write('HTTP/1.1 200 OK')
    },
    'the event store sent a compressed message, which nobody asked for',
    2,
  ],
  'a message that is none': [
    ({ stream, begin }) => {
      begin()
      stream.write(Buffer.from([0, 0, 0, 0, 2, 0x0a, 0x7f]))
    },
    'A field is longer than its message',
    2,
  ],
}

/** What a node does to a connection before HTTP/2 is spoken on it. */
const SOCKET_FAULTS: Readonly<Record<string, readonly [(socket: Socket) => void, says: string | RegExp]>> = {
  'a server that accepts and says nothing': [() => {}, `the event store did not answer within ${TIMEOUT_MS} ms`],
  'a server that hangs up': [socket => socket.end(), /broke off the subscription|closed the connection|ECONNRESET/],
  'a server that resets': [socket => socket.resetAndDestroy(), /ECONNRESET|closed the connection/],
  'a server of HTTP/1.1': [
    socket => socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
    /Protocol error/,
  ],
}

describe('the lean reader: faults of a node', () => {
  let node: FakeNode
  let connections = 0
  beforeEach(async () => {
    node = await FakeNode.start()
  })
  afterEach(() => node.close())

  /** A subscription meets the fault, then a reader that follows does until it is mended. */
  async function expectSurvived(says: string | RegExp, events: number, mend: () => void): Promise<void> {
    await turn()
    const timersBefore = timers()
    const timeoutMs = `${says}`.includes('did not answer') ? TIMEOUT_MS : patient(PATIENCE_MS)
    const seen = watched(node.url, { timeoutMs })
    await until(() => seen.ends.length > 0, 'the end')
    await expectNothingLeft(node.port, timersBefore)
    const following = followPast(node.url, timeoutMs)
    await until(() => node.asked.length >= 2 || connections >= 2, 'the reader to come')
    mend()
    const wrong = await following
    await expectNothingLeft(node.port, timersBefore)
    expect(wrong.length).to.be.greaterThan(0)
    expect([...seen.ends, ...wrong].filter(message => !matches(message, says))).to.deep.equal([])
    expect(seen.ends).to.have.length(1)
    expect(seen.positions).to.deep.equal(POSITIONS.slice(0, events))
  }

  for (const [what, [fault, says, events]] of Object.entries(FAULTS)) {
    it(what, async () => {
      node.fault = fault
      await expectSurvived(says, events, () => {
        node.fault = undefined
      })
    })
  }

  for (const [what, [fault, says]] of Object.entries(SOCKET_FAULTS)) {
    it(what, async () => {
      connections = 0
      node.socketFault = socket => {
        connections += 1
        fault(socket)
      }
      await expectSurvived(says, 0, () => {
        node.socketFault = undefined
      })
    })
  }
})
