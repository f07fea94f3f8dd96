import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { execute } from '../../commands/execute.ts'
import { inbox } from '../../domain/hub/inbox/inbox.ts'
import { silentLog } from '../../infra/log.ts'
import { openWriteSide } from '../../infra/write-side.ts'
import { type Catcher, startCatcher } from '../mail/catcher.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

type MailRow = {
  readonly status: string
  readonly user: string
  readonly last_failure?: string
  readonly attempts: number
}

describe('notifications by e-mail', function () {
  this.timeout(90_000)
  let catcher: Catcher
  let app: App
  let mira: Client
  let jon: Client

  before(async () => {
    catcher = await startCatcher()
    app = await startApp({
      worker: true,
      env: { KOGI_SMTP_URL: catcher.url, KOGI_MAIL_FROM: 'kogi@studio.example' },
    })
    mira = await app.clientOf('studio', 'organization-admin', 'mira')
    jon = await app.clientOf('studio', 'team-member', 'jon')
    await sent(jon, 'POST', '/khub/inboxes', { id: 'jon' })
  })
  after(async () => {
    await app?.close()
    await catcher?.close()
  })

  const sent = async (client: Client, method: string, path: string, body: object = {}) => {
    const answer = await client.call(method, `/api/v1${path}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.be.within(200, 204)
    return String(answer.headers['kogi-position'])
  }
  const task = (id: string, more: object = {}) =>
    sent(mira, 'POST', '/kctr/tasks', { id, name: `Tâche ${id}`, assignee: 'jon', ...more })
  const until = async (isSo: () => boolean | Promise<boolean>, what: string) => {
    for (const end = Date.now() + patient(20_000); !(await isSo()); await sleep(50)) {
      if (Date.now() > end) expect.fail(`${what}: ${JSON.stringify(catcher.caught)}`)
    }
  }
  const caught = (count: number) => until(() => catcher.caught.length >= count, `${count} mails did not come`)
  const mails = async (query = '') =>
    (await mira.call('GET', `/api/v1/khub/mails${query}`)).body.data as readonly MailRow[]

  it('come to the address of the inbox, from when it is given on, once each', async () => {
    await task('early')
    await sent(jon, 'PUT', '/khub/inboxes/jon/email', { email: 'jon@studio.example' })
    await task('one')
    await task('none', { assignee: 'mira' })
    await caught(1)
    await sleep(500)
    expect(catcher.caught).to.have.length(1)
    const [{ from, to, headers, text }] = catcher.caught as [Catcher['caught'][0]]
    expect([from, to]).to.deep.equal(['kogi@studio.example', ['jon@studio.example']])
    expect(headers).to.match(/^Message-ID: <[0-9a-f-]{36}@studio\.example>$/m)
    expect(headers).to.match(/^Auto-Submitted: auto-generated$/m)
    expect(text).to.match(/^\d{4}-\d\d-\d\d \d\d:\d\d {2}mira created the task “Tâche one” for jon\r?\n/)
    await until(async () => (await mails('?status=sent')).length === 1, 'the mail is not noted')
  })

  it('show the address to its user and to administrators, and in no event', async () => {
    const own = await jon.call('GET', '/api/v1/khub/inbox')
    expect(own.body.data.email).to.equal('jon@studio.example')
    const administrators = await mira.call('GET', '/api/v1/khub/inboxes/jon')
    expect(administrators.body.data.email).to.equal('jon@studio.example')
    const log = await mira.call('GET', '/api/v1/kmg/audit-log?limit=500')
    expect(JSON.stringify(log.body)).not.to.include('jon@studio.example')
    expect((await jon.call('GET', '/api/v1/khub/mails')).status).to.equal(403)
  })

  it('come only of kinds that are wanted there', async () => {
    const assigned = { kind: 'task_assigned', channel: 'email' }
    await sent(jon, 'PUT', '/khub/inboxes/jon/preferences', { ...assigned, wanted: false })
    const at = await task('two')
    await task('three', { assignee: 'mira', description: 'What does @jon think?' })
    await caught(2)
    expect(catcher.caught[1]!.text).to.include('Tâche three')
    const { body } = await jon.call('GET', `/api/v1/khub/notifications?at_least=${at}&kind=task_assigned`)
    expect(body.data, 'in the application they come as before').to.have.length(3)
    await sent(jon, 'PUT', '/khub/inboxes/jon/preferences', { ...assigned, wanted: true })
  })

  it('are tried again where the server defers them, and given up where it rejects them', async () => {
    await until(async () => (await mails('?status=waiting')).length === 0, 'mails wait')
    const before = catcher.caught.length
    catcher.answer = 550
    await task('four')
    await until(async () => (await mails('?status=parked')).length === 1, 'the mail is not parked')
    catcher.answer = 450
    await task('five')
    await until(async () => (await mails('?last_failure=deferred')).length === 1, 'the mail is not deferred')
    const [deferred] = await mails('?last_failure=deferred')
    expect(deferred).to.deep.include({ status: 'waiting', attempts: 1 })
    expect((await mails('?status=parked'))[0]!.last_failure).to.equal('rejected')
    catcher.answer = 250
    expect(catcher.caught).to.have.length(before)
  })

  it('come together in a digest, of what is unread by then, and none where nothing is', async () => {
    const before = catcher.caught.length
    await sent(jon, 'PUT', '/khub/inboxes/jon/digest', { every: 'day', hour: 8, zone: 'Europe/Berlin' })
    await task('six')
    const seen = await task('seven')
    const side = openWriteSide(app.urls, app.config, silentLog)
    const digest = async () => {
      const { body } = await jon.call('GET', '/api/v1/khub/inbox')
      await execute(side.deps, {
        aggregate: inbox,
        name: 'sendDigest',
        id: 'jon',
        opens: false,
        body: { due: body.data.digest.next },
        idempotencyKey: body.data.digest.next,
        principal: { subject: 'process:timers', org: 'studio', roles: [], permissions: [] },
        correlationId: 'digest',
      })
      await until(
        async () => (await jon.call('GET', '/api/v1/khub/inbox')).body.data.digest.next !== body.data.digest.next,
        'no next time',
      )
    }
    try {
      await digest()
      await caught(before + 1)
      const { text, headers } = catcher.caught.at(-1)!
      expect(headers).to.match(/^Subject: \d notifications$/m)
      expect(text).to.include('Tâche six').and.include('Tâche seven').and.not.include('Tâche three')
      await task('eight')
      await sent(jon, 'PUT', '/khub/inboxes/jon/read-up-to', { up_to: await task('nine') })
      expect(Number(seen)).to.be.above(0)
      await digest()
      await until(async () => (await mails('?status=omitted')).length === 1, 'the empty digest is not left out')
      expect((await mails('?status=omitted'))[0]!.last_failure).to.equal('nothing_new')
      expect(catcher.caught).to.have.length(before + 1)
    } finally {
      await side.close()
    }
  })

  it('end with the address', async () => {
    const before = catcher.caught.length
    await sent(jon, 'DELETE', '/khub/inboxes/jon/digest')
    await sent(jon, 'DELETE', '/khub/inboxes/jon/email')
    await task('ten')
    await sleep(500)
    expect(catcher.caught).to.have.length(before)
    expect((await jon.call('GET', '/api/v1/khub/inbox')).body.data).not.to.have.property('email')
  })
})
