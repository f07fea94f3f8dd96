import { connect, createServer, type Socket } from 'node:net'

/** A way to an engine that can be shut: connections break off and new ones are refused until it is open again. */
export type Gate = { readonly port: number; readonly shut: () => Promise<void>; readonly open: () => Promise<void> }

/** Makes an open gate to a loopback port. */
export async function gateTo(target: number): Promise<Gate> {
  const sockets = new Set<Socket>()
  const server = createServer(outer => {
    const inner = connect(target, '127.0.0.1')
    for (const [socket, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(socket)
      socket.pipe(other)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as { port: number }
  return {
    port,
    open: () => listen(port),
    shut: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
