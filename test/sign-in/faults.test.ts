/** What is left of signing in where the log fails in between: on rows as they stand in the database. */
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { type Session, type User, user } from '../../domain/identity/user/user.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { keyring } from '../../infra/keyring.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { accounts } from '../../infra/sign-in/accounts.ts'
import { credentialRows, emailName, nameDigest } from '../../infra/sign-in/credentials.ts'
import { factors } from '../../infra/sign-in/factors.ts'
import type { GiveUser } from '../../infra/sign-in/give-user.ts'
import { passwords } from '../../infra/sign-in/passwords.ts'
import { sessions } from '../../infra/sign-in/sessions.ts'
import { throttle } from '../../infra/sign-in/throttle.ts'
import { PASSWORD } from '../support/people.ts'
import { freshDatabase } from '../support/postgres.ts'
import { keyTables } from '../support/templates.ts'

const NEXT = 'nine red kites in the rain'
const from = { correlationId: 'c' }
const away = () => new KogiError('engine_unavailable', 'The log is away.')
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    ({ code }) => code,
  )

describe('signing in while the log fails', () => {
  let pool: Pool
  before(async () => {
    pool = createPool({ url: await freshDatabase(keyTables), name: 'keys', log: silentLog, max: 4 })
  })
  after(() => pool?.end())

  /** One user in memory in the place of the log; `fails`: the command that does, `during`: what happens before one. */
  async function opened() {
    const email = `${randomUUID()}@studio.example`
    const id = randomUUID()
    const log = {
      state: { ...user.initial, status: 'active', user: id } as User,
      fails: '',
      isAway: false,
      during: {} as During,
    }
    const of = async () => {
      if (log.isAway) throw away()
      return log.state
    }
    const users = { fresh: () => log.state, known: () => log.state, of, changed() {} }
    const give: GiveUser = async (_, name, body) => {
      await log.during[name]?.()
      if (log.fails === name) throw away()
      const at = new Date().toISOString()
      const facts = user.decide[name](log.state, body as never, { at } as never)
      for (const { type, data } of facts) log.state = user.evolve[type](log.state, data as never, at)
      return {} as never
    }
    const rows = credentialRows(pool)
    const keys = keyring(pool)
    const shared = { users, give, rows, keyring: keys }
    const hashes = passwords({ memoryKib: 64, passes: 1, lanes: 1 })
    const tokens = {
      issuer: 'i',
      seconds: 600,
      issue: async () => 'token',
      verify: undefined as never,
      isOwn: () => true,
    }
    const directories = { of: async () => ({ organization: { status: 'none' } }) } as never
    const opened = {
      ...shared,
      factors: factors(shared),
      throttle: throttle(pool, 100),
      sessions: sessions({ ...shared, pool, directories, tokens, days: 1 }),
    }
    await rows.claim(id, 'email', nameDigest('email', emailName(email)), await hashes.hash(PASSWORD))
    const people = accounts({ ...opened, passwords: hashes, signUp: 'open' })
    const signIn = (password = PASSWORD, more: object = {}) => people.signIn({ email, password, ...more }, from)
    return { ...opened, ...people, id, email, log, signIn }
  }
  type During = Record<string, (() => Promise<unknown>) | undefined>
  const open = ({ state }: { readonly state: User }): readonly Session[] => state.sessions

  it('leaves no session beside a password that was changed, whichever step fails', async () => {
    for (const fails of ['endSessions', 'setPassword']) {
      const { id, log, signIn, changePassword } = await opened()
      await signIn()
      log.fails = fails
      const change = { before: PASSWORD, after: NEXT, org: id }
      expect(await codeOf(changePassword(id, change, from))).to.equal('engine_unavailable')
      const isChanged = (await codeOf(signIn(NEXT))) === 'done'
      expect(isChanged && open(log).length > 1, fails).to.equal(false)
      log.fails = ''
      expect(await codeOf(changePassword(id, change, from)), fails).to.equal('done')
      expect(open(log)).to.have.length(1)
      expect(await codeOf(signIn())).to.equal('wrong_credentials')
    }
  })

  it('ends a session that starts by a password while that is changed', async () => {
    const { id, log, rows, signIn } = await opened()
    log.during.startSession = async () => {
      log.during = {}
      const { password } = (await rows.of(id))!
      await rows.changePassword(id, await passwords({ memoryKib: 64, passes: 1, lanes: 1 }).hash(NEXT), password!)
    }
    expect(await codeOf(signIn())).to.equal('wrong_credentials')
    expect(open(log)).to.have.length(0)
    expect(await codeOf(signIn(NEXT))).to.equal('done')
  })

  it('takes a refresh token once the next one is sure, and ends the session of one that comes twice', async () => {
    const { log, sessions: all, signIn } = await opened()
    const { refresh_token: token } = await signIn(PASSWORD, { scope: 'office:read' })
    log.isAway = true
    expect(await codeOf(all.refresh(token!, undefined, 'c'))).to.equal('engine_unavailable')
    log.isAway = false
    for (const scope of ['office:*', 'openid']) {
      expect(await codeOf(all.refresh(token!, scope, 'c')), scope).to.equal('invalid_parameter')
    }
    await pool.query('alter table refresh_tokens add constraint refused check (used_at is not null) not valid')
    expect(await codeOf(all.refresh(token!, undefined, 'c'))).to.not.equal('done')
    await pool.query('alter table refresh_tokens drop constraint refused')
    const next = await all.refresh(token!, undefined, 'c')
    expect(next?.scope).to.equal('office:read')
    expect(open(log)).to.have.length(1)
    expect(await all.refresh(token!, undefined, 'c')).to.equal(undefined)
    expect(open(log)).to.have.length(0)
    expect(await all.refresh(next!.refresh_token!, undefined, 'c')).to.equal(undefined)
  })

  it('shows no secret of an authenticator that is not stored, and confirms only what was shown', async () => {
    const { id, factors: all, rows } = await opened()
    await all.begin(id, 'mira')
    const { totp_sealed: first } = (await rows.of(id))!
    await all.begin(id, 'mira')
    expect(await rows.confirmTotp(id, first!)).to.equal(false)
    const { totp_sealed: second } = (await rows.of(id))!
    for (const _ of [1, 2]) expect(await rows.confirmTotp(id, second!)).to.equal(true)
    expect(await codeOf(all.begin(id, 'mira'))).to.equal('conflict')
    await rows.dropTotp(id)
    expect(await codeOf(all.begin(id, 'mira'))).to.equal('done')
  })

  it('burns no recovery code by what fails, by a suspended user, or by a scope that is none', async () => {
    const {
      id,
      email,
      log,
      factors: { newRecoveryCodes },
      signIn,
      recover,
    } = await opened()
    const [code, other] = await newRecoveryCodes(id, 'c')
    const again = () => codeOf(recover({ email, password: NEXT, recovery_code: code }, from))
    for (const fails of ['useRecoveryCode', 'endSessions', 'setPassword']) {
      log.fails = fails
      expect(await again(), fails).to.equal('engine_unavailable')
    }
    log.fails = 'useRecoveryCode'
    expect(await codeOf(signIn(PASSWORD, { recovery_code: code }))).to.equal('engine_unavailable')
    log.fails = ''
    expect(await codeOf(signIn(PASSWORD, { recovery_code: code, scope: 'openid' }))).to.equal('invalid_parameter')
    const active = log.state
    log.state = { ...active, status: 'suspended' }
    expect(await again()).to.equal('user_suspended')
    log.state = active
    const both = await Promise.all([again(), again()])
    expect(both.sort()).to.deep.equal(['done', 'wrong_credentials'])
    expect(await codeOf(signIn(NEXT, { recovery_code: other }))).to.equal('done')
    expect(await codeOf(signIn(NEXT, { recovery_code: other }))).to.equal('wrong_credentials')
  })
})
