/** Secrets over HTTP, and that their values are nowhere but in the answers of leases. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { type Child, ENTRY, startChild } from '../../infra/children.ts'
import { loadConfig } from '../../infra/config.ts'
import { kogi } from '../../scripts/running.ts'
import { type Answer, type Client, client, untilReady } from '../support/client.ts'
import { patientSettings } from '../support/pace.ts'

const reason = 'So it is.'
const canary = (): string => `canary-${randomBytes(12).toString('hex')}`

/** What a text can look like in a file. */
const formsOf = (text: string): readonly string[] => [
  text,
  Buffer.from(text).toString('hex'),
  // Base64 of it at each of three places.
  ...[0, 1, 2].map(at =>
    Buffer.from(' '.repeat(at) + text)
      .toString('base64')
      .slice(at === 0 ? 0 : 4, -4),
  ),
  Buffer.from(text, 'utf16le').toString('latin1'),
]

/** The files below a folder that hold one of some texts, in any form. */
async function filesWith(folder: string, texts: readonly string[]): Promise<readonly string[]> {
  const found: string[] = []
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries.filter(each => each.isFile())) {
    const file = path.join(entry.parentPath, entry.name)
    const bytes = await readFile(file).catch(() => Buffer.alloc(0))
    if (texts.some(text => formsOf(text).some(form => bytes.includes(form, 0, 'latin1')))) found.push(file)
  }
  return found
}

