/** A receiver of webhooks on the loopback interface, which answers as a test says. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

type Received = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }
type Answer = (answer: ServerResponse, received: Received, socket: Socket) => void

export type Receiver = {
  readonly url: string
  readonly received: readonly Received[]
  /** How it answers from now on. */
  answer: Answer
  readonly close: () => Promise<void>
}

export const status =
  (code: number): Answer =>
  answer =>
    answer.writeHead(code).end()

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const server: Server = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      const got = { path: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') }
      received.push(got)
      receiver.answer(answer, got, request.socket)
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer: status(204),
    close: () =>
      new Promise(done => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
  return receiver
}
