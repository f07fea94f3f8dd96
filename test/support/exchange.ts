import { randomUUID } from 'node:crypto'
import { execute, type WriteDeps } from '../../commands/execute.ts'
import { order } from '../../domain/exchange/order/order.ts'
import { silentLog } from '../../infra/log.ts'
import { openWriteSide } from '../../infra/write-side.ts'
import type { App } from './app.ts'
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

type Sides = { readonly org: string; readonly buyer: string; readonly vendor: string }

const TARGET = { to_wallet: 'studio', to_account: 'savings' }
const STEPS: Readonly<Record<string, readonly [by: keyof Sides | 'other', body: object]>> = {
  recordHold: ['other', {}],
  confirm: ['vendor', TARGET],
  deliver: ['vendor', {}],
  dispute: ['buyer', { reason: 'x' }],
  decide: ['other', { to_vendor: 1n, reason: 'x' }],
  refusePayment: ['other', { code: 'wallet_closed', reason: 'x' }],
  accept: ['buyer', {}],
  settle: ['other', {}],
  review: ['buyer', { rating: 4 }],
  reveal: ['other', {}],
}

/** An order after some of its course, without a worker: `recordHold confirm`. */
async function orderAfter(deps: WriteDeps, sides: Sides, course: string) {
  const id = randomUUID()
  const { org, buyer, vendor } = sides
  const give = (name: string, subject: string, body: object) =>
    execute(deps, {
      aggregate: order,
      name,
      id,
      opens: name === 'place',
      body,
      idempotencyKey: `${id} ${name}`,
      principal: { subject, org, roles: [], permissions: [] },
      correlationId: id,
    })
  const terms = { title: 'x', vendor, amount: 100n, currency: 'EUR', inspection_days: 1 }
  let last = await give('place', buyer, { ...terms, wallet: 'studio', account: 'checking' })
  for (const name of course.split(' ')) {
    const [by, body] = STEPS[name]!
    last = await give(name, by === 'other' ? 'process:order' : sides[by], body)
  }
  return { id, position: last.position }
}

/** Ids for the examples of the exchange that no client names, each of a thing as the example needs it. */
export function exchangeExamples(
  app: App,
  client: Client,
): Readonly<Record<string, (name: string) => Promise<string | undefined>>> {
  const seen = (path: string, position: unknown) =>
    client.call('GET', `/api/v1/kex/${path}`, { headers: { 'kogi-min-position': String(position) } })
  async function ordered(course: string, buyer = 'mira', vendor = 'jon'): Promise<string> {
    const { deps, close } = openWriteSide(app.urls, app.config, silentLog)
    const { id, position } = await orderAfter(deps, { org: 'examples', buyer, vendor }, course)
    await close()
    await seen('orders', position)
    return id
  }
  const reviewed = () => ordered('recordHold confirm accept settle review reveal')
  async function allocation(name: string): Promise<string | undefined> {
    if (name === 'id') return undefined
    const path = 'capacities/capacity-1/allocations'
    const body = { request: 'resourcerequest-1', units: 1, from: '2026-11-02', to: '2026-11-02' }
    const { headers, body: answer } = await client.call('POST', `/api/v1/kex/${path}`, { body })
    await seen(path, headers['kogi-position'])
    return answer.data.events[0].data.allocation
  }
  /** A room of another user that the caller is a member of. */
  async function roomOfJon(): Promise<string> {
    const other = await app.clientOf('examples', 'organization-admin', 'jon')
    const body = { kind: 'group', title: 'x', joining: 'open', with: ['mira'] }
    return (await other.call('POST', '/api/v1/krms/rooms', { body })).body.data.id
  }
  async function message(id: string): Promise<string> {
    await client.call('POST', '/api/v1/krms/messages', { body: { id, room: 'room-1', text: 'x' } })
    return id
  }
  return {
    'order.confirm': () => ordered('recordHold', 'jon', 'mira'),
    'order.decline': () => ordered('recordHold', 'jon', 'mira'),
    'order.cancel': () => ordered('recordHold'),
    'order.deliver': () => ordered('recordHold confirm', 'jon', 'mira'),
    'order.accept': () => ordered('recordHold confirm deliver'),
    'order.dispute': () => ordered('recordHold confirm'),
    'order.refund': () => ordered('recordHold confirm', 'jon', 'mira'),
    'order.decide': () => ordered('recordHold confirm dispute', 'ann', 'jon'),
    'order.redirect': () => ordered('recordHold confirm dispute decide refusePayment', 'jon', 'mira'),
    'order.review': () => ordered('recordHold confirm accept settle'),
    getReview: async name => (name === 'side' ? 'buyer' : reviewed()),
    getRating: async () => (await reviewed()) && 'jon',
    getReadMark: async () => 'room-1',
    'room.leave': () => roomOfJon(),
    'room.join': () => roomOfJon(),
    'room.pin': async name => (name === 'id' ? message('message-0').then(() => undefined) : undefined),
    'message.moderate': () => message(randomUUID()),
    'capacity.release': name => allocation(name),
    getCapacityAllocation: name => allocation(name),
  }
}
