import { randomUUID } from 'node:crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'chai'
import { execute } from '../../commands/execute.ts'
import { auditExport } from '../../domain/audit/export/export.ts'
import { mail } from '../../domain/hub/mail/mail.ts'
import { campaign } from '../../domain/wallet/campaign/campaign.ts'
import { paymentBatch } from '../../domain/wallet/paymentbatch/paymentbatch.ts'
import { transfer } from '../../domain/wallet/transfer/transfer.ts'
import type { OpenApi } from '../../infra/http/openapi.ts'
import { silentLog } from '../../infra/log.ts'
import { give } from '../../infra/things.ts'
import { openWriteSide } from '../../infra/write-side.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { exchangeExamples, exchangeOf } from '../support/exchange.ts'
import { isOfNotary, isOfSignIn, isOfWorker } from '../support/operations.ts'
import { secretExamples } from '../support/secrets.ts'
import { versionExamples } from '../support/version-examples.ts'
import { requestedDelivery } from '../webhooks/support.ts'

type Json = { readonly [key: string]: unknown }
type Parameter = { readonly name: string; readonly in: string; readonly required?: boolean; readonly example?: string }
type Content = {
  readonly content?: { readonly 'application/json': { readonly schema: Json; readonly example?: Json } }
}
type Operation = {
  readonly method: string
  readonly path: string
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content & { readonly $ref?: string }>>
}

/** What ends a thing comes last, behind what ends a part of it; what reads comes before that, what changes first. */
const orderOf = ({ method, path }: Operation): number =>
  method === 'DELETE' || /\/close$|\/sprints\/\{id\}\/complete$/.test(path) ? 2 : method === 'GET' ? 1 : 0

const depthOf = ({ path }: Operation): number => path.split('/').length

/** Reads of what no client names, or that need something more. */
const UNNAMED = new Set(
  (
    'getEntry getDelivery getMail getImport import.undo getValuation wallet.convert transfer.approve ' +
    'transfer.decline paymentbatch.approve paymentbatch.decline sprint.remove getAuditExport getFile ' +
    'getFileContent file.change file.remove auction.bid auction.buy getBid listVersions restoreVersion ' +
    'listBriefcaseVersions restoreBriefcaseVersion negotiation.counter negotiation.accept negotiation.decline'
  ).split(' '),
)

const STREAMS = new Set(['/events', '/ws'])