describe('secrets', function () {
  this.timeout(120_000)
  const values: string[] = []
  let data: string
  let env: Record<string, string>
  let child: Child
  let url: string
  let said = ''
  let mira: Client

  const send = (by: Client, method: string, path: string, body?: object, headers = {}): Promise<Answer> =>
    by.call(method, `/api/v1${path}`, { body, headers })
  const codeOf = ({ status, body }: Answer) => (status < 300 ? status : body.error.code)
  const clientOf = async (subject: string, role = 'organization-admin', org = 'acme') => {
    const config = loadConfig({ KOGI_DATA_DIR: data })
    return client(url, await issueToken(config, { org, subject, roles: [role], ttlSeconds: 600 }))
  }
  const make = async (name: string, more: object = {}, headers = {}): Promise<[string, Answer]> => {
    const value = canary()
    values.push(value)
    const body = { environment: 'production', name, value, ...more }
    return [value, await send(mira, 'POST', '/kbs/secrets', body, headers)]
  }
  const lease = (name: string, body: object = {}, by = mira) =>
    send(by, 'POST', `/kbs/secrets/production.${name}/leases`, { seconds: 60, ...body })

  before(async () => {
    data = await mkdtemp(path.join(tmpdir(), 'kogi-secrets-'))
    env = { ...patientSettings(), KOGI_DATA_DIR: data, KOGI_LOG_LEVEL: 'trace' }
    child = await startChild({ args: [ENTRY, 'dev', '--port', '0'], env, ready: /^ready /, stderr: 'pipe' })
    for (const stream of [child.process.stdout!, child.process.stderr!]) stream.on('data', text => (said += text))
    url = child.firstLine.replace('ready ', '')
    await untilReady(url)
    mira = await clientOf('mira')
  })
  after(async () => {
    await child?.stop()
    await rm(data, { recursive: true, force: true })
  })

  it('are kept, leased with a note of who and what for, rotated, and destroyed', async () => {
    const [first, created] = await make('STRIPE_KEY', { rotate_days: 30 })
    expect([created.status, created.headers.location]).to.deep.equal([201, '/api/v1/kbs/secrets/production.STRIPE_KEY'])
    const leased = await lease('STRIPE_KEY', { purpose: 'deployment 42' })
    expect(leased.body.data.value).to.equal(first)
    const second = canary()
    values.push(second)
    const rotated = await send(mira, 'POST', '/kbs/secrets/production.STRIPE_KEY/rotate', { value: second })
    expect(codeOf(rotated)).to.equal(200)
    expect((await lease('STRIPE_KEY')).body.data.value).to.equal(second)
    expect((await lease('STRIPE_KEY', { version: 1 })).body.data.value).to.equal(first)
    const destroy = (body: object) =>
      send(mira, 'POST', '/kbs/secrets/production.STRIPE_KEY/versions/1/destroy', { reason, ...body })
    expect(codeOf(await destroy({}))).to.equal('version_leased')
    const destroyed = await destroy({ force: true })
    expect(codeOf(destroyed)).to.equal(200)
    expect(codeOf(await destroy({}))).to.equal(200)
    expect(codeOf(await lease('STRIPE_KEY', { version: 1 }))).to.equal('version_unknown')
    const at = { 'kogi-min-position': String(destroyed.headers['kogi-position']) }
    const { body: row } = await send(mira, 'GET', '/kbs/secrets/production.STRIPE_KEY', undefined, at)
    expect(row.data).to.include({ environment: 'production', owner: 'mira', version: 2, status: 'kept' })
    const log = await send(mira, 'GET', '/kbs/secret-leases?secret=production.STRIPE_KEY', undefined, at)
    expect(log.body.data).to.have.length(3)
    expect(log.body.data[0]).to.include({ holder: 'mira', version: 1, purpose: 'deployment 42' })
    expect(log.body.data[0]).to.have.property('ended_at')
  })

  it('are made once for each idempotency key, and a refusal keeps nothing', async () => {
    const headers = { 'Idempotency-Key': 'make-twice' }
    const [value, made] = await make('TWICE', {}, headers)
    const again = { environment: 'production', name: 'TWICE', value }
    const replayed = await send(mira, 'POST', '/kbs/secrets', again, headers)
    expect([made.status, replayed.body.data.replayed]).to.deep.equal([201, true])
    const [, other] = await make('TWICE', {}, headers)
    expect(codeOf(other)).to.equal('idempotency_key_reused')
    const [, taken] = await make('TWICE')
    expect(codeOf(taken)).to.equal('secret_exists')
    expect((await lease('TWICE')).body.data.value).to.equal(value)
    const sameLease = { 'Idempotency-Key': 'lease-once' }
    const path = '/kbs/secrets/production.TWICE/leases'
    expect((await send(mira, 'POST', path, {}, sameLease)).body.data.value).to.equal(value)
    expect((await send(mira, 'POST', path, {}, sameLease)).body.data).to.not.have.property('value')
    expect(codeOf(await send(mira, 'POST', `${path}?dry_run=true`, {}))).to.equal('invalid_parameter')
  })

  it('are for those who may lease them, in their own organization', async () => {
    const [value] = await make('CLOSED', { readers: ['till'] })
    expect(codeOf(await lease('CLOSED'))).to.equal('secret_not_yours')
    expect((await lease('CLOSED', {}, await clientOf('till'))).body.data.value).to.equal(value)
    for (const role of ['team-lead', 'auditor', 'viewer']) {
      expect(codeOf(await lease('CLOSED', {}, await clientOf('till', role))), role).to.equal('forbidden')
    }
    expect(codeOf(await lease('CLOSED', {}, await clientOf('till', 'organization-admin', 'globex')))).to.equal(
      'not_found',
    )
  })

  it('go with all of their values when they are removed', async () => {
    await make('GONE')
    const remove = () => send(mira, 'DELETE', '/kbs/secrets/production.GONE', { reason })
    expect(codeOf(await remove())).to.equal(204)
    expect(codeOf(await remove())).to.equal(204)
    expect(codeOf(await lease('GONE'))).to.equal('secret_removed')
    expect(codeOf((await make('GONE'))[1])).to.equal('secret_exists')
  })

  it('are wrapped anew under another master key beside the system at work', async () => {
    const masterKeys = `base64:${randomBytes(32).toString('base64')}`
    const before = JSON.parse(await kogi(['keys', '--json'], env))
    expect(before.secrets.map(({ secrets }: { secrets: number }) => secrets)).to.deep.equal([3])
    const rotated = await kogi(['keys', 'rotate', '--json'], { ...env, KOGI_MASTER_KEYS: masterKeys })
    expect(JSON.parse(rotated).secrets).to.equal(3)
    // The process that runs does not know that master key; put back, it opens all of them again.
    expect(codeOf(await lease('TWICE'))).to.equal('engine_unavailable')
    const file = path.join(data, 'auth', 'secrets.key')
    await kogi(['keys', 'rotate'], { ...env, KOGI_MASTER_KEYS: `${file},${masterKeys}` })
    expect(codeOf(await lease('TWICE'))).to.equal(200)
  })

  it('have values that are in no store, no log, no answer but that of a lease, and no backup', async () => {
    const marker = canary()
    const marked = await send(mira, 'POST', '/kwlt/wallets', { id: marker, kind: 'business' })
    const wrong = canary()
    values.push(wrong)
    const answers = [
      await send(mira, 'POST', '/kbs/secrets', { environment: wrong, name: wrong, value: { of: wrong } }),
      await send(mira, 'POST', '/kbs/secrets', { environment: 'production', name: 'x', value: wrong.repeat(5_000) }),
      await send(mira, 'POST', '/kbs/secrets/production.NONE/rotate', { value: wrong }),
      await send(mira, 'POST', '/kbs/secrets/production.GONE/rotate', { value: wrong }),
      await send(mira, 'POST', '/kbs/secrets', { environment: 'x', name: 'x', value: 'x', more: wrong }),
    ]
    for (const { status } of answers) expect(status).to.be.within(400, 499)
    const at = { 'kogi-min-position': String(marked.headers['kogi-position']) }
    for (const list of ['/kmg/audit-log?limit=500', '/kbs/secrets', '/kbs/secret-leases', '/khub/activity']) {
      answers.push(await send(mira, 'GET', list, undefined, at))
    }
    for (const value of values) expect(JSON.stringify(answers.map(({ body }) => body))).to.not.include(value)
    const backup = path.join(data, 'backup')
    await kogi(['backup', backup], env)
    await child.stop()
    expect(await filesWith(data, values)).to.deep.equal([])
    for (const value of values) expect(said).to.not.include(value)
    // What is no secret is found by the same search: in the store, in the rows and in the backup.
    const found = (await filesWith(data, [marker])).map(file => path.relative(data, file).split(path.sep)[0])
    expect([...new Set(found)].sort())
      .to.include('backup')
      .and.have.length.above(2)
  })
})
