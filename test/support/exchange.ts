import type { Client } from './client.ts'

/** What another user opens on the exchange, for users who cannot bid in, or answer, what is their own. */
export function exchangeOf(other: Client) {
  let bidIn: string | undefined
  const open = async (path: string, body: object): Promise<string> =>
    (await other.call('POST', `/api/v1/kex/${path}`, { body: { currency: 'EUR', ...body } })).body.data.id
  const auction = (more: object = {}) =>
    open('auctions', { format: 'english', title: 'x', start: '1000', ends_at: '2999-12-31T12:00:00.000Z', ...more })
  return {
    auction,
    negotiation: (to: string) => open('negotiations', { to, amount: '9000' }),
    /** The auction of a bid of the client, or else the bid. */
    async bid(name: string, client: Client): Promise<string> {
      bidIn ??= await auction()
      if (name === 'id') return bidIn
      const path = `/api/v1/kex/auctions/${bidIn}/bids`
      const { headers, body } = await client.call('POST', path, { body: { maximum: '2000' } })
      await client.call('GET', path, { headers: { 'kogi-min-position': String(headers['kogi-position']) } })
      return body.data.events[0].data.bid
    },
  }
}
