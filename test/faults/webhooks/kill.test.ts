import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import { ENTRY } from '../../../infra/children.ts'
import { randomOf } from '../../projections/history.ts'
import { type App, startApp } from '../../support/app.ts'
import type { Client } from '../../support/client.ts'
import { patient } from '../../support/pace.ts'
import { type Receiver, startReceiver, status } from '../../webhooks/receiver.ts'
import { all, deliveriesOf, sent } from '../../webhooks/support.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? Date.now() % 1_000_000)
const KILLS = LONG ? 100 : 4
const THINGS = ['a', 'b', 'c']

describe(`webhooks: workers killed amid a post (KOGI_SEED=${SEED})`, function () {
  this.timeout(LONG ? 1_200_000 : 120_000)
  let app: App
  let client: Client
  let receiver: Receiver
  let worker: ChildProcess | undefined

  before(async () => {
    app = await startApp()
    client = await app.clientOf('shop')
    receiver = await startReceiver()
    await sent(client, '/kapp/webhooks', { id: 'hook', url: receiver.url, categories: ['task'] })
  })
  after(async () => {
    worker?.kill('SIGKILL')
    await app?.close()
    await receiver?.close()
  })

  function startWorker(): ChildProcess {
    const { eventStoreUrl, databaseUrl, keysDatabaseUrl } = app.urls
    const env = {
      ...process.env,
      KOGI_LOG_LEVEL: 'silent',
      KOGI_PORT: '0',
      KOGI_DATA_DIR: app.config.dataDir,
      KOGI_EVENTSTORE_URL: eventStoreUrl,
      KOGI_DATABASE_URL: databaseUrl,
      KOGI_KEYS_DATABASE_URL: keysDatabaseUrl,
      KOGI_WEBHOOK_NETWORKS: '127.0.0.0/8',
    }
    return spawn(process.execPath, [...process.execArgv, ENTRY, 'worker'], { env, stdio: 'ignore' })
  }

  it(`${KILLS} times: every event arrives at least once, and in order for each thing`, async () => {
    const random = randomOf(SEED)
    let wanted = 0
    for (const id of THINGS) await sent(client, '/kctr/tasks', { id, name: id })
    wanted += THINGS.length
    for (let kill = 0; kill < KILLS; kill++) {
      for (const id of THINGS) await sent(client, `/kctr/tasks/${id}`, { name: `${id} ${kill}` }, 'PATCH')
      wanted += THINGS.length
      let left = 1 + random(4)
      const isAnswered = random(2) === 0
      const dying = startWorker()
      worker = dying
      const exited = once(dying, 'exit')
      receiver.answer = answer => {
        left -= 1
        if (left > 0) return void answer.writeHead(204).end()
        if (isAnswered) answer.writeHead(204).end()
        dying.kill('SIGKILL')
      }
      await Promise.race([exited, new Promise(resolve => setTimeout(resolve, patient(30_000)).unref())])
      expect(dying.signalCode, 'the worker posts what waits').to.equal('SIGKILL')
    }
    receiver.answer = status(204)
    worker = startWorker()
    await deliveriesOf(client, 'hook', all('delivered', wanted), patient(30))
    const seen = new Map<string, string[]>(THINGS.map(id => [id, []]))
    for (const { body } of receiver.received) {
      const { id, revision } = JSON.parse(body).data
      if (!seen.get(id)!.includes(revision)) seen.get(id)!.push(revision)
    }
    const inOrder = Array.from({ length: KILLS + 1 }, (_, n) => String(n))
    for (const [id, revisions] of seen) expect(revisions, id).to.deep.equal(inOrder)
    const ids = new Set(receiver.received.map(({ headers }) => headers['webhook-id']))
    expect(ids.size, 'a repeated post has the id of the first').to.equal(wanted)
  })
})
