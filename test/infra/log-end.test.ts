import { createServer, type Server, type Socket } from 'node:net'
import { EventStoreDBClient } from '@eventstore/db-client'
import { expect } from 'chai'
import { LogEnd } from '../../infra/event-store/log-end.ts'
import { socketsTo, until } from './watched-reader.ts'

describe('the end of the log, asked of a node that says nothing', () => {
  const sockets: Socket[] = []
  let server: Server
  let port: number

  before(async () => {
    server = createServer(socket => sockets.push(socket.on('error', () => {})))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as { port: number }).port
  })
  after(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })

  for (const tls of [true, false]) {
    it(`leaves no connection behind, ${tls ? 'whose handshake hangs' : 'whose answer hangs'}`, async () => {
      const url = `esdb://127.0.0.1:${port}?tls=${tls}`
      const end = new LogEnd({ url, client: EventStoreDBClient.connectionString(url), timeoutMs: 100 })
      for (const _ of [1, 2, 3]) {
        const fault = await end.position().catch((error: Error) => error.message)
        expect(fault).to.match(/did not answer within 100 ms/)
      }
      await until(() => socketsTo(port) === 0, 'the sockets to be gone')
      void end.position().catch(() => {})
      end.close()
      await until(() => socketsTo(port) === 0, 'the socket to be gone')
    })
  }
})
