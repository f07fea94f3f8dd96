/** Backups that are not what was written are refused, by `backup verify` and by `restore`, before anything is made. */

import { randomUUID } from 'node:crypto'
import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { manifestText } from '../../infra/backup/format.ts'
import { countKeys, keyMastersOf, readKeys, writeKeys } from '../../infra/backup/keys.ts'
import { makeBackup } from '../../infra/backup/make.ts'
import { mustUnderstand, verifyBackup } from '../../infra/backup/verify.ts'
import { loadConfig } from '../../infra/config.ts'
import { startEventStore } from '../../infra/embedded/event-store/index.ts'
import { writeSkip } from '../../infra/event-store/skips.ts'
import { silentLog } from '../../infra/log.ts'
import { localKey } from '../../infra/master-key.ts'
import { masterKeys } from '../../infra/master-keys.ts'
import { migrate } from '../../infra/migrate.ts'
import { createPool } from '../../infra/postgres.ts'
import { secretValues } from '../../infra/secrets/values.ts'
import { kogi } from '../../scripts/running.ts'
import { FILES, FILLED, refusal } from '../support/backups.ts'
import { freshDatabase } from '../support/postgres.ts'

type Damage = (folder: string) => Promise<unknown>

async function flip(file: string, share: number): Promise<void> {
  const bytes = await readFile(file)
  const at = Math.floor(bytes.length * share)
  bytes[at] = bytes[at]! ^ 1
  await writeFile(file, bytes)
}

const cut = async (file: string) => truncate(file, (await stat(file)).size - 1)

/** Each damage, the code that says so, and the file that is named. */
const DAMAGES: readonly (readonly [what: string, code: string, file: string, damage: Damage])[] = [
  ...FILLED.map(
    name => [`a flipped bit in ${name}`, 'backup_damaged', name, (f: string) => flip(path.join(f, name), 0.6)] as const,
  ),
  ...FILLED.map(name => [`${name} cut`, 'backup_damaged', name, (f: string) => cut(path.join(f, name))] as const),
  ...FILES.map(
    name =>
      [
        `${name} missing`,
        name === 'manifest.json' ? 'no_backup' : 'backup_damaged',
        name,
        (f: string) => rm(path.join(f, name)),
      ] as const,
  ),
  ['a file too many', 'backup_damaged', 'extra.txt', f => writeFile(path.join(f, 'extra.txt'), 'x')],
  ['a line too many', 'backup_damaged', 'keys.ndjson', f => appendFile(path.join(f, 'keys.ndjson'), '{}\n')],
]

const LONG = process.env.KOGI_LONG === '1'

describe('a backup that is given up', function givenUp() {
  this.timeout(60_000)

  it('leaves nothing behind, whatever step it had reached', async () => {
    const work = await mkdtemp(path.join(tmpdir(), 'kogi-given-up-'))
    const store = await startEventStore({ memory: true })
    const url = await freshDatabase()
    await migrate({ url, set: 'keys', log: silentLog })
    const keys = createPool({ url, name: 'keys', log: silentLog, max: 1 })
    const urls = { eventStoreUrl: store.url, databaseUrl: url, keysDatabaseUrl: url }
    const options = { folder: path.join(work, 'deep', 'backup'), config: loadConfig({}), urls, keys }
    try {
      await writeSkip(store.url, { projection: 'notes', position: 1n, reason: 'an event to read', actor: 'tester' })
      for (const step of ['onEnd', 'onEvent'] as const) {
        const abort = new AbortController()
        const given = new Error('given up')
        const error = await makeBackup({ ...options, signal: abort.signal, [step]: () => abort.abort(given) }).catch(
          e => e,
        )
        expect(error).to.equal(given)
        expect(await readdir(path.join(work, 'deep'))).to.deep.equal([])
      }
      await keys.query('drop table subject_keys')
      await makeBackup(options).catch(() => {})
      expect(await readdir(path.join(work, 'deep'))).to.deep.equal([])
    } finally {
      await keys.end()
      await store.close()
      await rm(work, { recursive: true })
    }
  })
})

