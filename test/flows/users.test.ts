import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { kogi } from '../../scripts/running.ts'
import { type App, startApp } from '../support/app.ts'
import { patient } from '../support/pace.ts'
import { codeOf, PASSWORD, peopleOf, SIGN_IN } from '../support/people.ts'

describe('kogi users, kogi signing-keys', function () {
  this.timeout(120_000)
  let app: App
  let people: ReturnType<typeof peopleOf>

  before(async () => {
    app = await startApp({ env: SIGN_IN })
    people = peopleOf(app)
  })
  after(async () => {
    people?.close()
    await app?.close()
  })

  it('lets operators add, suspend and help users, and rotate keys', async () => {
    const env = {
      ...SIGN_IN,
      KOGI_EVENTSTORE_URL: app.urls.eventStoreUrl,
      KOGI_DATABASE_URL: app.urls.databaseUrl,
      KOGI_KEYS_DATABASE_URL: app.urls.keysDatabaseUrl,
      KOGI_LOG_LEVEL: 'silent',
    }
    const verb = async (args: readonly string[], input = '') => JSON.parse(await kogi([...args, '--json'], env, input))
    const { anybody, signIn, note, refresh, send } = people
    const email = 'zoe@studio.example'
    const { user } = await verb(['users', 'add', email], `${PASSWORD}\n`)
    const { access_token: token, refresh_token } = await signIn(email)
    const shown = await verb(['users', 'show', email])
    expect(shown).to.include({ user, email, status: 'active' })
    expect((await verb(['users', 'sign-out', email])).ended).to.equal(1)
    const { recovery_codes: codes } = await verb(['users', 'recovery-codes', email])
    expect(codes).to.have.length(10)
    await sleep(patient(1_600))
    expect(codeOf(await note(token))).to.equal('invalid_token')
    expect((await refresh(refresh_token)).body.error).to.equal('invalid_grant')
    const { access_token: again } = await signIn(email, { recovery_code: codes[0] })
    await verb(['users', 'suspend', user, '--reason', 'asked to'])
    const { kid } = await verb(['signing-keys', 'rotate'])
    await sleep(patient(1_600))
    expect(codeOf(await note(again))).to.equal('account_suspended')
    const login = { email, password: PASSWORD, recovery_code: codes[1] }
    expect(codeOf(await send(anybody, 'POST', '/kbs/sign-in', login))).to.equal('account_suspended')
    await verb(['users', 'resume', user])
    const { keys } = await verb(['signing-keys'])
    expect(keys.map((key: { kid: string; signs: boolean }) => [key.kid === kid, key.signs])).to.deep.include([
      true,
      true,
    ])
  })
})
