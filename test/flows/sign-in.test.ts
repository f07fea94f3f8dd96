import { expect } from 'chai'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import pg from 'pg'
import { openStream } from '../live/clients.ts'
import { type App, startApp } from '../support/app.ts'
import { codeAt, codeOf, ISSUER, PASSWORD, peopleOf, SIGN_IN } from '../support/people.ts'

const reason = 'So it is.'
type People = ReturnType<typeof peopleOf>

describe('signing in', function () {
  this.timeout(120_000)
  let app: App
  let people: People
  let anybody: People['anybody']
  let bearer: People['bearer']
  let send: People['send']
  let done: People['done']
  let signUp: People['signUp']
  let signIn: People['signIn']
  let refresh: People['refresh']
  let note: People['note']
  let enrolled: People['enrolled']

  before(async () => {
    app = await startApp({ env: SIGN_IN })
    people = peopleOf(app)
    ;({ anybody, bearer, send, done, signUp, signIn, refresh, note, enrolled } = people)
  })
  after(async () => {
    people?.close()
    await app?.close()
  })

  it('gives a new user tokens for an org of their own, which every verifier can check', async () => {
    await signUp('mira@studio.example')
    const { access_token: token, expires_in } = await signIn('Mira@Studio.example', { client: 'Phone' })
    expect(expires_in).to.equal(600)
    const keys = createRemoteJWKSet(new URL(`${app.url}/api/v1/kbs/oauth/jwks`))
    const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: 'kogi', typ: 'at+jwt' })
    expect(payload).to.include({ org_id: payload.sub, email: 'mira@studio.example', acr: 'aal1' })
    expect(payload).to.include({ memory_context: `${payload.sub}_context`, email_verified: false })
    expect(payload.roles).to.deep.equal(['organization-admin'])
    expect(payload.permissions).to.include.members(['wallet.*', 'office.*'])
    expect(decodeProtectedHeader(token)).to.include({ alg: 'RS256', typ: 'at+jwt' })
    expect(codeOf(await note(token))).to.equal(201)
    const me = await done(bearer(token), 'GET', '/kbs/me')
    expect(me).to.include({ user: payload.sub, email: 'mira@studio.example', has_password: true, has_totp: false })
    expect(me.sessions.at(-1)).to.include({ client: 'Phone', current: true })
    const { body: metadata } = await anybody.call('GET', '/.well-known/oauth-authorization-server')
    expect(metadata).to.include({ issuer: ISSUER, jwks_uri: `${ISSUER}/api/v1/kbs/oauth/jwks` })
  })

  it('says the same of an unknown user as of a wrong password, and of a name that is taken', async () => {
    await signUp('pia@studio.example')
    await signUp('pia@studio.example')
    const wrong = await send(anybody, 'POST', '/kbs/sign-in', { email: 'pia@studio.example', password: 'wrong' })
    const unknown = await send(anybody, 'POST', '/kbs/sign-in', { email: 'no@studio.example', password: 'wrong' })
    for (const each of [wrong, unknown]) expect(codeOf(each)).to.equal('wrong_credentials')
    expect(wrong.body.error).to.deep.equal(unknown.body.error)
  })

  it('refuses passwords that are common, short, or the name of the user', async () => {
    for (const password of ['password1', 'qwertyuiop', 'Sommer24', 'jonathan1', 'jonathan@studio.example']) {
      const answer = await send(anybody, 'POST', '/kbs/sign-up', { email: 'jonathan@studio.example', password })
      expect(codeOf(answer), password).to.equal('password_refused')
    }
  })

  it('throttles tries for one account, whether there is one or not, and not those of other addresses', async () => {
    await signUp('tom@studio.example')
    for (const email of ['tom@studio.example', 'nobody@studio.example']) {
      const attempt = (password: string, address: string) =>
        send(anybody, 'POST', '/kbs/sign-in', { email, password }, { 'x-forwarded-for': `10.9.9.9, ${address}` })
      const answers = await Promise.all(Array.from({ length: 12 }, () => attempt('wrong', '198.51.100.7')))
      const refused = answers.filter(({ status }) => status === 429)
      expect(refused).to.have.length(7)
      expect(Number(refused[0]!.headers['retry-after'])).to.be.within(2, 900)
      expect(codeOf(await attempt(PASSWORD, '198.51.100.7'))).to.equal('too_many_requests')
      const elsewhere = email.startsWith('tom') ? 200 : 'wrong_credentials'
      expect(codeOf(await attempt(PASSWORD, '198.51.100.8'))).to.equal(elsewhere)
    }
  })

  it('changes the refresh token with each use, and ends the session when one comes twice', async () => {
    await signUp('nia@studio.example')
    const first = await signIn('nia@studio.example')
    const second = (await refresh(first.refresh_token)).body
    expect(second).to.include({ token_type: 'Bearer', expires_in: 600 })
    expect(codeOf(await note(second.access_token))).to.equal(201)
    const stolen = await refresh(first.refresh_token)
    expect([stolen.status, stolen.body.error]).to.deep.equal([400, 'invalid_grant'])
    for (const token of [first, second]) expect(codeOf(await note(token.access_token))).to.equal('invalid_token')
    expect((await refresh(second.refresh_token)).body.error).to.equal('invalid_grant')
  })

  it('lets one of many uses of a refresh token at once through, and no token of the session after', async () => {
    await signUp('ada@studio.example')
    const { refresh_token: token } = await signIn('ada@studio.example')
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(token)))
    expect(answers.filter(({ status }) => status === 200).length).to.be.at.most(1)
    for (const { body } of answers.filter(({ status }) => status === 200)) {
      expect(codeOf(await note(body.access_token))).to.equal('invalid_token')
    }
  })

  it('signs out here and everywhere, and ends streams', async () => {
    await signUp('leo@studio.example')
    const [one, two, three] = [
      await signIn('leo@studio.example'),
      await signIn('leo@studio.example'),
      await signIn('leo@studio.example'),
    ]
    await done(bearer(one.access_token), 'POST', '/kbs/sign-out')
    expect(codeOf(await note(one.access_token))).to.equal('invalid_token')
    expect((await refresh(one.refresh_token)).body.error).to.equal('invalid_grant')
    const stream = await openStream(app.url, two.access_token, '')
    await done(bearer(three.access_token), 'POST', '/kbs/sign-out/everywhere')
    for (const { access_token } of [two, three]) expect(codeOf(await note(access_token))).to.equal('invalid_token')
    await stream.until(() => stream.isOver())
  })

  it('revokes by either token, and tells of a token what counts (RFC 7009, 7662)', async () => {
    await signUp('eva@studio.example')
    const [one, two] = [await signIn('eva@studio.example'), await signIn('eva@studio.example')]
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const revoke = (token: string) =>
      anybody.call('POST', '/api/v1/kbs/oauth/revoke', { raw: `token=${encodeURIComponent(token)}`, headers: form })
    const introspect = async (token: string, by = two.access_token) =>
      (await send(bearer(by), 'POST', '/kbs/oauth/introspect', { token })).body
    expect(await introspect(one.access_token)).to.include({ active: true, token_type: 'Bearer', iss: ISSUER })
    expect(await introspect(one.refresh_token)).to.include({ active: true, token_type: 'refresh_token' })
    const stranger = await signIn('nia@studio.example')
    expect(await introspect(one.access_token, stranger.access_token)).to.deep.equal({ active: false })
    expect((await revoke(one.refresh_token)).status).to.equal(200)
    expect((await revoke('never-was-one')).status).to.equal(200)
    for (const token of [one.access_token, one.refresh_token, 'x', `${one.access_token}x`]) {
      expect(await introspect(token)).to.deep.equal({ active: false })
    }
    expect((await revoke(two.access_token)).body).to.deep.equal({})
    expect(codeOf(await note(two.access_token))).to.equal('invalid_token')
  })

  it('narrows tokens to a scope, and never widens one', async () => {
    await signUp('sam@studio.example')
    const { access_token: token, refresh_token, scope } = await signIn('sam@studio.example', { scope: 'office:read' })
    expect(scope).to.equal('office:read')
    expect(codeOf(await note(token))).to.equal('forbidden')
    expect(codeOf(await send(bearer(token), 'GET', '/koff/notes'))).to.equal(200)
    const wide = { grant_type: 'refresh_token', refresh_token, scope: 'office:*' }
    expect((await send(anybody, 'POST', '/kbs/oauth/token', wide)).body.error).to.equal('invalid_scope')
    const beyond = await signIn('sam@studio.example', { scope: 'platform:read' })
    expect(codeOf(await send(bearer(beyond.access_token), 'GET', '/kmg/operations'))).to.equal('forbidden')
    const login = { email: 'sam@studio.example', password: PASSWORD }
    for (const wrong of ['office:reed', 'openid', 'office:read openid']) {
      const answer = await send(anybody, 'POST', '/kbs/sign-in', { ...login, scope: wrong })
      expect(codeOf(answer), wrong).to.equal('invalid_parameter')
    }
  })

  it('asks for the second factor, takes each code once, and raises sessions for what is sensitive', async () => {
    const { uri, token, codes } = await enrolled('uma@studio.example')
    expect(codes).to.have.length(10)
    const login = { email: 'uma@studio.example', password: PASSWORD }
    const attempt = async (more: object) => codeOf(await send(anybody, 'POST', '/kbs/sign-in', { ...login, ...more }))
    expect(await attempt({})).to.equal('second_factor_needed')
    expect(await attempt({ code: codeAt(uri, -1) })).to.equal('wrong_credentials')
    expect(await attempt({ code: codeAt(uri, -4) })).to.equal('wrong_credentials')
    const code = codeAt(uri)
    const both = await Promise.all([attempt({ code }), attempt({ code })])
    expect(both.sort()).to.deep.equal([200, 'wrong_credentials'])
    expect(await attempt({ recovery_code: codes[0]!.toUpperCase() })).to.equal(200)
    expect(await attempt({ recovery_code: codes[0]! })).to.equal('wrong_credentials')
    expect(codeOf(await send(bearer(token), 'POST', '/kbs/organization', { name: 'Uma' }))).to.equal(200)
  })

  it('answers 401 insufficient_user_authentication to sensitive commands by one factor (RFC 9470)', async () => {
    await signUp('ben@studio.example')
    const { access_token: token } = await signIn('ben@studio.example')
    const weak = await send(bearer(token), 'POST', '/kbs/organization', { name: 'Ben' })
    expect([weak.status, codeOf(weak)]).to.deep.equal([401, 'insufficient_user_authentication'])
    expect(weak.headers['www-authenticate'])
      .to.include('error="insufficient_user_authentication"')
      .and.include('acr_values="aal2"')
      .and.include('max_age=900')
    const commands = [{ command: 'organization.found', body: { name: 'Ben' } }]
    const bulk = await send(bearer(token), 'POST', '/bulk', { commands })
    expect(JSON.stringify(bulk.body)).to.include('insufficient_user_authentication')
    const { uri } = await done(bearer(token), 'POST', '/kbs/me/totp')
    const strong = await done(bearer(token), 'POST', '/kbs/me/totp/confirm', { code: codeAt(uri, -1) })
    expect(codeOf(await send(bearer(strong.access_token), 'POST', '/kbs/organization', { name: 'Ben' }))).to.equal(200)
    const stepped = await done(bearer(token), 'POST', '/kbs/step-up', { code: codeAt(uri) })
    expect(codeOf(await send(bearer(stepped.access_token), 'PATCH', '/kbs/organization', { name: 'B' }))).to.equal(200)
    // The token in hand still shows one factor.
    const before = await send(bearer(token), 'PATCH', '/kbs/organization', { name: 'C' })
    expect(codeOf(before)).to.equal('insufficient_user_authentication')
  })

  it('changes a password, and recovers by a recovery code with a code of the authenticator', async () => {
    const { uri, token, codes } = await enrolled('ola@studio.example')
    const next = 'nine red kites in the rain'
    const change = (password: string) =>
      send(bearer(token), 'PUT', '/kbs/me/password', { password, new_password: next })
    expect(codeOf(await change('wrong'))).to.equal('wrong_credentials')
    const { access_token: fresh } = (await change(PASSWORD)).body.data
    expect(codeOf(await note(token))).to.equal('invalid_token')
    expect(codeOf(await note(fresh))).to.equal(201)
    // The session before had shown two factors; this one has shown the password alone.
    const found = (by: string) => send(bearer(by), 'POST', '/kbs/organization', { name: 'Ola' })
    expect(codeOf(await found(fresh))).to.equal('insufficient_user_authentication')
    const raised = await done(bearer(fresh), 'POST', '/kbs/step-up', { recovery_code: codes[2] })
    expect(codeOf(await found(raised.access_token))).to.equal(200)
    const recover = (more: object) =>
      send(anybody, 'POST', '/kbs/recover', { email: 'ola@studio.example', new_password: PASSWORD, ...more })
    expect(codeOf(await recover({ recovery_code: codes[0]! }))).to.equal('wrong_credentials')
    expect(codeOf(await recover({ recovery_code: 'abcd-efgh', code: codeAt(uri) }))).to.equal('wrong_credentials')
    expect(codeOf(await recover({ recovery_code: codes[0]!, code: codeAt(uri, 1) }))).to.equal(200)
    expect(codeOf(await note(fresh))).to.equal('invalid_token')
    expect(await signIn('ola@studio.example', { recovery_code: codes[1]! })).to.have.property('access_token')
  })

  it('lets users into organizations that list them, until they are suspended', async () => {
    await signUp('kim@studio.example')
    const own = await signIn('kim@studio.example')
    const { user } = await done(bearer(own.access_token), 'GET', '/kbs/me')
    const admin = await app.clientOf('bluebird', 'organization-admin', 'mira')
    const login = { email: 'kim@studio.example', password: PASSWORD, org: 'bluebird' }
    const attempt = async () => codeOf(await send(anybody, 'POST', '/kbs/sign-in', login))
    expect(await attempt()).to.equal('not_a_member')
    await done(admin, 'POST', '/kbs/organization', { name: 'Bluebird' })
    expect(await attempt()).to.equal('not_a_member')
    await done(admin, 'POST', '/kbs/members', { user, roles: ['contributor'], reason })
    const { access_token: token } = await signIn('kim@studio.example', { org: 'bluebird' })
    expect(codeOf(await note(token))).to.equal(201)
    await done(admin, 'POST', `/kbs/members/${user}/suspend`, { reason })
    expect(codeOf(await note(token))).to.equal('account_suspended')
    expect(await attempt()).to.equal('account_suspended')
    const operator = await app.clientOf('bluebird', 'platform-admin', 'root')
    await done(admin, 'POST', `/kbs/members/${user}/resume`, { reason })
    const block = '/kmg/platform/organizations/bluebird/block'
    await done(operator, 'PUT', block, { reason })
    expect(codeOf(await note(token))).to.equal('organization_blocked')
    await done(operator, 'DELETE', block, { reason })
    expect(codeOf(await note(token))).to.equal(201)
  })

  it('gives servers tokens for their API key, which stand and fall with it', async () => {
    const admin = await app.clientOf('finch', 'organization-admin', 'mira')
    await done(admin, 'POST', '/kbs/organization', { name: 'Finch' })
    await done(admin, 'POST', '/kbs/members', { user: 'till', roles: ['contributor'], reason })
    const key = { key: 'till', name: 'Till', owner: 'till', scopes: ['office.*'], reason }
    const { api_key: secret } = await done(admin, 'POST', '/kbs/api-keys', key)
    const grant = (id: string, password: string, more = '') =>
      anybody.call('POST', '/api/v1/kbs/oauth/token', {
        raw: `grant_type=client_credentials${more}`,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`,
        },
      })
    const { body } = await grant('till', secret)
    expect(body).to.include({ token_type: 'Bearer', expires_in: 600 }).and.not.have.any.keys('refresh_token')
    expect(codeOf(await note(body.access_token))).to.equal(201)
    const { body: narrow } = await grant('till', secret, '&scope=office:read')
    expect(codeOf(await note(narrow.access_token))).to.equal('forbidden')
    expect(codeOf(await send(bearer(narrow.access_token), 'GET', '/koff/notes'))).to.equal(200)
    for (const wrong of [await grant('other', secret), await grant('till', 'kogi_x'), await grant('till', '')]) {
      expect([wrong.status, wrong.body.error]).to.deep.equal([401, 'invalid_client'])
    }
    await done(admin, 'POST', '/kbs/api-keys/till/rotate', { overlap_hours: 0, reason })
    expect(codeOf(await note(body.access_token))).to.equal('invalid_token')
  })

  it('keeps secrets out of the log, and passwords as argon2id hashes', async () => {
    const { access_token: token } = await signIn('mira@studio.example')
    const log = await send(bearer(token), 'GET', '/kmg/audit-log?limit=500&wait=5000')
    expect(JSON.stringify(log.body)).to.include('PasswordSet').and.not.include('argon2').and.not.include(PASSWORD)
    const keys = new pg.Client(app.urls.keysDatabaseUrl)
    await keys.connect()
    try {
      const { rows } = await keys.query('select password, totp_sealed from credentials where totp_confirmed')
      for (const row of rows) expect(row.password).to.match(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/)
      const names = await keys.query('select digest from sign_in_names limit 1')
      expect(names.rows[0].digest).to.have.length(32)
    } finally {
      await keys.end()
    }
  })
})
