import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Answer, Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

describe('the exchange', function () {
  this.timeout(120_000)
  let app: App
  let mira: Client
  let jon: Client
  let ann: Client

  const sent = async (client: Client, path: string, body: object = {}, status = 201): Promise<Answer['body']> => {
    const answer = await client.call('POST', `/api/v1/kex${path}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.equal(status)
    return answer.body
  }
  /** What a client reads once it is so. */
  const until = async (client: Client, path: string, isSo: (data: Record<string, string>) => boolean) => {
    for (const end = Date.now() + patient(30_000); ; await sleep(50)) {
      const { body } = await client.call('GET', `/api/v1/kex${path}`)
      if (body.data && isSo(body.data)) return body.data
      if (Date.now() > end) expect.fail(`it stays as it is: ${JSON.stringify(body)}`)
    }
  }
  const soon = (ms: number) => new Date(Date.now() + ms).toISOString()

  before(async () => {
    app = await startApp({ worker: true })
    mira = await app.clientOf('market', 'organization-admin', 'mira')
    jon = await app.clientOf('market', 'team-member', 'jon')
    ann = await app.clientOf('market', 'contributor', 'ann')
  })
  after(() => app?.close())

  it('ends an auction at its time, with its winner and the second price', async () => {
    const terms = { format: 'english', title: 'The first copy', currency: 'EUR', start: '1000', reserve: '3000' }
    await sent(mira, '/auctions', { id: 'first', ...terms, ends_at: soon(patient(3_000)) })
    await sent(jon, '/auctions/first/bids', { maximum: '5000' })
    for (const body of [{ maximum: '1000' }, { maximum: '999999' }]) {
      const tried = await ann.call('POST', '/api/v1/kex/auctions/first/bids?dry_run=true', { body })
      expect([tried.status, tried.body.error.code]).to.deep.equal([400, 'invalid_parameter'])
      const entry = { command: 'auction.bid', id: 'first', body }
      const bulk = await ann.call('POST', '/api/v1/bulk?dry_run=true', { body: { commands: [entry] } })
      expect(JSON.stringify(bulk.body)).to.include('invalid_parameter').and.not.include('leader')
    }
    const { data } = await sent(ann, '/auctions/first/bids', { maximum: '4000' })
    expect(data.events[0].data).to.include({ leader: 'jon', price: '4001' })
    const seen = await until(ann, '/auctions/first', ({ bids }) => bids === '2')
    expect(seen).to.include({ status: 'open', leader: 'jon', price: '4001', has_reserve: true, reserve_met: true })
    expect(JSON.stringify(seen)).not.to.include('5000').and.not.include('3000')
    const over = await until(ann, '/auctions/first', ({ status }) => status !== 'open')
    expect(over).to.include({ status: 'sold', why: 'highest_bid', winner: 'jon', price: '4001' })
    const { error } = await sent(ann, '/auctions/first/bids', { maximum: '9000' }, 422)
    expect(error.code).to.equal('auction_ended')
    const bids = (await ann.call('GET', '/api/v1/kex/auctions/first/bids')).body.data
    expect(bids.map(({ bidder, price }: Record<string, string>) => `${bidder} ${price}`)).to.deep.equal([
      'jon 3000',
      'ann 4001',
    ])
  })

  it('shows a negotiation to its two parties, and to who reads the audit log', async () => {
    const offer = { id: 'talk', to: 'jon', amount: '9000', currency: 'EUR', message: 'For both volumes?' }
    await sent(ann, '/negotiations', offer)
    await sent(jon, '/negotiations/talk/counter', { amount: '11000', expires_at: soon(patient(1_500)) }, 200)
    const { amount, from } = await until(ann, '/negotiations/talk', ({ offers }) => offers === '2')
    expect([amount, from]).to.deep.equal(['11000', 'jon'])
    const other = await app.clientOf('market', 'team-member', 'eve')
    expect((await other.call('GET', '/api/v1/kex/negotiations/talk')).status).to.equal(404)
    expect((await other.call('GET', '/api/v1/kex/negotiations')).body.data).to.deep.equal([])
    expect((await mira.call('GET', '/api/v1/kex/negotiations/talk')).status).to.equal(200)
    await until(ann, '/negotiations/talk', ({ status }) => status === 'expired')
    const { error } = await sent(ann, '/negotiations/talk/accept', { amount: '11000' }, 422)
    expect(error.code).to.equal('negotiation_ended')
  })

  it('decides bids that come at the same time one after another', async () => {
    const terms = { format: 'english', title: 'The second copy', currency: 'EUR', start: '1' }
    await sent(mira, '/auctions', { id: 'second', ...terms, ends_at: soon(600_000) })
    const maxima = Array.from({ length: 60 }, (_, n) => BigInt((n * 37) % 60) * 10n + 10n)
    const answers = await Promise.all(
      maxima.map((maximum, n) =>
        (n % 2 ? jon : ann).call('POST', '/api/v1/kex/auctions/second/bids', { body: { maximum: String(maximum) } }),
      ),
    )
    for (const { status, body } of answers) {
      if (status !== 201) expect(['bid_too_low', 'bid_not_raised']).to.include(body.error.code)
    }
    const highest = BigInt(maxima.length) * 10n
    const leader = maxima.indexOf(highest) % 2 ? 'jon' : 'ann'
    const taken = String(answers.filter(({ status }) => status === 201).length)
    const row = await until(ann, '/auctions/second', ({ bids }) => bids === taken)
    expect(row.leader).to.equal(leader)
    expect(Number(row.price)).to.be.at.most(Number(highest))
  })
})
