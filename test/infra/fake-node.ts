/** A node of an event store: six made-up events for subscriptions to `$all`, and the faults that a test sets. */
import { once } from 'node:events'
import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import net, { type AddressInfo, type Socket } from 'node:net'
import gossip from '@eventstore/db-client/generated/gossip_pb.js'
import { identifier, uuidMessage } from '../contracts/event-store/messages.ts'
import { frame, pb } from '../contracts/event-store/raw.ts'
import { uuid } from '../projections/history.ts'

const { MemberInfo } = gossip
const { ReadResp } = pb
const OK = { ':status': 200, 'content-type': 'application/grpc' }

/** The message that all stored events have come. */
export const CAUGHT_UP = frame(new ReadResp().setCaughtUp(new ReadResp.CaughtUp()))

/** Where the events of every node stand. */
export const POSITIONS = [100n, 200n, 300n, 400n, 500n, 600n]

/** A call that a fault may ruin. */
export type Call = {
  readonly stream: ServerHttp2Stream
  readonly node: FakeNode
  /** Answers, and sends the first two events that are asked for. */
  readonly begin: () => void
  /** The frame of the event that comes next. */
  readonly next: Buffer
  /** The frames of all events that come next. */
  readonly rest: Buffer
}

/** A cluster member as gossip names it. */
export type Member = { readonly port: number; readonly leads: boolean }

export class FakeNode {
  /** Ruins every call; without it they are served. */
  fault: ((call: Call) => void) | undefined
  /** Ruins every connection before a byte of it is read. */
  socketFault: ((socket: Socket) => void) | undefined
  /** Serves the calls that are no reads. */
  writes: ((stream: ServerHttp2Stream, headers: IncomingHttpHeaders, node: FakeNode) => void) | undefined
  members: readonly Member[] = []
  /** How many of the events the node has when the log is read from its end. */
  known = POSITIONS.length
  readonly asked: IncomingHttpHeaders[] = []
  readonly #servers: readonly net.Server[]
  readonly #sockets = new Set<Socket>()
  #pairs: (readonly [Socket, Socket])[] = []

  /** With a certificate it speaks TLS. */
  static async start(certificate?: { readonly key: Buffer; readonly cert: Buffer }): Promise<FakeNode> {
    const node = new FakeNode(certificate)
    for (const server of [...node.#servers].reverse()) await once(server.listen(0, '127.0.0.1'), 'listening')
    return node
  }

  private constructor(certificate?: { readonly key: Buffer; readonly cert: Buffer }) {
    const inner = certificate ? http2.createSecureServer(certificate) : http2.createServer()
    inner.on('stream', (stream, headers) => this.#answer(stream, headers))
    inner.on('sessionError', () => {})
    // The outer server hands bytes to the inner one, so that they can be held back in between.
    const outer = net.createServer(socket => {
      this.#keep(socket)
      if (this.socketFault) {
        this.socketFault(socket)
        return
      }
      const upstream = this.#keep(net.connect((inner.address() as AddressInfo).port, '127.0.0.1'))
      socket.pipe(upstream).pipe(socket)
      this.#pairs.push([socket, upstream])
    })
    this.#servers = [outer, inner as unknown as net.Server]
  }

  get port(): number {
    return (this.#servers[0]!.address() as AddressInfo).port
  }

  get url(): string {
    return `esdb://127.0.0.1:${this.port}?tls=false`
  }

  /** Lets no byte through any more, and leaves the connections open. */
  freeze(): void {
    for (const [socket, upstream] of this.#pairs) {
      socket.unpipe(upstream).pause()
      upstream.unpipe(socket).pause()
    }
  }

  /** Ends all connections at once, with a reset. */
  cut(): void {
    for (const [socket] of this.#pairs) socket.resetAndDestroy()
    this.#pairs = []
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#servers.map(server => server.listening && new Promise(done => server.close(done))))
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    return socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
  }

  #answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const parts: Buffer[] = []
    stream.on('error', () => {})
    if (this.writes && !headers[':path']!.endsWith('/Read')) {
      this.asked.push(headers)
      this.writes(stream, headers, this)
      return
    }
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => {
      if (stream.destroyed) return
      if (headers[':path'] === '/event_store.client.gossip.Gossip/Read') this.#gossip(stream)
      else this.#read(stream, headers, Buffer.concat(parts).subarray(5))
    })
  }

  #read(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Buffer): void {
    this.asked.push(headers)
    const options = pb.ReadReq.deserializeBinary(body).getOptions()!
    if (options.getReadDirection() === pb.ReadReq.Options.ReadDirection.BACKWARDS) {
      this.#readBack(stream)
      return
    }
    const from = options.getAll()!.getPosition()
    const frames = POSITIONS.filter(position => position > BigInt(from?.getCommitPosition() ?? 0)).map(eventFrame)
    const begin = () => {
      stream.respond(OK, { waitForTrailers: true })
      stream.write(Buffer.concat(frames.slice(0, 2)))
    }
    if (this.fault) {
      this.fault({ stream, node: this, begin, next: frames[2]!, rest: Buffer.concat(frames.slice(2)) })
      return
    }
    stream.respond(OK)
    stream.write(Buffer.concat([...frames, CAUGHT_UP]))
  }

  #readBack(stream: ServerHttp2Stream): void {
    stream.respond(OK, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(Buffer.concat(POSITIONS.slice(0, this.known).reverse().map(eventFrame)))
  }

  #gossip(stream: ServerHttp2Stream): void {
    const members = this.members.map(({ port, leads }) => {
      const endPoint = new gossip.EndPoint().setAddress('127.0.0.1').setPort(port)
      const state = leads ? MemberInfo.VNodeState.LEADER : MemberInfo.VNodeState.FOLLOWER
      const member = new MemberInfo().setHttpEndPoint(endPoint).setState(state).setIsAlive(true)
      return member.setInstanceId(uuidMessage(uuid(`${port}`)))
    })
    stream.respond(OK, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(frame(new gossip.ClusterInfo().setMembersList(members)))
  }
}

function eventFrame(position: bigint): Buffer {
  const event = new ReadResp.ReadEvent.RecordedEvent()
    .setId(uuidMessage(uuid(`${position}`)))
    .setStreamIdentifier(identifier('task-1'))
    .setCommitPosition(`${position}`)
    .setPreparePosition(`${position}`)
    .setData(Buffer.from('{}'))
  event.getMetadataMap().set('type', 'TaskCreated').set('content-type', 'application/json')
  return frame(new ReadResp().setEvent(new ReadResp.ReadEvent().setEvent(event)))
}