describe('a damaged backup', function damaged() {
  this.timeout(120_000)
  let work: string
  let backup: string

  before(async () => {
    work = await mkdtemp(path.join(tmpdir(), 'kogi-damage-test-'))
    backup = path.join(work, 'backup')
    const store = await startEventStore({ memory: true })
    const keysDatabaseUrl = await freshDatabase()
    await migrate({ url: keysDatabaseUrl, set: 'keys', log: silentLog })
    const keys = createPool({ url: keysDatabaseUrl, name: 'keys', log: silentLog, max: 1 })
    await keys.query(`insert into subject_keys (key, org, subject, secret)
      values (gen_random_uuid(), 'okonjo', 'mira', '\\x00ff'), (gen_random_uuid(), 'okonjo', 'left', null)`)
    try {
      const config = loadConfig({ KOGI_DATA_DIR: work })
      const urls = { eventStoreUrl: store.url, databaseUrl: keysDatabaseUrl, keysDatabaseUrl }
      const manifest = await makeBackup({ folder: backup, config, urls, keys })
      expect(manifest.keys).to.deep.equal({ all: 2, erased: 1, missing: [] })
    } finally {
      await keys.end()
      await store.close()
    }
  })
  after(() => rm(work, { recursive: true, force: true }))

  async function copyOf(): Promise<string> {
    const copy = await mkdtemp(path.join(work, 'copy-'))
    for (const name of FILES) await copyFile(path.join(backup, name), path.join(copy, name))
    return copy
  }

  for (const [what, code, file, damage] of DAMAGES) {
    it(`is refused for ${what}`, async () => {
      const copy = await copyOf()
      await damage(copy)
      const error = await verifyBackup(copy).then(
        () => undefined,
        (failed: { code: string; message: string; details: object[] }) => failed,
      )
      expect(error?.code, error?.message).to.equal(code)
      expect(`${error!.message} ${JSON.stringify(error!.details)}`).to.include(file)
    })
  }

  it('is none where a file manager has left a file, and the verb names it', async () => {
    const copy = await copyOf()
    await writeFile(path.join(copy, '.DS_Store'), 'x')
    const verified = JSON.parse(await kogi(['backup', 'verify', copy, '--json'], {}))
    expect(verified).to.deep.include({ whole: true, ignored: ['.DS_Store'] })
  })

  if (LONG)
    it('is refused by the verbs with statuses of their own, and a restore makes nothing', async () => {
      const copy = await copyOf()
      await flip(path.join(copy, 'events.ndjson'), 0.5)
      expect(await refusal(kogi(['backup', 'verify', copy, '--json'], {}))).to.include({
        code: 'backup_damaged',
        status: 1,
      })
      const data = path.join(work, 'data')
      const refused = await refusal(kogi(['restore', copy, '--data', data, '--json'], {}))
      expect(refused).to.include({ code: 'backup_damaged', status: 65 })
      expect(await stat(data).catch(() => undefined)).to.equal(undefined)
      const none = path.join(work, 'none')
      await mkdir(none)
      expect(await refusal(kogi(['restore', none, '--json'], {}))).to.include({ code: 'no_backup', status: 66 })
    })

  it('does not take the place of other keys; the same ones are left as they are, erased ones erased', async () => {
    const url = await freshDatabase()
    await migrate({ url, set: 'keys', log: silentLog })
    const pool = createPool({ url, name: 'keys', log: silentLog, max: 1 })
    try {
      const file = path.join(backup, 'keys.ndjson')
      expect([await writeKeys(pool, file), await writeKeys(pool, file), await countKeys(pool)]).to.deep.equal([2, 0, 2])
      const { rows } = await pool.query('select subject, secret from subject_keys order by subject')
      expect(rows).to.deep.equal([
        { subject: 'left', secret: null },
        { subject: 'mira', secret: Buffer.from('00ff', 'hex') },
      ])
      // API keys go on working after a restore.
      await pool.query(`insert into api_keys (org, key, generation, digest) values ('acme', 'till', 1, '\\x0102')`)
      const secret = { org: 'acme', secret: 'production.KEY', value: randomUUID() }
      const masters = masterKeys([localKey(Buffer.alloc(32, 1))])
      await (await secretValues(pool, masters).store(secret, 'a canary')).settle()
      await pool.query(`insert into credentials (person, password, totp_sealed, totp_step)
        values ('u-1', '$argon2id$', '{"key": "k"}', 58834567)`)
      await pool.query(`insert into passkeys (credential, person, public_key, counter, transports)
        values ('pk', 'u-1', '\\x00ff', 3, '{usb,nfc}')`)
      const lines: string[] = []
      await readKeys(pool, (_, line) => void lines.push(line))
      const kinds = lines.map(line => JSON.parse(line).table ?? Object.keys(JSON.parse(line))[0])
      expect(kinds).to.deep.equal(['key', 'key', 'api_key', 'secret_value', 'credentials', 'passkeys'])
      expect(lines.join()).to.not.include('canary')
      const kept = async () => [
        (await pool.query('select * from credentials')).rows,
        (await pool.query('select * from passkeys')).rows,
      ]
      const before = await kept()
      await pool.query('delete from api_keys; delete from secret_values; delete from credentials; delete from passkeys')
      const whole = path.join(work, 'with-api-keys.ndjson')
      await writeFile(whole, `${lines.join('\n')}\n`)
      expect(await writeKeys(pool, whole)).to.equal(0)
      const restored = await pool.query('select org, key, generation, digest from api_keys')
      expect(await kept()).to.deep.equal(before)
      expect(restored.rows).to.deep.equal([{ org: 'acme', key: 'till', generation: 1, digest: Buffer.from([1, 2]) }])
      // So do secrets, and a restore wants the master key that they are wrapped under.
      expect(await secretValues(pool, masters).open(secret)).to.equal('a canary')
      expect([...(await keyMastersOf(whole))]).to.deep.equal(masters.names)
      await pool.query(`update subject_keys set secret = '\\x01' where subject = 'left'`)
      expect(await writeKeys(pool, file).catch(({ code }) => code)).to.equal('not_empty')
      // Every table of this database must be in a backup.
      const tables = await pool.query(`select tablename from pg_tables where schemaname = 'public' order by 1`)
      const names = tables.rows.map(({ tablename }) => tablename)
      const short = ['refresh_tokens', 'sign_in_failures', 'sign_in_steps', 'knex_migrations', 'knex_migrations_lock']
      const ofUsers = ['credentials', 'passkeys', 'recovery_codes', 'sign_in_names', 'signing_keys']
      expect(names).to.have.members(['api_keys', 'index_keys', 'secret_values', 'subject_keys', ...ofUsers, ...short])
    } finally {
      await pool.end()
    }
  })

  it('is told from one of a later version, whose format, events or migrations are not known', async () => {
    const manifest = await verifyBackup(backup)
    const copy = await copyOf()
    await writeFile(path.join(copy, 'manifest.json'), manifestText({ ...manifest, format: 3 as 2 }))
    const codeOf = (error: { code: string }) => error.code
    expect(await verifyBackup(copy).catch(codeOf)).to.equal('backup_unknown')
    const later = [
      { schemas: { ...manifest.schemas, WalletOpened: 99 } },
      { schemas: { ...manifest.schemas, MoonReached: 1 } },
      { keysMigrations: [...manifest.keysMigrations, '9999_later'] },
    ]
    mustUnderstand(manifest)
    for (const change of later) {
      expect(() => mustUnderstand({ ...manifest, ...change }))
        .to.throw()
        .with.property('code', 'backup_unknown')
    }
  })
})
