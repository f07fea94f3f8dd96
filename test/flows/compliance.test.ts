import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { csvLines } from '../../domain/record/csv.ts'
import { silentLog } from '../../infra/log.ts'
import { noteOperation } from '../../infra/operations.ts'
import { controls } from '../../read-api/compliance/controls.ts'
import { EVIDENCE } from '../../read-api/compliance/evidence.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const KMG = '/api/v1/kmg'
const CONTROLS = `${KMG}/compliance/controls`
type Row = Readonly<Record<string, unknown>>
type Found = { readonly name: string; readonly complete: boolean; readonly rows: readonly Row[] }

describe('compliance', function compliance() {
  this.timeout(60_000)
  let app: App
  let admin: Client
  let auditor: Client
  before(async () => {
    app = await startApp({ worker: true })
    admin = await app.clientOf('acme', 'organization-admin', 'mira')
    auditor = await app.clientOf('acme', 'auditor', 'aya')
  })
  after(() => app?.close())

  const post = async (path: string, body: object): Promise<string> => {
    const answer = await admin.call('POST', `/api/v1${path}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.be.oneOf([200, 201])
    return answer.body.data.position
  }
  const control = async (id: string, query = '', by = auditor) => {
    const { status, body } = await by.call('GET', `${CONTROLS}/${id}${query}`)
    expect(status, JSON.stringify(body)).to.equal(200)
    return body.data as Row & { readonly evidence: readonly Found[] }
  }
  const rows = async (id: string, name: string, query = '', by = auditor) =>
    (await control(id, query, by)).evidence.find(each => each.name === name)!.rows
  /** Asks until there are rows: read models and notes follow. */
  async function some(id: string, name: string): Promise<readonly Row[]> {
    let found = await rows(id, name)
    while (found.length === 0) {
      await sleep(50)
      found = await rows(id, name)
    }
    return found
  }

  it('lists what is asked, and says which of it nothing here can show', async () => {
    const { data } = (await auditor.call('GET', CONTROLS)).body
    expect(new Set(data.map(({ id }: Row) => id)).size).to.equal(controls.length)
    for (const { status, evidence, gap, id } of data) {
      expect(status, id).to.equal(evidence.length === 0 ? 'gap' : gap === undefined ? 'evidenced' : 'partly')
      expect(evidence.length > 0 || gap !== undefined, id).to.equal(true)
    }
    expect([...new Set(controls.flatMap(({ evidence }) => evidence))]).to.have.members([...EVIDENCE])
    const gaps = (await auditor.call('GET', `${CONTROLS}?status=gap&framework=iso27001`)).body.data
    expect(gaps.map(({ number }: Row) => number)).to.include('A.8.5')
  })

  it('shows changes of rights and who has them, refusals, erasures with their times, and backups', async () => {
    await post('/kwlt/wallets', { id: 'w', kind: 'business' })
    await post('/kwlt/wallets/w/users', { user: 'mira', right: 'manage' })
    expect(await some('soc2-cc6.3', 'rights')).to.have.length(1)
    expect((await some('soc2-cc6.3', 'access_review'))[0]).to.include({ wallet: 'w', user: 'mira', right: 'manage' })

    await admin.call('POST', '/api/v1/kwlt/wallets', { body: { id: 'w', kind: 'business' } })
    expect((await some('soc2-cc6.1', 'refusals'))[0]).to.include({ code: 'wallet_already_open', actor: 'mira' })

    await post(`/kmg/erasures`, { subject: 'jon', basis: 'objection', reason: 'Asked.' })
    while ((await some('iso27001-a.8.10', 'erasures'))[0]!.completed_at === undefined) await sleep(50)

    await noteOperation(app.urls, silentLog, { what: 'backup_made', done: 'the log up to position 1' })
    expect((await some('iso27001-a.8.13', 'operations'))[0]).to.include({ what: 'backup_made' })
    const [seal] = await rows('iso27001-a.8.15', 'sealing')
    expect(Number(seal!.events)).to.equal(Number(seal!.sealed) + Number(seal!.not_yet_sealed))
    expect(Number(seal!.events)).to.be.at.least(4)
  })

  it('is of a period, and of one organization', async () => {
    const before = '?from=2020-01-01&to=2020-12-31'
    expect(await rows('soc2-cc6.3', 'rights', before)).to.deep.equal([])
    expect(await rows('soc2-cc6.1', 'refusals', before)).to.deep.equal([])
    expect(await rows('soc2-cc6.3', 'access_review', before), 'of now').to.have.length(1)
    const other = await app.clientOf('globex')
    for (const { id } of controls) {
      for (const { name, rows: found } of (await control(id, '', other)).evidence) {
        if (!['operations', 'sealing', 'sensitive_reads'].includes(name))
          expect(found, `${id} ${name}`).to.deep.equal([])
      }
    }
  })

  it('is a pack to keep: as data, as a table and as a page', async () => {
    const pack = async (id: string, format: string) =>
      (await auditor.call('GET', `${CONTROLS}/${id}/pack?format=${format}`)).body
    const data = await control('soc2-cc6.3')
    expect(data.evidence.map(({ name }: Found) => name)).to.deep.equal(['rights', 'access_review'])
    const { lines } = csvLines(await pack('soc2-cc6.3', 'csv'))
    expect(lines[0]!.fields[0]).to.equal('query')
    expect(lines.slice(1).map(({ fields }) => fields[0])).to.deep.equal(['rights', 'access_review'])
    expect(await pack('soc2-cc6.3', 'html'))
      .to.contain('CC6.3')
      .and.contain('AccessGranted')
      .and.not.contain('<script')
    expect(await pack('iso27001-a.8.5', 'html'))
      .to.contain('Not shown here')
      .and.contain('no evidence')
  })

  it('is for auditors and administrators, and refuses what it does not know', async () => {
    const member = await app.clientOf('acme', 'team-member', 'ben')
    expect((await member.call('GET', CONTROLS)).status).to.equal(403)
    expect((await auditor.call('GET', `${CONTROLS}/soc2-cc99`)).status).to.equal(404)
    expect((await auditor.call('GET', `${CONTROLS}/soc2-cc6.1?from=2026-02-01&to=2026-01-01`)).status).to.equal(400)
    expect((await auditor.call('GET', `${CONTROLS}/soc2-cc6.1?from=today`)).status).to.equal(400)
  })
})
