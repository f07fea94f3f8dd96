import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { Keyring } from '../../commands/ports.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { erasedSubjects } from '../../infra/erasures/erased.ts'
import { keyWatch } from '../../infra/key-watch.ts'
import { keyring } from '../../infra/keyring.ts'
import { createLog, silentLog } from '../../infra/log.ts'
import { createMetrics } from '../../infra/metrics.ts'
import { migrate } from '../../infra/migrate.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { patient } from '../support/pace.ts'
import { freshDatabase } from '../support/postgres.ts'

const MAKE = { makeKey: true }

describe('the keyring', () => {
  let pool: Pool
  let keys: Keyring
  /** The keyring of another process, with its own cache. */
  let others: Keyring

  before(async () => {
    const url = await freshDatabase()
    await migrate({ url, set: 'keys', log: silentLog })
    pool = createPool({ url, name: 'keys', log: silentLog })
    keys = keyring(pool)
    others = keyring(pool)
  })
  after(() => pool?.end())

  it('opens what it sealed, in any process, and nothing can be read from the envelope', async () => {
    for (const plain of ['Mira Okonjo', 'é 日本 \u{1f600}', 'x'.repeat(10_000)]) {
      const envelope = await keys.seal('acme', 'mira', plain, MAKE)
      expect(await others.open('acme', [envelope])).to.deep.equal([plain])
      expect(JSON.stringify(envelope)).to.not.include(plain)
    }
  })

  it('seals the same text differently every time, under one key per subject of an org', async () => {
    const envelopes = await Promise.all(
      [1, 2, 3, 4].map(n => (n % 2 ? keys : others).seal('acme', 'new', 'same', MAKE)),
    )
    expect(new Set(envelopes.map(({ text }) => text)).size).to.equal(4)
    expect(new Set(envelopes.map(({ key }) => key)).size).to.equal(1)
    expect((await keys.seal('other', 'new', 'same', MAKE)).key).to.not.equal(envelopes[0]!.key)
  })

  it('opens nothing of another org, and tells a key that is missing from one that was erased', async () => {
    const metrics = createMetrics({ service: 'test' })
    const lines: Record<string, unknown>[] = []
    const log = createLog({ service: 'test', destination: { write: line => lines.push(JSON.parse(line)) } })
    const watch = keyWatch(log, metrics)
    const watched = keyring(pool, { watch, metrics })
    const envelope = await keys.seal('acme', 'mira', 'secret', MAKE)
    expect(await keys.open('other', [envelope])).to.deep.equal([undefined])
    const strange = { ...envelope, key: '00000000-0000-4000-8000-000000000000' }
    await watch.check(pool)
    for (let n = 0; n < 2; n++)
      expect(await watched.open('acme', [strange, envelope])).to.deep.equal([undefined, 'secret'])
    const red = await watch.check(pool).catch(error => error.message)
    expect(red).to.equal('1 keys of personal data are missing: the database of the keys is not whole')
    expect(lines).to.have.length(1)
    expect(lines[0]).to.include({ level: 'error' })
    const text = await metrics.registry.metrics()
    expect(text).to.match(/kogi_personal_keys_missing_total\{[^}]*\} 2/)
    expect(text).to.match(/kogi_key_lookups_total\{outcome="asked"/)
    await pool.query(`insert into subject_keys (key, org, subject) values ($1, 'acme', 'found again')`, [strange.key])
    expect(await watched.open('acme', [strange])).to.deep.equal([null])
    await watch.check(pool)
  })

  it('does not take the key of a dry run for a missing one', async () => {
    const lines: string[] = []
    const watch = keyWatch(createLog({ service: 'test', destination: { write: line => lines.push(line) } }))
    const trying = keyring(pool, { watch })
    const envelope = await trying.seal('acme', 'nobody yet', 'text', { makeKey: false })
    expect(await trying.open('acme', [envelope])).to.deep.equal([null])
    expect(lines).to.deep.equal([])
  })

  it('answers engine_unavailable while its database refuses connections, or is another one', async () => {
    const url = await freshDatabase()
    const wrong = createPool({ url, name: 'keys', log: silentLog })
    const codeOf = (promise: Promise<unknown>) =>
      promise.then(
        () => 'done',
        error => error.code,
      )
    expect(await codeOf(keyring(wrong).seal('acme', 'mira', 'x', MAKE))).to.equal('engine_unavailable')
    await wrong.end()
    const { pathname } = new URL(url)
    await pool.query(`alter database "${pathname.slice(1)}" allow_connections false`)
    const refusing = createPool({ url, name: 'keys', log: silentLog })
    const stranger = createPool({ url: url.replace(/\/\/[^@/]*@/, '//nobody:x@'), name: 'keys', log: silentLog })
    for (const pool of [refusing, stranger]) {
      expect(await codeOf(keyring(pool).seal('acme', 'mira', 'x', MAKE))).to.equal('engine_unavailable')
      await pool.end()
    }
  })

  it('forgets a key after some seconds, however often it is used', async () => {
    const fresh = keyring(pool)
    await fresh.seal('acme', 'busy', 'text', MAKE)
    await pool.query(`update subject_keys set secret = null where subject = 'busy'`)
    let code: string | undefined
    for (const end = Date.now() + patient(8_000); code === undefined && Date.now() < end; await sleep(50)) {
      code = await fresh.seal('acme', 'busy', 'text', MAKE).then(
        () => undefined,
        error => error.code,
      )
    }
    expect(code).to.equal('subject_erased')
  }).timeout(20_000)

  it('takes a key for erased that has the time of its erasure, and another without secret for lost', async () => {
    let reads = 0
    const read = async () => {
      reads += 1
      return []
    }
    const watch = keyWatch(silentLog)
    const [byHand, lost] = await Promise.all(['by-hand', 'lost'].map(each => keys.seal('acme', each, 'text', MAKE)))
    await pool.query(`update subject_keys set secret = null, erased_at = now() where subject = 'by-hand'`)
    await pool.query(`update subject_keys set secret = null where subject = 'lost'`)
    const fresh = keyring(pool, { watch, erased: erasedSubjects({ read }) })
    expect(await fresh.open('acme', [byHand!])).to.deep.equal([null])
    await watch.check(pool)
    expect(reads).to.equal(0)
    for (let n = 0; n < 3; n += 1) expect(await fresh.open('acme', [lost!, byHand!])).to.deep.equal([undefined, null])
    expect(reads, 'a lost key costs no read of the log every time').to.equal(1)
    expect(await watch.check(pool).catch(error => error.message)).to.contain('1 keys of personal data are missing')
    await pool.query(`update subject_keys set erased_at = now() where subject = 'lost'`)
    await watch.check(pool)
  })

  it('counts no key as lost while the log cannot say, and trusts an old look at it for a minute', async () => {
    let time = 0
    let isAway = false
    const read = async () => {
      if (isAway) throw new KogiError('engine_unavailable', 'The event store is away.')
      return []
    }
    const erased = erasedSubjects({ read }, () => time)
    const codeOf = (promise: Promise<unknown>) =>
      promise.then(
        () => 'done',
        error => error.code,
      )
    const envelope = await keys.seal('acme', 'just-erased', 'text', MAKE)
    const fresh = keyring(pool, { erased, watch: keyWatch(silentLog) })
    await erased.of('acme')
    await pool.query(`update subject_keys set secret = null where subject = 'just-erased'`)
    isAway = true
    expect(await codeOf(fresh.open('acme', [envelope]))).to.equal('engine_unavailable')
    expect(await codeOf(fresh.mustNotBeErased('acme', 'mira'))).to.equal('engine_unavailable')
    time = 59_000
    expect(await codeOf(erased.of('acme'))).to.equal('done')
    time = 61_000
    expect(await codeOf(erased.of('acme'))).to.equal('engine_unavailable')
    isAway = false
    expect(await codeOf(erased.of('acme'))).to.equal('done')
  })

  it('fails loudly on an envelope that was changed', async () => {
    const envelope = await keys.seal('acme', 'mira', 'secret', MAKE)
    const text = (envelope.text[0] === 'A' ? 'B' : 'A') + envelope.text.slice(1)
    const error = await keys.open('acme', [{ ...envelope, text }]).then(
      () => undefined,
      failure => failure as Error,
    )
    expect(error).to.be.instanceOf(Error)
  })

  it('gives equal texts of a subject the same digest, and other texts or subjects another one', async () => {
    const digestOf = async (subject: string, plain: string) => (await others.seal('acme', subject, plain, MAKE)).digest
    expect((await keys.seal('acme', 'mira', 'same', MAKE)).digest).to.equal(await digestOf('mira', 'same'))
    expect(await digestOf('mira', 'same')).to.not.equal(await digestOf('mira', 'Same'))
    expect(await digestOf('mira', 'same')).to.not.equal(await digestOf('joe', 'same'))
    expect((await digestOf('mira', 'same'))!).to.match(/^[A-Za-z0-9_-]{43}$/)
  })

  it('makes no key for what is only tried out, and uses the one that is there', async () => {
    await keys.seal('acme', 'unknown', 'text', { makeKey: false })
    const { rows } = await pool.query(`select 1 from subject_keys where subject = 'unknown'`)
    expect(rows).to.have.length(0)
    const kept = await keys.seal('acme', 'mira', 'text', MAKE)
    expect((await keys.seal('acme', 'mira', 'text', { makeKey: false })).digest).to.equal(kept.digest)
  })

  it('reads null once the secret is gone, and seals nothing more for that subject', async () => {
    const before = await keys.seal('acme', 'leaver', 'name', MAKE)
    await pool.query(`update subject_keys set secret = null where subject = 'leaver'`)
    const fresh = keyring(pool)
    const refused = await fresh.seal('acme', 'leaver', 'name again', MAKE).then(
      () => undefined,
      error => (error as { code?: string }).code,
    )
    expect(refused).to.equal('subject_erased')
    expect(await fresh.open('acme', [before])).to.deep.equal([null])
  })
})
