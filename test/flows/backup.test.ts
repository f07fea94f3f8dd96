/** Backups made while commands come in, and restored into empty engines, as an operator does it. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { VERSION } from '../../infra/version.ts'
import { kogi } from '../../scripts/running.ts'
import { FILES, refusal } from '../support/backups.ts'
import { inLanes } from '../support/client.ts'
import { patient } from '../support/pace.ts'
import { type System, startSystem } from '../support/system.ts'

const LONG = process.env.KOGI_LONG === '1'
/** Commands after which the backup begins, and how many may be sent until it is done. */
const BEFORE = 80
const COMMANDS_MAX = 3_000
/** Pause after each command, so that the backup gets its share of a small machine. */
const PAUSE_MS = 20
const QUIET = { KOGI_LOG_LEVEL: 'silent' }

type Receipt = { readonly id: string; readonly position: bigint; readonly revision: string }

describe('a backup made while commands come in', function backups() {
  this.timeout(180_000)
  let work: string
  let backup: string
  let restored: string
  let system: System | undefined
  let position: bigint
  let file: string
  const receipts: Receipt[] = []

  before(async () => {
    work = await mkdtemp(path.join(tmpdir(), 'kogi-backup-test-'))
    backup = path.join(work, 'backup')
    restored = path.join(work, 'restored')
    system = await startSystem()
    const client = await system.clientOf('okonjo')
    await client.call('POST', '/api/v1/kbfc/items', { body: { id: 'bakery', name: 'Bakery' } })
    const form = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nOffer\r\n--x--\r\n'
    const headers = { 'content-type': 'multipart/form-data; boundary=x' }
    file = (await client.call('POST', '/api/v1/kbfc/items/bakery/files', { raw: form, headers })).body.data.id
    let making: Promise<string> | undefined
    let isMade = false
    const ids = function* () {
      for (let n = 0; n < COMMANDS_MAX && !isMade; n++) yield `w${n}`
    }
    await inLanes(ids(), 4, async id => {
      // Each command makes the key of a subject of its own.
      const wallet = { id, owner: `owner-${id}`, kind: 'personal', holder: `Holder of ${id}` }
      const { status, body } = await client.call('POST', '/api/v1/kwlt/wallets', { body: wallet })
      expect(status, JSON.stringify(body)).to.equal(201)
      receipts.push({ id, position: BigInt(body.data.position), revision: body.data.revision })
      if (receipts.length === BEFORE) {
        making = system!.kogi('backup', backup, '--json').finally(() => {
          isMade = true
        })
      }
      await sleep(patient(PAUSE_MS))
    })
    await making
    position = BigInt((await manifestOf(backup)).position)
  })
  after(async () => {
    await system?.stop()
    if (work) await rm(work, { recursive: true, force: true })
  })

  const manifestOf = async (folder: string) => JSON.parse(await readFile(path.join(folder, 'manifest.json'), 'utf8'))

  it('names the position that it covers, its version, and has the keys that its events need', async () => {
    expect(position >= receipts[BEFORE - 1]!.position).to.equal(true)
    expect(
      receipts.some(receipt => receipt.position > position),
      'commands came in meanwhile',
    ).to.equal(true)
    const { keys, events, store, kogi: version } = await manifestOf(backup)
    expect({ store, version, missing: keys.missing }).to.deep.equal({
      store: 'embedded',
      version: VERSION,
      missing: [],
    })
    // The item and its file have no personal data.
    expect(keys.all).to.be.at.least(events.domain - 2)
  })

  it('is readable by its owner alone, and has no secret in its settings', async () => {
    expect((await stat(backup)).mode & 0o777).to.equal(0o700)
    for (const name of FILES) expect((await stat(path.join(backup, name))).mode & 0o777, name).to.equal(0o600)
    const settings = JSON.parse(await readFile(path.join(backup, 'settings.json'), 'utf8'))
    expect(settings).to.include.keys('KOGI_DATA_DIR', 'KOGI_JWT_ISSUER')
    expect(settings).to.not.have.any.keys('KOGI_DATABASE_URL', 'KOGI_KEYS_DATABASE_URL', 'KOGI_EVENTSTORE_URL')
  })

  it('overwrites nothing, and is whole', async () => {
    expect(await refusal(system!.kogi('backup', backup, '--json'))).to.include({ code: 'backup_exists', status: 65 })
    expect(JSON.parse(await kogi(['backup', 'verify', backup, '--json'], QUIET))).to.include({ whole: true })
  })

  it('restores into an empty folder: every acknowledged command, its position, and equal read models', async () => {
    const done = JSON.parse(await kogi(['restore', backup, '--data', restored, '--json'], QUIET))
    expect(done).to.include({ equal: true, stopped: 0 })
    expect(done.events).to.include({ positionsKept: true, found: 0 })
    const again = await startSystem({ data: restored })
    try {
      const client = await again.clientOf('okonjo')
      const covered = receipts.filter(receipt => receipt.position <= position)
      expect(covered.length).to.be.at.least(BEFORE)
      for (const { id, revision, position: at } of covered) {
        const headers = { 'Kogi-Min-Position': String(at) }
        const now = await client.call('GET', `/api/v1/kwlt/wallets/${id}`, { headers })
        expect(now.body.data, id).to.include({ holder: `Holder of ${id}`, revision })
      }
      expect((await client.call('GET', `/api/v1/kbfc/files/${file}/content`)).body).to.equal('Offer')
      const { body: noted } = await client.call('GET', '/api/v1/kmg/operations')
      expect(noted.data.map(({ what }: { what: string }) => what)).to.deep.equal(['backup_restored'])
      const then = covered.at(-1)!
      const past = await client.call('GET', `/api/v1/kwlt/wallets/${then.id}?as_of=${then.position}`)
      expect(past.body.data).to.include({ id: then.id })
      const body = { id: 'later', owner: `owner-${then.id}`, kind: 'personal', holder: 'A later wallet' }
      expect((await client.call('POST', '/api/v1/kwlt/wallets', { body })).status).to.equal(201)
    } finally {
      await again.stop()
    }
  })

  if (LONG)
    it('refuses engines that hold more than the backup, and a folder that a system runs on', async () => {
      const full = await refusal(kogi(['restore', backup, '--data', restored, '--json'], QUIET))
      expect(full).to.include({ code: 'not_empty', status: 65 })
      expect(full.fields).to.deep.equal(['event store', 'keys', 'read models'])
      const running = await refusal(kogi(['restore', backup, '--data', system!.data, '--json'], QUIET))
      expect(running.code).to.equal('already_running')
    })

  if (LONG)
    it('goes on with a restore that was interrupted before its read models were built', async () => {
      const data = path.join(work, 'interrupted')
      await kogi(['restore', backup, '--data', data, '--json'], QUIET)
      await rm(path.join(data, 'postgres'), { recursive: true })
      const again = JSON.parse(await kogi(['restore', backup, '--data', data, '--json'], QUIET))
      expect(again).to.include({ equal: true })
      expect(again.events).to.include({ written: 0, positionsKept: true })
      expect(again.events.found).to.be.at.least(BEFORE)
      expect(again.keys.written).to.be.at.least(BEFORE)
    })
})
