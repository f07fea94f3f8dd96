import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { resources } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { noteOperation } from '../../infra/operations.ts'
import { notedReads, sensitiveReads } from '../../infra/sensitive-reads.ts'
import { sensitiveOperations } from '../../read-api/audit/sensitive-reads.ts'
import { readRoutes } from '../../read-api/routes.ts'
import { type App, startApp } from '../support/app.ts'

const operationOf = ({ operationId }: { readonly operationId: string }) => operationId
/** The fields of an answer, or of the rows of a list. */
function fieldsOf(response: unknown): object {
  const { element, shape } = (response ?? {}) as { readonly element?: unknown; readonly shape?: object }
  return element === undefined ? (shape ?? {}) : fieldsOf(element)
}

/** Reads of the manager that show no personal data and nothing of what happened in an organization. */
const HARMLESS = [
  // The rules, not whom they are about; what is asked, not what shows it; how an installation is kept.
  ...['listRetentionRules', 'summarizeRetentionRules', 'getRetentionRule'],
  ...['listControls', 'listOperations', 'exportOperations'],
  // Which exports there are: what they hold, and whom they were opened for, is noted.
  ...['listAuditExports', 'summarizeAuditExports', 'getAuditExport'],
  // Hashes.
  ...['getLogCheckpoint', 'proveLogConsistency', 'getPlatformLogCheckpoint', 'provePlatformLogConsistency'],
]

const PATH = '/api/v1/kmg/sensitive-reads'
type Row = Readonly<Record<string, unknown>>

