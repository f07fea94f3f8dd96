/** BatchAppend as a node of an event store serves it, with the faults that a test sets. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { NewEvent } from '../../commands/ports.ts'
import { MessageSplitter } from '../../infra/wire/grpc.ts'
import { frame, pb, shared } from '../contracts/event-store/raw.ts'
import { uuid } from '../projections/history.ts'
import type { FakeNode } from './fake-node.ts'

const { BatchAppendReq, BatchAppendResp } = pb
const OK = { ':status': 200, 'content-type': 'application/grpc' }

/** An append that has arrived whole. */
export type Arrived = {
  readonly stream: ServerHttp2Stream
  readonly node: FakeNode
  readonly name: string
  /** The message that answers it with revision 0 and a position. */
  readonly answer: Buffer
  /** Answers it. */
  readonly accept: () => void
}

/** The appends that a node was sent, and what it does with each; it accepts them unless a test says otherwise. */
export class Appends {
  readonly names: string[] = []
  /** How many appends came with each chunk of bytes. */
  readonly together: number[] = []
  onAppend: (arrived: Arrived) => void = ({ accept }) => accept()
  #position = 1_000

  readonly serve = (stream: ServerHttp2Stream, _: IncomingHttpHeaders, node: FakeNode): void => {
    stream.respond(OK, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    const splitter = new MessageSplitter({ check: () => {} })
    stream.on('data', (chunk: Buffer) => {
      splitter.push(chunk)
      const before = this.names.length
      for (let message = splitter.next(); message; message = splitter.next()) this.#arrive(message, stream, node)
      this.together.push(this.names.length - before)
    })
  }

  #arrive(message: Buffer, stream: ServerHttp2Stream, node: FakeNode): void {
    const request = BatchAppendReq.deserializeBinary(message)
    const name = Buffer.from(request.getOptions()!.getStreamIdentifier()!.getStreamName_asU8()).toString()
    this.names.push(name)
    const position = new shared.AllStreamPosition().setCommitPosition(`${++this.#position}`)
    const success = new BatchAppendResp.Success().setCurrentRevision('0').setPosition(position)
    const answer = frame(new BatchAppendResp().setCorrelationId(request.getCorrelationId()!).setSuccess(success))
    this.onAppend({ stream, node, name, answer, accept: () => stream.write(answer) })
  }
}

let events = 0
/** An event that no other append has. */
export const oneEvent = (): readonly NewEvent[] => [
  { id: uuid(`event ${events++}`), type: 'Noted', data: {}, metadata: {} },
]
