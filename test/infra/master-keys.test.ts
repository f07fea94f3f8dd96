import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { ConfigError } from '../../infra/config.ts'
import { countKinds, rewrap, unknownMasters } from '../../infra/erasures/keys.ts'
import { keyring } from '../../infra/keyring.ts'
import { silentLog } from '../../infra/log.ts'
import { localKey } from '../../infra/master-key.ts'
import { masterKeys as keysOf, masterKeysOf, noMasterKeys } from '../../infra/master-keys.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { freshDatabase } from '../support/postgres.ts'
import { keyTables } from '../support/templates.ts'

const masterKeys = (keys: readonly Buffer[]) => keysOf(keys.map(localKey))
const MAKE = { makeKey: true }
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    error => error.code,
  )

describe('master keys', () => {
  const [old, fresh] = [randomBytes(32), randomBytes(32)]
  let pool: Pool

  before(async () => {
    pool = createPool({ url: await freshDatabase(keyTables), name: 'keys', log: silentLog, max: 2 })
  })
  after(() => pool?.end())

  it('wrap keys, so that their database alone opens nothing, and are rotated beside a system at work', async () => {
    const [before, wrapping] = [keyring(pool), keyring(pool, { masters: masterKeys([old]) })]
    const clear = await before.seal('acme', 'early', 'in the clear', MAKE)
    const wrapped = await wrapping.seal('acme', 'later', 'wrapped', MAKE)
    const both = [clear, wrapped]
    expect(await keyring(pool, { masters: masterKeys([old]) }).open('acme', both)).to.deep.equal([
      'in the clear',
      'wrapped',
    ])
    expect(await codeOf(keyring(pool).open('acme', [wrapped]))).to.equal('engine_unavailable')
    expect(await codeOf(keyring(pool).seal('acme', 'later', 'more', MAKE))).to.equal('engine_unavailable')

    const rotating = masterKeys([fresh, old])
    expect(await unknownMasters(pool, noMasterKeys)).to.deep.equal(masterKeys([old]).names)
    expect(await rewrap(pool, rotating, () => {})).to.equal(2)
    expect(await rewrap(pool, rotating, () => {})).to.equal(0)
    const kinds = await countKinds(pool)
    expect(kinds).to.deep.equal([{ master: masterKeys([fresh]).names[0], destroyed: false, keys: 2 }])
    const after = keyring(pool, { masters: masterKeys([fresh]) })
    expect(await after.open('acme', both)).to.deep.equal(['in the clear', 'wrapped'])
    expect((await after.seal('acme', 'early', 'in the clear', MAKE)).digest).to.equal(clear.digest)
  })

  it('bind what they wrap to its org and key', async () => {
    const masters = masterKeys([old])
    const place = { org: 'acme', key: 'one' }
    const wrapped = await masters.wrap(place, randomBytes(32))
    expect(wrapped.secret).to.have.length(60)
    const opens = (moved: object) =>
      masters.unwrap({ ...place, ...moved }, wrapped).then(
        () => true,
        () => false,
      )
    expect(await opens({})).to.equal(true)
    expect(await opens({ key: 'two' })).to.equal(false)
    expect(await opens({ org: 'other' })).to.equal(false)
  })

  it('come from files or from the setting itself, and nothing else is taken for one', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kogi-master-'))
    try {
      const file = path.join(folder, 'master.key')
      await writeFile(file, `${old.toString('base64')}\n`)
      const entries = [`base64:${fresh.toString('base64')}`, file]
      expect(masterKeysOf({ masterKeys: entries }).names).to.deep.equal(masterKeys([fresh, old]).names)
      const secret = randomBytes(31).toString('base64')
      await writeFile(file, secret)
      const unprefixed = fresh.toString('base64')
      for (const entry of [file, path.join(folder, 'none'), `base64:${secret}`, 'base64:', unprefixed]) {
        expect(() => masterKeysOf({ masterKeys: [`base64:${unprefixed}`, entry] }), entry)
          .to.throw(ConfigError)
          .with.property('message')
          .that.matches(/^KOGI_MASTER_KEYS: entry 2 /)
          .and.does.not.contain(secret)
          .and.does.not.contain(unprefixed)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
