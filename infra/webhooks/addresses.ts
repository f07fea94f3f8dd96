/** Which addresses webhooks may be sent to: those of the public internet, and those of networks that are listed. */
import { BlockList, isIP, isIPv6 } from 'node:net'

/** IPv4 addresses of special purposes (IANA registry, RFC 6890), multicast included. */
const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]
/** The unicast addresses of IPv6 that are assigned, and those of special purposes among them, tunnels included. */
const GLOBAL_IPV6 = ['2000::/3']
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

/** Whether a text is a network: an address, `/` and the length of the prefix. */
export function isNetwork(text: string): boolean {
  const [address = '', length = ''] = text.split('/')
  const bits = isIP(address) === 4 ? 32 : 128
  return isIP(address) !== 0 && /^\d{1,3}$/.test(length) && Number(length) <= bits && text.split('/').length === 2
}

export function networksOf(list: readonly string[]): BlockList {
  const networks = new BlockList()
  for (const network of list) {
    const [address, length] = network.split('/') as [string, string]
    networks.addSubnet(address, Number(length), isIPv6(address) ? 'ipv6' : 'ipv4')
  }
  return networks
}

const special = networksOf([...SPECIAL_IPV4, ...SPECIAL_IPV6])
const global = networksOf(GLOBAL_IPV6)

/** Whether an address is in one of some networks. */
export const isIn = (networks: BlockList, address: string): boolean =>
  networks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')

/** Whether an address is one of the public internet. */
export const isPublic = (address: string): boolean =>
  !isIn(special, address) && (!isIPv6(address) || isIn(global, address))