describe('the examples of the OpenAPI document', () => {
  let app: App
  let client: Client
  let operator: Client
  let api: OpenApi
  let operations: readonly Operation[]
  let made = '0'
  let others: ReturnType<typeof exchangeOf>
  let exchange: ReturnType<typeof exchangeExamples>
  let ajv: Ajv2020

  before(async () => {
    app = await startApp()
    // An inbox is of its caller alone: it is called as they are.
    client = await app.clientOf('examples', 'organization-admin', 'mira')
    operator = await app.clientOf('examples', 'platform-admin', 'olga')
    others = exchangeOf(await app.clientOf('examples', 'organization-admin', 'jon'))
    exchange = exchangeExamples(app, client)
    api = (await client.call('GET', '/openapi.json')).body
    const listed = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
    ) as unknown as readonly Operation[]
    const isForm = ({ requestBody }: Operation) => requestBody && !requestBody.content?.['application/json']
    const isOther = (each: Operation) => isOfNotary(each) || isOfWorker(each) || isForm(each) || isOfSignIn(each)
    const answered = listed.filter(each => !STREAMS.has(each.path) && !isOther(each))
    const [first, then, last] = [0, 1, 2].map(order => answered.filter(operation => orderOf(operation) === order))
    // Nothing of an archived item can be ended, its binders and files least of all.
    const isArchiving = ({ operationId }: Operation) => operationId === 'item.archive'
    const ends = last!.toSorted((a, b) => depthOf(b) - depthOf(a))
    const whole = [...ends.filter(each => !isArchiving(each)), ...ends.filter(isArchiving)]
    operations = [...first!, ...then!, ...whole]
    ajv = new Ajv2020({ strict: false, validateFormats: false })
    ajv.addSchema({ $id: 'api', components: api.components })
  })
  after(() => app?.close())

  /** The path of an operation with its example filled in; what no client names has an id of its own. */
  async function exampleUrl({ path, parameters = [], operationId }: Operation): Promise<string> {
    const url = new URL(path, 'http://x')
    let filled = path
    for (const { name, in: place, required, example } of parameters.filter(each => each.required)) {
      const other = name !== 'id' || UNNAMED.has(operationId) ? OTHER[operationId] : undefined
      const value = (await (other ?? exchange[operationId])?.(name)) || example
      expect(value, `${operationId} has no example for ${place} ${name}, required ${required}`).to.be.a('string')
      if (place === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(value!))
      else url.searchParams.set(name, value!)
    }
    return `/api/v1${filled}${url.search}`
  }
  async function fileId(): Promise<string> {
    const raw = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nA.\r\n--x--\r\n'
    const headers = { 'content-type': 'multipart/form-data; boundary=x', 'Idempotency-Key': 'a-file' }
    const added = await client.call('POST', '/api/v1/kbfc/items/item-1/files', { raw, headers })
    const wanted = { 'kogi-min-position': String(added.headers['kogi-position']) }
    await client.call('GET', '/api/v1/kbfc/files', { headers: wanted })
    return added.body.data.id
  }
  const importId = async () => {
    const headers = { 'kogi-min-position': made }
    return (await client.call('GET', '/api/v1/kwlt/imports', { headers })).body.data[0].id
  }
  /** A contribution of the caller that is held, as a worker would. */
  async function contributed(): Promise<string> {
    const body = { from: 'studio', from_account: 'savings', amount: '1' }
    const path = '/api/v1/kwlt/campaigns/atlas/contributions'
    const { contribution } = (await client.call('POST', path, { body })).body.data.events[0].data
    const { deps, close } = openWriteSide(app.urls, app.config, silentLog)
    const asked = { by: 'campaign', name: 'recordHold', body: { contribution }, part: contribution } as const
    const { position } = await give(deps, campaign, { org: 'examples', id: 'atlas' }, asked)
    await close()
    await client.call('GET', path, { headers: { 'kogi-min-position': String(position) } })
    return contribution
  }
  /** The export of the examples is completed, as a worker would. */
  async function exported(): Promise<void> {
    const { deps, close } = openWriteSide(app.urls, app.config, silentLog)
    const body = { export: 'wallets-2026', events: 0, bytes: 1n, sha256: 'a'.repeat(64), head: 1n }
    const given = { by: 'exports', name: 'complete', body, part: '' } as const
    await give(deps, auditExport, { org: 'examples', id: auditExport.only! }, given)
    await close()
  }
  /** A transfer that another user asked for, and that waits for approval, as a worker would make it wait. */
  async function waiting(): Promise<string> {
    const { deps, close } = openWriteSide(app.urls, app.config, silentLog)
    const made = { org: 'examples', id: randomUUID() }
    const account = { from: 'studio', from_account: 'checking', to: 'studio', to_account: 'savings', currency: 'EUR' }
    await give(deps, transfer, made, { by: 'transfer', name: 'request', body: { ...account, amount: 1n }, part: '' })
    await give(deps, transfer, made, { by: 'transfer', name: 'askApproval', body: { approvers: [] }, part: '' })
    await close()
    return made.id
  }
  async function waitingBatch(): Promise<string> {
    const { deps, close } = openWriteSide(app.urls, app.config, silentLog)
    const made = { org: 'examples', id: randomUUID() }
    const payments = [{ to: 'studio', to_account: 'savings', amount: 1n }]
    const body = { from: 'studio', from_account: 'checking', currency: 'EUR', payments }
    await give(deps, paymentBatch, made, { by: 'payment', name: 'request', body, part: '' })
    const waits = { payment: 1, approvers: [] }
    await give(deps, paymentBatch, made, { by: 'payment', name: 'recordWaiting', body: waits, part: '' })
    await close()
    return made.id
  }
  /** Records a rate of today; no example can name the day. */
  async function priced(base: string, quote: string): Promise<undefined> {
    const rates = [{ day: new Date().toISOString().slice(0, 10), base, quote, rate: '1.0887' }]
    const { headers } = await client.call('PUT', '/api/v1/kwlt/rate-tables/ecb/rates', { body: { rates } })
    const wanted = { 'kogi-min-position': String(headers['kogi-position']) }
    await client.call('GET', '/api/v1/kwlt/rate-tables/ecb/rates', { headers: wanted })
  }
  /** Makes a part of a task, and waits until it can be read. */
  async function partOfTask(part: 'comment' | 'entry'): Promise<string> {
    const time = { minutes: 60, worked_on: '2026-11-20', rate: '6000', currency: 'EUR' }
    const [path, body] = part === 'comment' ? ['comments', { text: 'x' }] : ['time-entries', time]
    const { headers, body: made } = await client.call('POST', `/api/v1/kctr/tasks/task-1/${path}`, { body })
    const position = { 'kogi-min-position': String(headers['kogi-position']) }
    await client.call('GET', `/api/v1/kctr/tasks/task-1/${path}`, { headers: position })
    return made.data.events[0].data[part]
  }
  /** Values of their own: no client names an entry, and a hold that was captured cannot be released. */
  const OTHER: Readonly<Record<string, (name: string) => Promise<string | undefined>>> = {
    getEntry: async () => (await client.call('GET', '/api/v1/kwlt/entries')).body.data[0].id,
    getFile: () => fileId(),
    getFileContent: () => fileId(),
    'file.change': () => fileId(),
    'file.remove': () => fileId(),
    'auction.bid': () => others.auction(),
    'auction.buy': () => others.auction({ buy_now: '9000' }),
    getBid: name => others.bid(name, client),
    'negotiation.counter': () => others.negotiation('mira'),
    'negotiation.accept': () => others.negotiation('mira'),
    'negotiation.decline': () => others.negotiation('mira'),
    getImport: () => importId(),
    'import.undo': () => importId(),
    async getDelivery() {
      const { deps, close } = openWriteSide(app.urls, app.config, silentLog)
      const receipt = await execute(deps, requestedDelivery('examples'))
      await close()
      const headers = { 'kogi-min-position': String(receipt.position) }
      await client.call('GET', '/api/v1/kapp/deliveries', { headers })
      return receipt.id
    },
    async getMail() {
      const { deps, close } = openWriteSide(app.urls, app.config, silentLog)
      const made = { org: 'examples', id: randomUUID() }
      const asked = { by: 'mailer', name: 'request', body: { user: 'mira', upTo: 1n }, part: '' } as const
      const { position } = await give(deps, mail, made, asked)
      await close()
      const headers = { 'kogi-min-position': String(position) }
      await client.call('GET', '/api/v1/khub/mails', { headers })
      return made.id
    },
    async 'wallet.convert'() {
      const path = '/api/v1/kwlt/wallets'
      await client.call('POST', path, { body: { id: 'abroad', kind: 'personal' } })
      for (const [account, currency] of [
        ['checking', 'EUR'],
        ['dollars', 'USD'],
      ]) {
        await client.call('POST', `${path}/abroad/accounts`, { body: { account, currency, overdraft: 'allowed' } })
      }
      return 'abroad'
    },
    getContribution: async () =>
      (await client.call('GET', '/api/v1/kwlt/campaigns/atlas/contributions')).body.data[0].contribution,
    'campaign.withdraw': () => contributed(),
    getPayment: async () => '1',
    'transfer.approve': () => waiting(),
    'transfer.decline': () => waiting(),
    'paymentbatch.approve': () => waitingBatch(),
    'paymentbatch.decline': () => waitingBatch(),
    ...versionExamples,
    getBacklogItem: async name => (name === 'rank' ? 'V' : undefined),
    'task.changeComment': () => partOfTask('comment'),
    'task.removeComment': () => partOfTask('comment'),
    getTaskComment: () => partOfTask('comment'),
    'task.correctTime': () => partOfTask('entry'),
    'task.removeTime': () => partOfTask('entry'),
    'task.postTime': () => partOfTask('entry'),
    getTaskTimeEntry: () => partOfTask('entry'),
    async 'taskgraph.addDependency'() {
      await client.call('POST', '/api/v1/kctr/tasks', { body: { id: 'task-2', name: 'Print the menu' } })
      return 'task-2'
    },
    async 'sprint.remove'() {
      const body = { id: 'sprint-2', name: 'Cards', start_date: '2026-11-16', end_date: '2026-11-27' }
      await client.call('POST', '/api/v1/kctr/sprints', { body })
      return 'sprint-2'
    },
    ...secretExamples(() => client),
    getAuditExport: async () => 'wallets-2026',
    getControl: async () => 'soc2-cc6.1',
    exportControl: async () => 'soc2-cc6.1',
    getPerson: async () => 'mira',
    getPersonPage: async () => 'mira',
    listCauses: async () => made,
    exportCauses: async () => made,
    getDifference: async name => (name === 'of' ? '/kwlt/wallets/studio' : '0'),
    getExchange: () => priced('EUR', 'USD'),
    getValuation: () => priced('ACME', 'EUR'),
    async 'wallet.reverse'() {
      const path = '/api/v1/kwlt/entries?counterparty=external:supplies&wait=10000'
      const { headers } = await client.call('POST', '/api/v1/kwlt/wallets/studio/unfreeze')
      const position = { 'kogi-min-position': String(headers['kogi-position']) }
      return (await client.call('GET', path, { headers: position })).body.data[0].id
    },
    'wallet.release': async () => {
      const other = { account: 'other', currency: 'EUR' }
      const wallet = '/api/v1/kwlt/wallets/studio'
      await client.call('POST', `${wallet}/accounts`, { body: { ...other, overdraft: 'allowed' } })
      await client.call('POST', `${wallet}/holds`, { body: { ...other, hold: 'other', amount: '1' } })
      return 'other'
    },
  }

  function mustFit({ responses, operationId }: Operation, status: number, body: unknown): void {
    const content = responses[status]?.content?.['application/json']
    expect(responses, `${operationId} ${status}`).to.have.property(String(status))
    if (!content) return
    const valid = ajv.compile(JSON.parse(JSON.stringify(content.schema).replaceAll('"#/', '"api#/')))
    expect(valid(body), `${operationId}: ${JSON.stringify(valid.errors)}`).to.equal(true)
  }

  it('work as they stand, every one, and are answered as the document says', async () => {
    let position = '0'
    for (const operation of operations) {
      const { method, operationId, requestBody } = operation
      const body = requestBody?.content?.['application/json'].example
      if (requestBody) expect(body, `${operationId}: give its command an example, with \`meta\``).to.be.an('object')
      const url = await exampleUrl(operation)
      const headers = method === 'GET' ? { 'kogi-min-position': position } : {}
      const by = operation.path.startsWith('/kmg/platform/') ? operator : client
      const answer = await by.call(method, url, { headers, ...(body && { body }) })
      const said = `${method} ${url} ${JSON.stringify(body)} → ${answer.status} ${JSON.stringify(answer.body)}`
      expect(answer.status, said).to.be.within(200, 299)
      mustFit(operation, answer.status, answer.body)
      for (const { error } of answer.body?.data?.results ?? [])
        expect(error?.code ?? '', said).to.match(/^$|_exists$|_already/)
      if (operationId === 'export.request') await exported()
      if (operationId === 'platform.beginMaintenance') await by.call('DELETE', '/api/v1/kmg/platform/maintenance')
      if (method !== 'GET') made = position = String(answer.headers['kogi-position'])
      else if (operationId === 'searchMemories') expect(answer.body.data, said).to.not.be.empty
    }
  })
})
