/** Where requests come from, behind proxies that are trusted to say so. */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { isIn, networksOf } from '../webhooks/addresses.ts'

/**
 * Finds the address of a client: that of the connection or, where this is of a trusted proxy, the last one in
 * `X-Forwarded-For` that is not. What stands before it anybody may have written.
 */
export function addressesOf(trusted: readonly string[]): (request: IncomingMessage) => string {
  const networks = networksOf(trusted)
  const plain = (address: string) => address.trim().replace(/^::ffff:(?=\d+\.)/i, '')
  const isTrusted = (address: string) => isIP(address) !== 0 && isIn(networks, address)
  return ({ socket, headers }) => {
    const direct = plain(socket.remoteAddress ?? '')
    if (trusted.length === 0 || !isTrusted(direct)) return direct
    const said = headers['x-forwarded-for']
    const hops = (Array.isArray(said) ? said.join(',') : (said ?? '')).split(',').map(plain)
    return hops.findLast(hop => isIP(hop) !== 0 && !isTrusted(hop)) ?? direct
  }
}
