/**
 * A backup of 100,000 events, made while commands come in at a steady pace, and restored into empty engines. It takes
 * minutes and runs with `KOGI_LONG=1`; `backup.test.ts` is its small form.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { kogi } from '../../scripts/running.ts'
import type { Client } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'

/** Events in the log before the backup begins, and commands a second while it is made. */
const EVENTS = 100_000
const PER_SECOND = 200
/** A bulk of the API has so many commands at most. */
const BULK = 1_000
const TICK_MS = 50

type Acknowledged = { readonly id: string; readonly position: bigint }

const describeLong = process.env.KOGI_LONG === '1' ? describe : () => {}

describeLong(`a backup of ${EVENTS} events while ${PER_SECOND} commands a second come in`, function large() {
  this.timeout(1_800_000)
  let work: string
  let system: System
  let client: Client
  const acknowledged: Acknowledged[] = []

  before(async () => {
    work = await mkdtemp(path.join(tmpdir(), 'kogi-backup-large-'))
    system = await startSystem()
    client = await system.clientOf('okonjo')
    for (let from = 0; from < EVENTS; from += BULK) {
      const ids = Array.from({ length: Math.min(BULK, EVENTS - from) }, (_, n) => `stored-${from + n}`)
      const commands = ids.map(id => ({ command: 'item.add', id, body: { name: id } }))
      const { status, body } = await client.call('POST', '/api/v1/bulk', { body: { commands } })
      expect(status, JSON.stringify(body).slice(0, 500)).to.equal(200)
      for (const [n, { data }] of body.data.results.entries()) {
        acknowledged.push({ id: ids[n]!, position: BigInt(data.position) })
      }
    }
  })
  after(async () => {
    client?.close()
    await system?.stop()
    if (work) await rm(work, { recursive: true, force: true })
  })

  /** Sends commands at the pace, whether or not those before are answered, until `work` is done. */
  async function during(work: Promise<unknown>): Promise<void> {
    let isDone = false
    void work.finally(() => {
      isDone = true
    })
    const sent: Promise<void>[] = []
    const send = async (id: string) => {
      const headers = { 'Idempotency-Key': id }
      let answer = await client.call('POST', '/api/v1/kbfc/items', { headers, body: { id, name: id } })
      for (; answer.status === 503; await sleep(1_000)) {
        answer = await client.call('POST', '/api/v1/kbfc/items', { headers, body: { id, name: id } })
      }
      expect(answer.status, JSON.stringify(answer.body)).to.equal(201)
      acknowledged.push({ id, position: BigInt(answer.body.data.position) })
    }
    const begun = performance.now()
    while (!isDone) {
      const due = ((performance.now() - begun) / 1000) * PER_SECOND
      while (sent.length < due) sent.push(send(`live-${sent.length}`))
      await sleep(TICK_MS)
    }
    await Promise.all(sent)
    await work
  }

  it('holds every command that was acknowledged up to its position, and equals its log after a restore', async () => {
    const [backup, restored] = [path.join(work, 'backup'), path.join(work, 'restored')]
    const started = performance.now()
    await during(system.kogi('backup', backup, '--json'))
    const made = performance.now()
    const quiet = { KOGI_LOG_LEVEL: 'silent' }
    const done = JSON.parse(await kogi(['restore', backup, '--data', restored, '--json'], quiet))
    const filled = performance.now()
    expect(done).to.include({ equal: true, stopped: 0 })
    const position = BigInt(JSON.parse(await readFile(path.join(backup, 'manifest.json'), 'utf8')).position)
    const covered = acknowledged.filter(command => command.position <= position)
    expect(covered.length).to.be.at.least(EVENTS)
    expect(acknowledged.length, 'commands came in meanwhile').to.be.above(EVENTS)
    expect(await idsIn(restored), 'what is acknowledged up to the position, and nothing else').to.deep.equal(
      covered.map(({ id }) => id).sort(),
    )
    const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1)
    const live = acknowledged.length - EVENTS
    console.log(
      `      ${covered.length} events: backup in ${seconds(started, made)} s beside ${live} commands, ` +
        `restore and check in ${seconds(made, filled)} s`,
    )
  })
})

/** The ids of all items of a data folder, in order. */
async function idsIn(data: string): Promise<string[]> {
  const system = await startSystem({ data })
  const client = await system.clientOf('okonjo')
  try {
    const ids: string[] = []
    for (let after = ''; ; ) {
      const { status, body } = await client.call('GET', `/api/v1/kbfc/items?limit=500${after}`)
      expect(status, JSON.stringify(body)).to.equal(200)
      ids.push(...body.data.map(({ id }: { id: string }) => id))
      if (!body.pagination.has_more) return ids.sort()
      after = `&after=${encodeURIComponent(body.pagination.next)}`
    }
  } finally {
    client.close()
    await system.stop()
  }
}
