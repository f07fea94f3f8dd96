import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

const MINUTES_MS = 60_000
const THROUGH_MS = 4_000

describe('campaigns', function () {
  this.timeout(120_000)
  let app: App
  let mira: Client
  let jon: Client
  /** Soon enough to wait for, late enough that everything is contributed before. */
  let deadline: string

  const sent = async (client: Client, path: string, body: object = {}, status = 201) => {
    const answer = await client.call('POST', `/api/v1/kwlt${path}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.equal(status)
    return answer.body
  }
  const until = async <T>(look: () => Promise<T>, isSo: (found: T) => boolean): Promise<T> => {
    for (const end = Date.now() + patient(30_000); ; await sleep(50)) {
      const found = await look()
      if (isSo(found)) return found
      if (Date.now() > end) expect.fail(`it stays as it is: ${JSON.stringify(found)}`)
    }
  }
  const read = async (path: string) => (await mira.call('GET', `/api/v1/kwlt${path}`)).body.data
  const campaign = (id: string, isSo: (row: Record<string, string>) => boolean) =>
    until(
      () => read(`/campaigns/${id}`) as Promise<Record<string, string>>,
      row => row !== undefined && isSo(row),
    )
  const open = (id: string, more: object = {}) =>
    sent(mira, '/campaigns', {
      id,
      wallet: 'studio',
      account: 'main',
      currency: 'EUR',
      purpose: 'fundraising',
      title: `Campaign ${id}`,
      goal: '1000',
      deadline,
      settlement: 'all_or_nothing',
      ...more,
    })
  const contribute = async (client: Client, id: string, amount: string, from = 'purse') => {
    const { data } = await sent(client, `/campaigns/${id}/contributions`, { from, from_account: 'main', amount })
    return data.events[0].data.contribution as string
  }
  const balances = async () => {
    const rows = (await read('/accounts')) as Record<string, string>[]
    return Object.fromEntries(rows.map(({ wallet, balance, held }) => [wallet, `${balance}/${held}`]))
  }

  before(async () => {
    app = await startApp({ worker: true })
    mira = await app.clientOf('studio', 'organization-admin', 'mira')
    jon = await app.clientOf('studio', 'team-lead', 'jon')
    for (const id of ['studio', 'purse', 'other']) {
      await sent(mira, '/wallets', { id, kind: 'business' })
      await sent(mira, `/wallets/${id}/accounts`, { account: 'main', currency: 'EUR', overdraft: 'refused' })
    }
    for (const id of ['purse', 'other']) {
      await sent(mira, `/wallets/${id}/credits`, { account: 'main', currency: 'EUR', amount: '10000' })
    }
    deadline = new Date(Date.now() + patient(THROUGH_MS)).toISOString()
  })
  after(() => app?.close())

  it('hold contributions, and collect or return them by what is raised at the deadline', async () => {
    await open('reached')
    await open('missed')
    await open('kept', { settlement: 'keep_what_you_raise', purpose: 'marketing' })
    await open('later', { deadline: new Date(Date.now() + 60 * MINUTES_MS).toISOString() })
    await contribute(jon, 'reached', '700')
    await contribute(mira, 'reached', '300', 'other')
    await contribute(jon, 'missed', '999')
    await contribute(jon, 'kept', '5')
    const refused = await contribute(jon, 'kept', '999999')
    const back = await contribute(jon, 'later', '50')
    await campaign('reached', ({ raised }) => raised === '1000')
    await campaign('later', ({ raised }) => raised === '50')
    const other = await mira.call('POST', `/api/v1/kwlt/campaigns/later/contributions/${back}/withdraw`, { body: {} })
    expect([other.status, other.body.error.code]).to.deep.equal([422, 'contribution_of_another'])
    await sent(jon, `/campaigns/later/contributions/${back}/withdraw`, {}, 200)
    const ended = (row: Record<string, string>) => row.settled_at !== undefined
    const picked = ({ status, raised, collected, returned }: Record<string, string>) => [
      status,
      raised,
      collected,
      returned,
    ]
    expect(picked(await campaign('reached', ended))).to.deep.equal(['succeeded', '1000', '1000', '0'])
    expect(picked(await campaign('missed', ended))).to.deep.equal(['failed', '999', '0', '999'])
    expect(picked(await campaign('kept', ended))).to.deep.equal(['succeeded', '5', '5', '0'])
    await until(balances, found => found.purse === '9295/0')
    expect(await balances()).to.deep.equal({ studio: '1005/0', purse: '9295/0', other: '9700/0' })
    const contribution = await read(`/campaigns/kept/contributions/${refused}`)
    expect([contribution.status, contribution.refusal]).to.deep.equal(['refused', 'insufficient_funds'])
    const { body } = await mira.call('GET', '/api/v1/kwlt/campaigns/reached/contributions?status=collected')
    expect(body.data.map(({ amount }: { amount: string }) => amount).toSorted()).to.deep.equal(['300', '700'])
  })

  it('return everything when they are cancelled, once', async () => {
    await open('gone', { deadline: new Date(Date.now() + 60 * MINUTES_MS).toISOString() })
    for (let n = 0; n < 60; n++) await contribute(jon, 'gone', '10')
    await campaign('gone', ({ raised }) => raised === '600')
    await sent(mira, '/campaigns/gone/cancel', {}, 200)
    const { returned, status } = await campaign('gone', row => row.settled_at !== undefined)
    expect([status, returned]).to.deep.equal(['cancelled', '600'])
    await until(balances, found => found.purse === '9295/0')
    const late = await jon.call('POST', '/api/v1/kwlt/campaigns/gone/contributions', {
      body: { from: 'purse', from_account: 'main', amount: '1' },
    })
    expect([late.status, late.body.error.code]).to.deep.equal([422, 'campaign_ended'])
  })

  it('are not paid into a wallet that takes nothing: all is returned', async () => {
    await sent(mira, '/wallets', { id: 'shut', kind: 'business' })
    await sent(mira, '/wallets/shut/accounts', { account: 'main', currency: 'EUR', overdraft: 'refused' })
    const soon = new Date(Date.now() + patient(2_000)).toISOString()
    await open('shut', { wallet: 'shut', goal: '10', deadline: soon })
    await contribute(jon, 'shut', '10')
    await campaign('shut', ({ raised }) => raised === '10')
    await sent(mira, '/wallets/shut/close', {}, 200)
    const { status, collected, returned, refusal } = await campaign('shut', row => row.settled_at !== undefined)
    expect([status, collected, returned, refusal]).to.deep.equal(['undelivered', '0', '10', 'wallet_closed'])
  })

  it('end at once where their wallet has no such account', async () => {
    await open('nowhere', { account: 'vault', deadline: new Date(Date.now() + 60 * MINUTES_MS).toISOString() })
    const { status, refusal } = await campaign('nowhere', row => row.settled_at !== undefined)
    expect([status, refusal]).to.deep.equal(['failed', 'account_not_open'])
  })
})