describe('sensitive reads', () => {
  let app: App
  before(async () => {
    app = await startApp()
  })
  after(() => app?.close())

  it('are noted with who and what, and how often, for auditors of the organization alone', async () => {
    const mira = await app.clientOf('acme', 'organization-admin', 'mira')
    const { body } = await mira.call('POST', '/api/v1/koff/notes', { body: { id: 'n', title: 'Sea', body: 'deep' } })
    const at = `at_least=${body.data.position}`
    for (let n = 0; n < 3; n += 1) await mira.call('GET', `/api/v1/koff/notes/n?${at}`)
    await mira.call('GET', '/api/v1/koff/notes/none')
    await mira.call('GET', '/api/v1/kctr/tasks')
    const auditor = await app.clientOf('acme', 'auditor', 'aya')
    await auditor.call('GET', '/api/v1/kmg/audit-log.csv')
    const read = async (query = ''): Promise<readonly Row[]> => (await auditor.call('GET', `${PATH}${query}`)).body.data
    while ((await read('?operation=exportAuditRecords')).length === 0) await sleep(50)
    const [note, ...others] = (await read('?actor=mira')) as [Row]
    expect(others).to.deep.equal([])
    expect(note).to.include({ operation: 'getNote', kind: 'personal_data', path: '/koff/notes/n', times: 3 })
    expect(await read('?path=%2Fkoff%2Fnotes%2Fn&kind=personal_data')).to.deep.equal([note])
    expect((await (await app.clientOf('globex')).call('GET', PATH)).body.data).to.deep.equal([])
    const member = await app.clientOf('acme', 'team-member', 'ben')
    expect((await member.call('GET', PATH)).status).to.equal(403)
  })

  it('are those of a thing at two positions as well, under the path of that thing', async () => {
    const iris = await app.clientOf('acme', 'organization-admin', 'iris')
    const { body } = await iris.call('POST', '/api/v1/koff/notes', { body: { id: 'a b', title: 'Sea', body: 'deep' } })
    const query = `of=/api/v1/koff/notes/a%2520b&from=0&at_least=${body.data.position}`
    expect((await iris.call('GET', `/api/v1/kmg/differences?${query}`)).status).to.equal(200)
    const read = async (): Promise<readonly Row[]> =>
      (await iris.call('GET', `${PATH}?operation=getDifference`)).body.data
    while ((await read()).length < 2) await sleep(50)
    expect((await read()).map(({ kind, path }) => [kind, path])).to.have.deep.members([
      ['audit', '/kmg/differences'],
      ['personal_data', '/koff/notes/a%20b'],
    ])
  })

  it('are declared: every one is an operation, and all rows with personal data are among them', () => {
    const routes = readRoutes({ resources, kinds: new Map(), memoryPermissions: new Map() } as never)
    const known = new Set(routes.map(({ operationId }) => operationId))
    const declared = [...sensitiveOperations(resources).keys()].filter(name => !/^(export|summarize)/.test(name))
    expect(declared.filter(name => !known.has(name))).to.deep.equal([])
    // Rows with personal data have a field that says where it was erased.
    const ofPersons = routes.filter(({ response }) => 'erased' in fieldsOf(response)).map(operationOf)
    expect(ofPersons).to.include.members(['listWallets', 'getWallet', 'getNote', 'getInbox'])
    expect(ofPersons.filter(name => !sensitiveOperations(resources).has(name))).to.deep.equal([])
    const kmgReads = routes.filter(({ tag, method }) => tag === 'kmg' && method === 'GET').map(operationOf)
    const silent = kmgReads.filter(name => !sensitiveOperations(resources).has(name))
    expect(silent.filter(name => !/^get(Platform)?LogTile[1-4]$/.test(name))).to.have.members(HARMLESS)
    expect(declared).to.include.members(['listLegalHolds', 'listHoldingsOfPersonalData', 'listConsents', 'getConsent'])
  })

  it('wait while the event store is away, are each noted once, and read page by page', async () => {
    const written: { reads: Row[] }[] = []
    let away = true
    const store = {
      keepFor: async () => {},
      async appendDerived(_: string, [event]: readonly { data: unknown }[]) {
        if (away) throw new Error('away')
        written.push(event!.data as { reads: Row[] })
      },
      async readDerived(_: string, __: string, limit: number, from = BigInt(written.length - 1)) {
        const events = written.map(
          (data, n) => ({ data, revision: BigInt(n), metadata: {} }) as never as { revision: bigint },
        )
        return events
          .filter(({ revision }) => revision <= from)
          .reverse()
          .slice(0, limit) as never
      },
    }
    let second = 0
    const now = () => {
      second += 1
      return `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`
    }
    const reads = sensitiveReads(store, silentLog, now)
    const request = { principal: { org: 'acme', subject: 'mira' }, correlationId: 'c' } as never
    const read = (path: string) => reads.note(request, { operation: 'getNote', kind: 'personal_data', path })
    for (let n = 0; n < 3; n += 1) read('/a')
    read('/b')
    await reads.close()
    expect(written).to.deep.equal([])
    read('/a')
    away = false
    await reads.close()
    const all = await notedReads(store, 'acme', 500)
    expect(
      all.map(({ path, times, at, until }) => [path, times, at.slice(17, 19), until.slice(17, 19)]),
    ).to.have.deep.members([
      ['/a', 4, '01', '05'],
      ['/b', 1, '04', '04'],
    ])
    const [first, last] = all
    expect(await notedReads(store, 'acme', 1)).to.deep.equal([first])
    expect(await notedReads(store, 'acme', 5, first!.number - 1n)).to.deep.equal([last])
  })
})

describe('operations', () => {
  it('of the installation are listed, the latest first', async () => {
    const app = await startApp()
    try {
      for (const position of ['1', '2'])
        await noteOperation(app.urls, silentLog, { what: 'backup_made', done: `the log up to position ${position}` })
      const auditor = await app.clientOf('acme', 'auditor', 'aya')
      const { body } = await auditor.call('GET', '/api/v1/kmg/operations?what=backup_made')
      expect(body.data.map(({ done }: Row) => done)).to.deep.equal([
        'the log up to position 2',
        'the log up to position 1',
      ])
    } finally {
      await app.close()
    }
  })
})
