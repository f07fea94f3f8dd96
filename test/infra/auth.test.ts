import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { exportJWK, SignJWT } from 'jose'
import type { KogiError } from '../../domain/kernel/errors.ts'
import type { Principal } from '../../domain/kernel/route.ts'
import { createAuthenticator } from '../../infra/auth/authenticate.ts'
import { devKeys, issueToken, jwksSource } from '../../infra/auth/dev-keys.ts'
import { permissions, permissionsOfRoles } from '../../infra/auth/permissions.ts'
import { loadConfig } from '../../infra/config.ts'

const ISSUER = 'https://auth.example'
const AUDIENCE = 'https://api.example'
const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const [mine, other] = [pair(), pair()]
const now = () => Math.floor(Date.now() / 1000)

const jwksOf = async (keys: Record<string, KeyObject>) => {
  const entries = Object.entries(keys).map(async ([kid, key]) => ({
    ...(await exportJWK(key)),
    kid,
    alg: 'RS256',
    use: 'sig',
  }))
  return JSON.stringify({ keys: await Promise.all(entries) })
}

type Claims = Record<string, unknown>
const GOOD: Claims = { sub: 'ada', org_id: 'acme', iss: ISSUER, aud: AUDIENCE, roles: ['viewer'] }

/** A token with the good claims but for those named: `undefined` leaves one out. */
function token(claims: Claims = {}, key: KeyObject = mine.privateKey, header: Record<string, unknown> = {}) {
  const all: Claims = { exp: now() + 60, ...GOOD, ...claims }
  const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header }).sign(key)
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const at = <T>(list: readonly T[], index: number) => list[index]!

