import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const PATH = '/api/v1/kmg/refused-commands'

describe('refused commands', () => {
  let app: App
  let client: Client
  before(async () => {
    app = await startApp()
    client = await app.clientOf('acme', 'organization-admin', 'mira')
    await client.call('POST', '/api/v1/kwlt/wallets', { body: { id: 'w', kind: 'business' } })
    await client.call('POST', '/api/v1/kwlt/wallets/w/accounts', {
      body: { account: 'main', currency: 'EUR', overdraft: 'refused' },
    })
  })
  after(() => app?.close())

  const debit = (amount: string) =>
    client.call('POST', '/api/v1/kwlt/wallets/w/debits', { body: { account: 'main', currency: 'EUR', amount } })
  const listed = async (query = '') => (await client.call('GET', `${PATH}${query}`)).body

  /** The notes are written behind the answers. */
  const noted = async (count: number) => {
    while ((await listed()).data.length < count) await sleep(20)
  }

  it('are listed, the latest first, with who, what and why, page by page', async () => {
    const { status } = await debit('5')
    expect(status).to.equal(422)
    await client.call('POST', '/api/v1/kwlt/wallets', { body: { id: 'w', kind: 'business' } })
    await noted(2)
    const { data } = await listed()
    expect(data.map(({ command, code }: Record<string, string>) => [command, code])).to.deep.equal([
      ['wallet.open', 'wallet_already_open'],
      ['wallet.debit', 'insufficient_funds'],
    ])
    expect(data[1]).to.include({ number: '0', id: 'w', actor: 'mira' })
    expect(Date.parse(data[1].at)).to.be.closeTo(Date.now(), 60_000)

    const first = await listed('?limit=1')
    expect(first.pagination).to.include({ limit: 1, has_more: true })
    const second = await listed(`?limit=1&after=${first.pagination.next}`)
    expect(second.data).to.deep.equal([data[1]])
    expect(second.pagination).to.deep.equal({ limit: 1, has_more: false })
  })

  it('are found by what was refused and by the code', async () => {
    expect((await listed('?code=insufficient_funds')).data).to.have.length(1)
    expect((await listed('?command=wallet.open&actor=mira&id=w')).data).to.have.length(1)
    expect((await listed('?actor=ben')).data).to.deep.equal([])
  })

  it('are for auditors and administrators of the organization alone', async () => {
    const auditor = await app.clientOf('acme', 'auditor', 'aya')
    expect((await auditor.call('GET', PATH)).body.data).to.have.length(2)
    const member = await app.clientOf('acme', 'team-member', 'ben')
    expect((await member.call('GET', PATH)).status).to.equal(403)
    const other = await app.clientOf('globex')
    expect((await other.call('GET', PATH)).body.data).to.deep.equal([])
  })

  it('are not written by a dry run, nor by what is no refusal', async () => {
    await client.call('POST', '/api/v1/kwlt/wallets/w/debits?dry_run=true', {
      body: { account: 'main', currency: 'EUR', amount: '7' },
    })
    await client.call('POST', '/api/v1/kwlt/wallets/nope/debits', {
      body: { account: 'main', currency: 'EUR', amount: '7' },
    })
    await debit('9')
    await noted(3)
    expect((await listed()).data[0]).to.include({ command: 'wallet.debit', number: '2' })
  })
})
