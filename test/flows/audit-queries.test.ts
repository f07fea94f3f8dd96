import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { administrationTypes } from '../../domain/audit/administration.ts'
import { csvLines } from '../../domain/record/csv.ts'
import { eventTypes } from '../../infra/catalogue.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const KMG = '/api/v1/kmg'
type Row = Readonly<Record<string, unknown>> & { readonly depth: number; readonly data: Row }

describe('audit queries', () => {
  let app: App
  let mira: Client
  before(async () => {
    app = await startApp({ worker: true })
    mira = await app.clientOf('acme', 'organization-admin', 'mira')
    for (const id of ['a', 'b']) {
      await post('/kwlt/wallets', { id, kind: 'business' })
      await post(`/kwlt/wallets/${id}/accounts`, { account: 'main', currency: 'EUR', overdraft: 'allowed' })
    }
  })
  after(() => app?.close())

  const post = async (path: string, body: object) => {
    const answer = await mira.call('POST', `/api/v1${path}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.be.oneOf([200, 201])
    return answer
  }
  const read = async (path: string, by = mira) => {
    const answer = await by.call('GET', `${KMG}${path}`)
    expect(answer.status, `${path} ${JSON.stringify(answer.body)}`).to.equal(200)
    return answer
  }
  const list = async (path: string): Promise<readonly Row[]> => (await read(path)).body.data

  it('show what one request led to as a tree, each event behind the one that led to it', async () => {
    const made = await post('/kwlt/transfers', {
      id: 't',
      from: 'a',
      from_account: 'main',
      to: 'b',
      to_account: 'main',
      currency: 'EUR',
      amount: '70',
    })
    const { position } = made.body.data
    const tree = async () => list(`/causes?of=${position}&at_least=${position}&wait=9000`)
    let nodes = await tree()
    while (!nodes.some(({ type }) => type === 'TransferCompleted')) {
      await sleep(20)
      nodes = await tree()
    }
    const [first, ...others] = nodes
    expect(first).to.include({ depth: 0, type: 'TransferRequested', actor: 'mira', category: 'transfer' })
    expect(first!.parent).to.equal(undefined)
    expect(first!.text).to.contain('mira')
    for (const { parent, depth, on_behalf_of, actor, causation_id } of others) {
      expect(depth).to.be.greaterThan(0)
      expect(nodes.find(({ event_id }) => event_id === parent)).to.include({ depth: depth - 1 })
      expect(causation_id).to.equal(parent)
      expect(actor).to.equal('process:transfer')
      expect(on_behalf_of).to.equal('mira')
    }
    expect(others.map(({ category }) => category)).to.include.members(['wallet', 'transfer'])
    expect(await list(`/causes?of=${first!.correlation_id}`)).to.deep.equal(nodes)
    expect(await list('/audit-log?on_behalf_of=mira&limit=500')).to.have.length(others.length)

    const file = csvLines((await read(`/causes.csv?of=${position}`)).body as string).lines
    expect(file).to.have.length(nodes.length + 1)
    expect(file[0]!.fields.slice(0, 3)).to.deep.equal(['depth', 'parent', 'position'])
    expect(file.slice(1).map(({ fields }) => fields[3])).to.deep.equal(nodes.map(({ event_id }) => event_id))
  })

  it('know one event or one request, and no other', async () => {
    expect((await mira.call('GET', `${KMG}/causes`)).status).to.equal(400)
    expect((await mira.call('GET', `${KMG}/causes?of=nothing`)).status).to.equal(404)
    const [any] = await list('/audit-log?limit=1')
    const other = await app.clientOf('globex')
    expect((await other.call('GET', `${KMG}/causes?of=${any!.position}`)).status).to.equal(404)
  })

  it('say what anything was before and after, as it was read then', async () => {
    const { body: before } = await post('/kwlt/wallets/a/credits', { account: 'main', currency: 'EUR', amount: '500' })
    const { body: after } = await post('/kwlt/wallets/a/debits', { account: 'main', currency: 'EUR', amount: '20' })
    const of = encodeURIComponent('/kwlt/wallets/a/accounts/main/EUR')
    const span = `from=${before.data.position}&to=${after.data.position}&at_least=${after.data.position}`
    const { data } = (await read(`/differences?of=${of}&${span}`)).body
    expect(BigInt(data.before.balance) - BigInt(data.after.balance)).to.equal(20n)
    expect(data.changes.balance).to.deep.equal({ from: data.before.balance, to: data.after.balance })
    const then = await mira.call('GET', `/api/v1/kwlt/wallets/a/accounts/main/EUR?as_of=${before.data.position}`)
    expect(data.before).to.deep.equal(then.body.data)
    const first = await read(`/differences?of=${of}&from=0`)
    expect(first.body.data.before).to.equal(null)
    expect(first.body.data.changes.account).to.deep.equal({ from: null, to: 'main' })
  })

  it('refuse what is no thing, and what the caller may not read', async () => {
    const status = async (query: string, by = mira) => (await by.call('GET', `${KMG}/differences?${query}`)).status
    expect(await status('from=0')).to.equal(400)
    expect(await status('of=%2Fkwlt%2Fwallets&from=0')).to.equal(400)
    expect(await status('of=%2Fkwlt%2Fwallets%2Fa')).to.equal(400)
    expect(await status('of=%2Fkwlt%2Fwallets%2F%25&from=0')).to.equal(400)
    expect(await status('of=%2Fkwlt%2Fwallets%2Fnone&from=0')).to.equal(404)
    const auditor = await app.clientOf('acme', 'auditor', 'aya')
    expect(await status('of=%2Fkwlt%2Fwallets%2Fa&from=0', auditor)).to.equal(200)
    expect(await status('of=%2Fkhub%2Finboxes%2Fmira&from=0', auditor)).to.equal(403)
    const member = await app.clientOf('acme', 'team-member', 'ben')
    expect(await status('of=%2Fkwlt%2Fwallets%2Fa&from=0', member)).to.equal(403)
  })

  it('list administration alone, all types of which are events', async () => {
    expect(eventTypes).to.include.members([...administrationTypes])
    const { body } = await post('/kwlt/wallets/a/users', { user: 'mira', right: 'manage' })
    const rows = await list(`/administration?at_least=${body.data.position}`)
    expect(rows.map(({ type, actor }) => [type, actor])).to.deep.equal([['AccessGranted', 'mira']])
    expect(await list('/administration?type=EntryPosted')).to.deep.equal([])
    const log = await list('/audit-log?limit=500')
    expect(rows[0]).to.deep.equal(log.find(({ position }) => position === body.data.position))
    const [{ count }] = (await list('/administration/summary')) as [Row]
    expect(count).to.equal(1)
  })

  it('write lists as CSV over all pages, and say where a file goes on', async () => {
    const log = await list('/audit-log?limit=500')
    const lines = csvLines((await read('/audit-log.csv')).body as string).lines.map(({ fields }) => fields)
    const at = lines[0]!.indexOf('position')
    expect(lines.slice(1).map(fields => fields[at])).to.deep.equal(log.map(({ position }) => position))
    expect(lines[1]![lines[0]!.indexOf('roles')]).to.equal('["organization-admin"]')
    const part = await read('/audit-log.csv?limit=3')
    const next = part.headers['kogi-next'] as string
    expect(csvLines(part.body as string).lines).to.have.length(4)
    const rest = csvLines((await read(`/audit-log.csv?after=${next}`)).body as string).lines
    expect(rest).to.have.length(log.length - 3 + 1)
    expect((await read('/refused-commands.csv')).body).to.match(/^number,command,/)
  })
})
