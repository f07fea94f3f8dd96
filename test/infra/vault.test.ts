import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { ConfigError } from '../../infra/config.ts'
import { countKinds, rewrap } from '../../infra/erasures/keys.ts'
import { keyring } from '../../infra/keyring.ts'
import { silentLog } from '../../infra/log.ts'
import { masterKeysOf, noMasterKeys } from '../../infra/master-keys.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { freshDatabase } from '../support/postgres.ts'
import { keyTables } from '../support/templates.ts'
import { startVault } from '../support/vault.ts'

const MAKE = { makeKey: true }
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    error => [error.code, error.message].join(' '),
  )

describe('a master key in Vault', () => {
  let vault: Awaited<ReturnType<typeof startVault>>
  let folder: string
  let token: string
  let pool: Pool
  const mastersOf = (...entries: readonly string[]) => masterKeysOf({ masterKeys: [...entries], vaultTokenFile: token })
  const inVault = () => mastersOf(`vault:${vault.address}`)

  before(async () => {
    vault = await startVault('kogi')
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-vault-'))
    token = path.join(folder, 'token')
    await writeFile(token, 'first\n')
    pool = createPool({ url: await freshDatabase(keyTables), name: 'keys', log: silentLog, max: 2 })
  })
  after(async () => {
    await pool?.end()
    await vault?.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('wraps keys that it alone opens, bound to their place, and many with one request', async () => {
    const masters = inVault()
    expect(masters.names).to.deep.equal(['vault:transit/kogi'])
    const keys = keyring(pool, { masters })
    const sealed = await Promise.all(['ada', 'ben', 'cy'].map(name => keys.seal('acme', name, `of ${name}`, MAKE)))
    const { rows } = await pool.query('select secret, master from subject_keys')
    for (const { secret, master } of rows) {
      expect(master).to.equal('vault:transit/kogi')
      expect(secret.toString()).to.match(/^vault:v1:/)
    }
    const before = vault.state.requests
    expect(await keyring(pool, { masters: inVault() }).open('acme', sealed)).to.deep.equal([
      'of ada',
      'of ben',
      'of cy',
    ])
    expect(vault.state.requests - before).to.equal(1)
    expect(await codeOf(keyring(pool).open('acme', sealed))).to.contain('engine_unavailable')

    const wrapped = await masters.wrap({ org: 'acme', key: 'one' }, randomBytes(32))
    expect(await codeOf(masters.unwrap({ org: 'acme', key: 'two' }, wrapped))).to.contain('does not unwrap a key')
    const [good, bad] = [
      { org: 'acme', key: 'one' },
      { org: 'other', key: 'one' },
    ]
    const both = await Promise.all([good, bad].map(place => codeOf(masters.unwrap(place, wrapped))))
    expect(both[0], 'one that fails holds up no other').to.equal('done')
    expect(both[1]).to.contain('engine_unavailable')
  })

  it('serves nothing while it is away, sealed or refuses the token, and takes a new token from the file', async () => {
    const sealed = await keyring(pool, { masters: inVault() }).seal('acme', 'dee', 'text', MAKE)
    const opened = () => codeOf(keyring(pool, { masters: inVault() }).open('acme', [sealed]))
    vault.state.isSealed = true
    expect(await opened()).to.match(/^engine_unavailable .* answers 503 \(Vault is sealed\)\.$/)
    expect(await codeOf(inVault().check())).to.contain('Vault is sealed')
    vault.state.isSealed = false
    const running = inVault()
    await running.check()
    vault.state.token = 'second'
    expect(await codeOf(running.check())).to.match(/^engine_unavailable .* answers 403 \(permission denied\)\.$/)
    await writeFile(token, 'second')
    expect(await codeOf(running.check())).to.equal('done')
    expect(await opened()).to.equal('done')
    const other = await startVault('kogi')
    await other.close()
    const away = mastersOf(`vault:${other.address}`)
    expect(await codeOf(keyring(pool, { masters: away }).open('acme', [sealed]))).to.match(/ does not answer\.$/)
    expect(await codeOf(keyring(pool, { masters: away }).seal('acme', 'new', 'text', MAKE))).to.contain('not answer')
  })

  it('is moved to and rotated while the system works', async () => {
    await pool.query('delete from subject_keys')
    const clear = await keyring(pool).seal('acme', 'early', 'text', MAKE)
    const local = `base64:${randomBytes(32).toString('base64')}`
    expect(await rewrap(pool, mastersOf(local), () => {})).to.equal(1)
    expect(await rewrap(pool, mastersOf(`vault:${vault.address}`, local), () => {})).to.equal(1)
    expect(await countKinds(pool)).to.deep.equal([{ master: 'vault:transit/kogi', destroyed: false, keys: 1 }])
    vault.state.versions.push(randomBytes(32))
    expect(await rewrap(pool, inVault(), () => {})).to.equal(0)
    expect(await rewrap(pool, inVault(), () => {}, true)).to.equal(1)
    vault.state.versions[0] = undefined as never
    expect(await keyring(pool, { masters: inVault() }).open('acme', [clear])).to.deep.equal(['text'])
    expect(await rewrap(pool, mastersOf(local, `vault:${vault.address}`), () => {})).to.equal(1)
    expect(await keyring(pool, { masters: mastersOf(local) }).open('acme', [clear])).to.deep.equal(['text'])
    await noMasterKeys.check()
  })

  it('has an address without secrets, and a file with the token', () => {
    for (const entry of [
      'vault:',
      'vault:https://v.example',
      'vault:https://v.example/kogi',
      'vault:ftp://v/transit/k',
    ]) {
      expect(() => mastersOf(entry), entry)
        .to.throw(ConfigError)
        .with.property('message')
        .that.matches(/entry 1 must be/)
    }
    const said = () => mastersOf('vault:https://root:hush@v.example/transit/kogi')
    expect(said).to.throw(ConfigError).with.property('message').that.does.not.contain('hush')
    const address = 'vault:https://v.example/transit/kogi'
    expect(mastersOf(`${address}?namespace=east`, `${address}?namespace=west`).names).to.deep.equal([
      'vault:east/transit/kogi',
      'vault:west/transit/kogi',
    ])
    expect(() => masterKeysOf({ masterKeys: [address] })).to.throw('KOGI_VAULT_TOKEN_FILE')
  })

  it('has a name of its own: one at another address would be asked for what it never wrapped', () => {
    const [one, other] = ['vault:https://v.example/transit/kogi', 'vault:https://w.example/transit/kogi']
    expect(() => mastersOf(one, 'vault:https://v.example/transit/other', other))
      .to.throw(ConfigError)
      .with.property('message')
      .that.matches(/^KOGI_MASTER_KEYS: entries 1 and 3 are two addresses of keys of one name, vault:transit\/kogi;/)
    expect(mastersOf(one, one).names, 'the very same').to.deep.equal(['vault:transit/kogi'])
    const local = randomBytes(32).toString('base64')
    expect(mastersOf(`base64:${local}`, one, `base64:${local}`).names).to.have.length(2)
  })
})
