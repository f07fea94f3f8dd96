import type { Server } from 'node:http'

/** Turns that reads wait for connections to be taken before some begin anyway; without reads, turns are quick. */
const TURNS_MAX = 256

/**
 * Keeps reads from beginning while connections wait to be taken: libuv takes one in each turn of the event loop (since
 * 1.45), so that behind long turns the connection of a command or of a health check would wait for as many reads as
 * there are connections before it. Calls `onBusy` with the first of them, `onCalm` after a turn without a new one.
 */
export function watchBacklog(server: Server, { onBusy, onCalm }: { onBusy: () => void; onCalm: () => void }): void {
  let taken = 0
  let seen = 0
  let isBusy = false
  let turns = 0
  const look = () => {
    if (seen !== taken && turns < TURNS_MAX) {
      seen = taken
      turns += 1
      setImmediate(look)
      return
    }
    isBusy = false
    onCalm()
  }
  server.on('connection', () => {
    taken += 1
    if (isBusy) return
    isBusy = true
    turns = 0
    onBusy()
    setImmediate(look)
  })
}