describe('authentication', () => {
  let folder: string
  let file: string
  let authenticate: ReturnType<typeof createAuthenticator>

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-test-'))
    file = path.join(folder, 'jwks.json')
    await writeFile(file, await jwksOf({ k1: mine.publicKey }))
    authenticate = createAuthenticator({ jwks: file, issuer: ISSUER, audience: AUDIENCE, cacheSize: 100 })
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const principal = async (claims: Claims = {}): Promise<Principal> => authenticate(`Bearer ${await token(claims)}`)
  async function refused(authorization: string | undefined, check = authenticate): Promise<KogiError> {
    try {
      await check(authorization)
    } catch (error) {
      return error as KogiError
    }
    throw new Error('the token was accepted')
  }

  it('makes a principal of the claims', async () => {
    const { endsAt, ...made } = await principal({ permissions: ['office.*', 'Other'], scope: 'openid center:write' })
    const ofScope = [
      'center.backlogs.write',
      'center.centers.write',
      'center.comments.write',
      'center.keyresults.write',
      'center.measurements.write',
      'center.metrics.write',
      'center.objectives.write',
      'center.pages.write',
      'center.plans.write',
      'center.projects.write',
      'center.resources.write',
      'center.risks.write',
      'center.sprints.write',
      'center.tasks.write',
      'center.templates.write',
      'center.time.write',
    ]
    expect(made).to.deep.equal({
      subject: 'ada',
      org: 'acme',
      roles: ['viewer'],
      permissions: [...permissionsOfRoles(['viewer']), 'office.*', ...ofScope],
      scoped: ofScope,
    })
    expect((await principal({ roles: undefined })).permissions).to.deep.equal([])
    expect([(await principal({ aud: ['x', AUDIENCE] })).org, endsAt! > Date.now()]).to.deep.equal(['acme', true])
  })

  it('has the teams that something can be shared with, and no claim of any others', async () => {
    expect(
      (await principal({ groups: ['design', ' outer', 'a\u0000b', '\ud800', 'x'.repeat(129), 'design'] })).teams,
    ).to.eql(['design'])
    expect(await principal({ groups: [' '] })).not.to.have.property('teams')
  })

  it('takes claims in the forms of identity providers', async () => {
    const viewer = permissionsOfRoles(['viewer'])
    const wallets = permissions.filter(name => /^wallet\..*\.read$/.test(name))
    expect(wallets).to.include.members(['wallet.accounts.read', 'wallet.wallets.read'])
    const forms: readonly [Claims, readonly string[]][] = [
      [{ roles: null, permissions: null, scope: null }, []],
      [{ roles: 'viewer' }, viewer],
      [{ roles: 'other viewer' }, viewer],
      [{ roles: ['viewer', null, 7, 'x'.repeat(300), ...Array.from({ length: 400 }, (_, n) => `grp-${n}`)] }, viewer],
      [{ roles: [], scope: ['openid', 'wallet:read'] }, wallets],
      [{ roles: [], scp: 'openid wallet:read' }, wallets],
      [{ roles: [], scp: ['wallet:read'], scope: 'openid' }, wallets],
      [{ roles: [], permissions: 'office.notes.read office.notes.write' }, ['office.notes.read', 'office.notes.write']],
    ]
    for (const [claims, permissions] of forms) {
      const made = await principal(claims)
      expect(made.permissions, JSON.stringify(claims).slice(0, 60)).to.have.members([...permissions])
      expect(made.roles.filter(role => role !== 'viewer')).to.deep.equal([])
    }
  })

  it('is narrowed by every scope of a service of Kogi, to nothing by those that stand for nothing', async () => {
    for (const scope of ['wallet:reed', 'openid wallet', 'Wallet:read', 'wallet.entries.read', 'platform:x:y']) {
      expect(await principal({ scope }), scope)
        .to.have.property('scoped')
        .that.deep.equals([])
    }
    for (const scope of ['openid profile', 'wallets:read', 'https://bank.example/wallet:read', '']) {
      expect(await principal({ scope }), scope).not.to.have.property('scoped')
    }
  })

  it('asks for a token where there is none', async () => {
    expect((await refused(undefined)).code).to.equal('unauthenticated')
    for (const header of ['', 'Bearer', 'Basic YTpi', 'Bearer a b', `Bearer ${'\u00e9'}`]) {
      expect((await refused(header)).code, header).to.equal('invalid_token')
    }
  })

  const badClaims: Record<string, [Claims, string]> = {
    expired: [{ exp: now() - 10 }, 'exp'],
    'without an end': [{ exp: undefined }, 'exp'],
    'not valid yet': [{ nbf: now() + 3_600 }, 'nbf'],
    'of another issuer': [{ iss: 'https://evil.example' }, 'iss'],
    'without an issuer': [{ iss: undefined }, 'iss'],
    'for another audience': [{ aud: 'https://other.example' }, 'aud'],
    'without an audience': [{ aud: undefined }, 'aud'],
    'without a subject': [{ sub: undefined }, 'sub'],
    'with an empty subject': [{ sub: '' }, 'sub'],
    'with a long subject': [{ sub: 'x'.repeat(129) }, 'sub'],
    'with a control character in its subject': [{ sub: 'a\u0000b' }, 'sub'],
    'without an organization': [{ org_id: undefined }, 'org_id'],
    'with a number for an organization': [{ org_id: 7 }, 'org_id'],
    'with a path for an organization': [{ org_id: '../acme' }, 'org_id'],
    'with a long organization': [{ org_id: 'x'.repeat(65) }, 'org_id'],
    'with roles that are no list': [{ roles: { viewer: true } }, 'roles'],
    'with permissions that are no list': [{ permissions: 7 }, 'permissions'],
    'with a scope that is no text': [{ scope: true }, 'scope'],
    'with names without end': [{ roles: Array.from({ length: 5_001 }, (_, n) => `g${n}`) }, 'roles'],
  }
  for (const [name, [claims, field]] of Object.entries(badClaims)) {
    it(`refuses a token ${name}`, async () => {
      const error = await refused(`Bearer ${await token(claims)}`)
      expect([error.code, error.details[0]?.field]).to.deep.equal(['invalid_token', field])
    })
  }

  it('forgives a clock that is a few seconds off', async () =>
    expect((await principal({ exp: now() - 2 })).org).to.equal('acme'))

  it('refuses what is not signed by a known key with RS256', async () => {
    const good = await token()
    const [header, payload, signature] = good.split('.') as [string, string, string]
    const hs256 = await new SignJWT({ ...GOOD, exp: now() + 60 })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(Buffer.from(mine.publicKey.export({ type: 'spki', format: 'pem' })))
    const tokens = {
      none: `${encode({ alg: 'none', kid: 'k1' })}.${payload}.`,
      hs256,
      rs512: await token({}, mine.privateKey, { alg: 'RS512' }),
      'other key': await token({}, other.privateKey),
      'unknown kid': await token({}, other.privateKey, { kid: 'k2' }),
      'changed payload': `${header}.${encode({ ...GOOD, exp: now() + 60, org_id: 'other' })}.${signature}`,
      'changed header': `${encode({ alg: 'RS256', kid: 'k1', x: 1 })}.${payload}.${signature}`,
      'changed signature': `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      'no signature': `${header}.${payload}.`,
      'two parts': `${header}.${payload}`,
      'not base64': '.....',
      words: 'not-a-token',
    }
    for (const [name, text] of Object.entries(tokens)) {
      expect((await refused(`Bearer ${text}`)).code, name).to.equal('invalid_token')
    }
    expect((await principal()).subject).to.equal('ada')
  })

  it('remembers what it verified, for no longer than the token lives, and no more than it may', async () => {
    const small = createAuthenticator({ jwks: file, issuer: ISSUER, audience: AUDIENCE, cacheSize: 2 })
    const tokens = await Promise.all([1, 2, 3].map(n => token({ sub: `s${n}`, exp: now() + 60 })))
    for (const text of tokens) expect(small(`Bearer ${text}`), 'first look').to.be.instanceOf(Promise)
    await Promise.all(tokens.map(text => small(`Bearer ${text}`)))
    expect(small(`Bearer ${at(tokens, 2)}`)).to.include({ subject: 's3' })
    const exp = now() - 4
    const dying = await token({ exp })
    await small(`Bearer ${dying}`)
    await new Promise(resolve => setTimeout(resolve, (exp + 5) * 1000 + 20 - Date.now()))
    expect((await refused(`Bearer ${dying}`, small)).details[0]?.field).to.equal('exp')
  })

  it('takes a rotated key without a restart', async () => {
    const rotating = path.join(folder, 'rotating.json')
    await writeFile(rotating, await jwksOf({ k1: mine.publicKey }))
    const check = createAuthenticator({
      jwks: rotating,
      issuer: ISSUER,
      audience: AUDIENCE,
      cacheSize: 0,
      keyCooldownMs: 0,
    })
    const next = await token({}, other.privateKey, { kid: 'k2' })
    expect((await refused(`Bearer ${next}`, check)).code).to.equal('invalid_token')
    await writeFile(rotating, await jwksOf({ k2: other.publicKey }))
    expect(await check(`Bearer ${next}`)).to.include({ org: 'acme' })
    expect((await refused(`Bearer ${await token()}`, check)).details[0]?.field).to.equal('kid')
  })

  it('reads keys from a URL, and calls a key set that is away engine_unavailable', async () => {
    const body = await jwksOf({ k1: mine.publicKey })
    let asked = 0
    const server: Server = createServer((_, response) => {
      asked++
      response.setHeader('Content-Type', 'application/json').end(body)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const jwks = `http://127.0.0.1:${(server.address() as { port: number }).port}/jwks.json`
    const check = createAuthenticator({ jwks, issuer: ISSUER, audience: AUDIENCE, cacheSize: 0 })
    for (let i = 0; i < 3; i++) expect(await check(`Bearer ${await token()}`)).to.include({ org: 'acme' })
    expect(asked).to.equal(1)
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    for (const gone of [jwks, path.join(folder, 'absent.json')]) {
      const blind = createAuthenticator({ jwks: gone, issuer: ISSUER, audience: AUDIENCE, cacheSize: 0 })
      expect((await refused(`Bearer ${await token()}`, blind)).code).to.equal('engine_unavailable')
    }
  })
})

describe('development keys', () => {
  let dataDir: string
  before(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'kogi-test-'))
  })
  after(() => rm(dataDir, { recursive: true, force: true }))

  it('are made once for several processes, and sign tokens that are accepted', async () => {
    const config = { ...loadConfig({}), dataDir }
    const made = await Promise.all([devKeys(config), devKeys(config), devKeys(config)])
    expect(new Set(made.map(keys => keys.kid)).size).to.equal(1)
    expect((await stat(path.join(dataDir, 'auth/signing-key.pem'))).mode & 0o777).to.equal(0o600)
    expect(await readFile((await jwksSource(config))!, 'utf8')).not.to.contain('"d"')
    const { jwtIssuer: issuer, jwtAudience: audience } = config
    const check = createAuthenticator({ jwks: await jwksSource(config), issuer, audience, cacheSize: 10 })
    const text = await issueToken(config, { org: 'acme', subject: 'ada', roles: ['auditor'], ttlSeconds: 60 })
    expect(await check(`Bearer ${text}`)).to.deep.include({ subject: 'ada', org: 'acme', roles: ['auditor'] })
  })

  it('do not exist in production', async () => {
    const config = { ...loadConfig({}), dataDir, env: 'production' as const }
    const error = await issueToken(config, { org: 'a', subject: 'b', roles: [], ttlSeconds: 1 }).catch(error => error)
    expect(error.name).to.equal('ConfigError')
  })

  it('sign for no unknown role and no odd organization', async () => {
    const config = { ...loadConfig({}), dataDir }
    const issue = (org: string, role: string) => issueToken(config, { org, subject: 's', roles: [role], ttlSeconds: 1 })
    expect((await issue('a', 'boss').catch(error => error)).message).to.contain('organization-admin')
    expect((await issue('a b', 'viewer').catch(error => error)).message).to.contain('organization id')
  })
})
