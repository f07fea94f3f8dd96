import { expect } from 'chai'
import { isIn, isNetwork, isPublic, networksOf } from '../../infra/webhooks/addresses.ts'

describe('addresses of webhooks', () => {
  it('are public ones', () => {
    for (const address of ['1.1.1.1', '93.184.216.34', '172.32.0.1', '2606:4700::1111', '2a00:1450:4014:80b::200e']) {
      expect(isPublic(address), address).to.equal(true)
    }
  })
  it('are not those of special purposes', () => {
    const special = [
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '127.0.0.1',
      '169.254.169.254',
      '172.31.255.255',
      '192.168.1.1',
    ]
    const others = ['198.18.0.1', '224.0.0.1', '255.255.255.255', '192.0.2.1', '203.0.113.9']
    const six = ['::', '::1', 'fc00::1', 'fe80::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '64:ff9b::7f00:1']
    const tunnels = ['2002:7f00:1::', '2001::1', '2001:db8::1']
    for (const address of [...special, ...others, ...six, ...tunnels])
      expect(isPublic(address), address).to.equal(false)
  })
  it('may be listed as networks', () => {
    const networks = networksOf(['127.0.0.0/8', 'fd00::/8'])
    for (const address of ['127.0.0.1', '127.9.9.9', 'fd12::1']) expect(isIn(networks, address), address).to.equal(true)
    for (const address of ['126.0.0.1', '::1', 'fe80::1']) expect(isIn(networks, address), address).to.equal(false)
    expect(['10.0.0.0/8', 'fd00::/8', '1.2.3.4/32'].every(isNetwork)).to.equal(true)
    expect(['10.0.0.0', '10.0.0.0/33', 'x/8', '10.0.0.0/8/8', '::/129', ''].some(isNetwork)).to.equal(false)
  })
})
