import { assert } from 'chai'
import type { Keyring } from '../../commands/ports.ts'
import { keyring } from '../../infra/keyring.ts'
import { silentLog } from '../../infra/log.ts'
import { migrate } from '../../infra/migrate.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { freshDatabase } from '../support/postgres.ts'

const MAKE = { makeKey: true }

describe('the keyring', () => {
  let pool: Pool
  let keys: Keyring
  /** Another process, with a cache of its own. */
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
      assert.deepEqual(await others.open('acme', [envelope]), [plain])
      assert.notInclude(JSON.stringify(envelope), plain)
    }
  })

  it('seals the same text differently every time, under one key per subject of an org', async () => {
    const envelopes = await Promise.all(
      [1, 2, 3, 4].map(n => (n % 2 ? keys : others).seal('acme', 'new', 'same', MAKE)),
    )
    assert.equal(new Set(envelopes.map(({ text }) => text)).size, 4)
    assert.equal(new Set(envelopes.map(({ key }) => key)).size, 1)
    assert.notEqual((await keys.seal('other', 'new', 'same', MAKE)).key, envelopes[0]!.key)
  })

  it('opens nothing of another org, and nothing under a key that is not there', async () => {
    const envelope = await keys.seal('acme', 'mira', 'secret', MAKE)
    assert.deepEqual(await keys.open('other', [envelope]), [null])
    const strange = { ...envelope, key: '00000000-0000-4000-8000-000000000000' }
    assert.deepEqual(await keys.open('acme', [strange, envelope]), [null, 'secret'])
  })

  it('fails loudly on an envelope that was changed', async () => {
    const envelope = await keys.seal('acme', 'mira', 'secret', MAKE)
    const text = (envelope.text[0] === 'A' ? 'B' : 'A') + envelope.text.slice(1)
    const error = await keys.open('acme', [{ ...envelope, text }]).then(
      () => undefined,
      failure => failure as Error,
    )
    assert.instanceOf(error, Error)
  })

  it('gives equal texts of a subject the same digest, and others, or those of other subjects, another one', async () => {
    const digestOf = async (subject: string, plain: string) => (await others.seal('acme', subject, plain, MAKE)).digest
    assert.equal(await digestOf('mira', 'same'), (await keys.seal('acme', 'mira', 'same', MAKE)).digest)
    assert.notEqual(await digestOf('mira', 'same'), await digestOf('mira', 'Same'))
    assert.notEqual(await digestOf('mira', 'same'), await digestOf('joe', 'same'))
    assert.match((await digestOf('mira', 'same'))!, /^[A-Za-z0-9_-]{43}$/)
  })

  it('makes no key for what is only tried out, and uses the one that is there', async () => {
    await keys.seal('acme', 'unknown', 'text', { makeKey: false })
    const { rows } = await pool.query(`select 1 from subject_keys where subject = 'unknown'`)
    assert.lengthOf(rows, 0)
    const kept = await keys.seal('acme', 'mira', 'text', MAKE)
    assert.equal((await keys.seal('acme', 'mira', 'text', { makeKey: false })).digest, kept.digest)
  })

  it('reads null once the secret is gone, and seals nothing more for that subject', async () => {
    const before = await keys.seal('acme', 'leaver', 'name', MAKE)
    await pool.query(`update subject_keys set secret = null where subject = 'leaver'`)
    const fresh = keyring(pool)
    const refused = await fresh.seal('acme', 'leaver', 'name again', MAKE).then(
      () => undefined,
      error => (error as { code?: string }).code,
    )
    assert.equal(refused, 'subject_erased')
    assert.deepEqual(await fresh.open('acme', [before]), [null])
  })
})
