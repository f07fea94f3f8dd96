/** The check of own tokens by the cases of RFC 8725, on keys as they stand in the database, and published vectors. */
import { createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'chai'
import { CompactSign, compactVerify, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { createAuthenticator } from '../../infra/auth/authenticate.ts'
import { keyring } from '../../infra/keyring.ts'
import { silentLog } from '../../infra/log.ts'
import { localKey } from '../../infra/master-key.ts'
import { masterKeys } from '../../infra/master-keys.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { accessTokens } from '../../infra/sign-in/access-tokens.ts'
import { signingKeys } from '../../infra/sign-in/signing-keys.ts'
import { freshDatabase } from '../support/postgres.ts'
import { keyTables } from '../support/templates.ts'

const DAY_MS = 86_400_000
const DATA = process.env.KOGI_DATA_SETS
const VECTORS = DATA && path.join(DATA, 'vectors_jose/jws.jsonl')

const subject = {
  user: 'u-1',
  org: 'u-1',
  roles: ['organization-admin'],
  permissions: ['office.*'],
  by: { session: 's-1', acr: 'aal1', amr: ['pwd'], provedAt: '2026-01-31T12:00:00.000Z' },
} as const

describe('tokens of Kogi itself', () => {
  let pool: Pool
  const master = Buffer.alloc(32, 7)
  before(async () => {
    pool = createPool({ url: await freshDatabase(keyTables), name: 'keys', log: silentLog, max: 4 })
  })
  after(() => pool?.end())
  beforeEach(() => pool.query('delete from signing_keys; delete from subject_keys'))

  const opened = (algorithm: 'RS256' | 'EdDSA' = 'RS256', now: () => number = Date.now, db: Pool = pool) => {
    const masters = masterKeys([localKey(master)])
    const keys = signingKeys({ pool: db, keyring: keyring(pool, { masters }), algorithm, days: 30, now })
    return { keys, tokens: accessTokens({ issuer: 'https://kogi.example', audience: 'kogi', seconds: 600, keys, now }) }
  }
  const authenticator = ({ tokens }: ReturnType<typeof opened>) =>
    createAuthenticator({ jwks: undefined, issuer: undefined, audience: 'kogi', cacheSize: 0, own: tokens })
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

  for (const algorithm of ['RS256', 'EdDSA'] as const) {
    it(`are signed with ${algorithm}, by one sealed key however many processes begin at once`, async () => {
      const processes = [opened(algorithm), opened(algorithm), opened(algorithm)]
      const made = await Promise.all(processes.map(({ tokens }) => tokens.issue(subject)))
      for (const token of made) for (const each of processes) await each.tokens.verify(token)
      const { rows } = await pool.query('select alg, sealed, public_key from signing_keys')
      expect(rows.map(({ alg }) => alg)).to.deep.equal([algorithm])
      expect(JSON.stringify(rows)).to.not.include('PRIVATE').and.not.include('"d"')
      const { rows: wrapped } = await pool.query('select master from subject_keys')
      expect(wrapped.every(({ master: name }) => name !== null)).to.equal(true)
    })
  }

  it('are signed with the key that another process made between two looks, with a clock that is ahead', async () => {
    const at = Date.now()
    const other = opened('EdDSA', () => at + 5)
    const query = async (text: string, values: unknown[]) => {
      if (text.includes('max(number)')) await other.keys.signing()
      return pool.query(text, values)
    }
    const late = opened('EdDSA', () => at, { query } as unknown as Pool)
    expect((await late.keys.signing()).kid).to.equal((await other.keys.signing()).kid)
    expect((await pool.query('select from signing_keys')).rowCount).to.equal(1)
  })

  it('find their key through rotations: published a day before it signs, and a day after', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z')
    const { keys, tokens } = opened('EdDSA', () => now)
    const first = (await keys.signing()).kid
    now += 29.5 * DAY_MS
    const last = await tokens.issue(subject)
    expect((await keys.published()).map(({ kid }) => kid === first)).to.deep.equal([true, false])
    expect((await keys.signing()).kid).to.equal(first)
    now += 0.5 * DAY_MS + 300_000 - 500
    const second = (await keys.signing()).kid
    expect(second).to.not.equal(first)
    const next = await tokens.issue(subject)
    await tokens.verify(next)
    expect((await keys.published()).length).to.equal(2)
    now += DAY_MS
    expect((await keys.published()).map(({ kid }) => kid)).to.deep.equal([second])
    for (const old of [last, next]) expect(await tokens.verify(old).catch(({ code }) => code)).to.match(/^ERR_/)
  })

  it('are refused once their key is withdrawn, and go on where it was only followed by another', async () => {
    const [one, other] = [opened(), opened()]
    const token = await one.tokens.issue(subject)
    await other.keys.rotate()
    const second = await other.tokens.issue(subject)
    for (const each of [token, second]) await one.tokens.verify(each)
    await other.keys.rotate('withdraw')
    const fresh = opened()
    for (const old of [token, second]) {
      expect(await fresh.tokens.verify(old).catch(({ code }) => code)).to.equal('ERR_JWKS_NO_MATCHING_KEY')
    }
    await fresh.tokens.verify(await other.tokens.issue(subject))
  })

  it('are refused in every way of RFC 8725 to be another token', async () => {
    const it = opened()
    const check = authenticator(it)
    const good = await it.tokens.issue(subject)
    expect(await check(`Bearer ${good}`)).to.include({ subject: 'u-1' })
    const { kid, key } = await it.keys.signing()
    const [head, payload, signature] = good.split('.') as [string, string, string]
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const [jwk] = await it.keys.published()
    const { privateKey: stranger, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const signed = (header: object, change: object = {}, by = key) =>
      new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid, ...header }).sign(by)
    const symmetric = `${part({ alg: 'HS256', typ: 'at+jwt', kid })}.${payload}`
    const secret = createHmac('sha256', JSON.stringify(jwk)).update(symmetric).digest('base64url')
    const other = part({ alg: 'EdDSA', typ: 'at+jwt', kid })
    const critical = () =>
      new CompactSign(Buffer.from(payload, 'base64url'))
        .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid, crit: ['urn:x'], 'urn:x': 1 })
        .sign(key, { crit: { 'urn:x': true } })
    const past = Math.floor(Date.now() / 1000) - 60
    const eddsa = opened('EdDSA')
    await eddsa.keys.signing()
    const bad: Record<string, string> = {
      'not signed (3.1)': `${part({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      'signed with the public key as a secret (2.1)': `${symmetric}.${secret}`,
      'of another algorithm than its key (3.1)': `${other}.${payload}.${signature}`,
      'with a key of its own (3.10)': await signed({ jwk: await exportJWK(publicKey), kid: undefined }, {}, stranger),
      'with an address of keys (3.10)': await signed({ jku: 'https://evil.example/jwks' }, {}, stranger),
      'by a stranger under our key id': await signed({}, {}, stranger),
      'without a key id': await signed({ kid: undefined }),
      'of another type (3.11)': await signed({ typ: 'JWT' }),
      'of an ID token (3.12)': await signed({ typ: undefined }),
      'with an extension that must be understood': await critical(),
      'of another issuer (3.8)': await signed({}, { iss: 'https://other.example' }),
      'for another audience (3.9)': await signed({}, { aud: 'other' }),
      'without an audience': await signed({}, { aud: undefined }),
      expired: await signed({}, { exp: past }),
      'without an end': await signed({}, { exp: undefined }),
      'not yet valid': await signed({}, { nbf: past + 3_600 }),
      'without a session or key': await signed({}, { sid: undefined }),
      'of another org': [head, part({ ...claims, org_id: 'acme' }), signature].join('.'),
      'of a process': await signed({}, { sub: 'process:transfer' }),
    }
    for (const [name, token] of Object.entries(bad)) {
      const code = await Promise.resolve()
        .then(() => check(`Bearer ${token}`))
        .then(() => 'accepted')
        .catch(error => error.code)
      expect(code, name).to.equal('invalid_token')
    }
  })

  it('are checked by a library that gives the verdicts of Wycheproof', async function () {
    if (!VECTORS || !existsSync(VECTORS)) {
      console.log('      skipped: KOGI_DATA_SETS names no folder with vectors_jose')
      return this.skip()
    }
    type Vector = {
      readonly id: number
      readonly jws: unknown
      readonly want: string
      readonly key: JWK & { keys?: JWK[] }
    }
    const lines = readFileSync(VECTORS, 'utf8').trim().split('\n')
    const vectors = lines.map(line => JSON.parse(line) as Vector)
    const wrong: number[] = []
    let accepted = 0
    for (const { id, jws, want, key } of vectors) {
      const known = typeof jws === 'string' && !key.keys
      const alg = known ? algorithmOf(jws) : undefined
      const isAccepted = await Promise.resolve()
        .then(async () => compactVerify(jws as string, await importJWK(key, alg), { algorithms: ['RS256', 'EdDSA'] }))
        .then(() => true)
        .catch(() => false)
      // As our checks do, a key that names its algorithm is for no other.
      const isForAnother = key.alg !== undefined && key.alg !== alg
      const isOurs = known && !isForAnother && (alg === 'RS256' || alg === 'EdDSA')
      if (isAccepted && !isForAnother ? want !== 'valid' : want === 'valid' && isOurs) wrong.push(id)
      if (isAccepted) accepted += 1
    }
    expect(wrong).to.deep.equal([])
    expect(accepted).to.be.above(0)
  })
})

function algorithmOf(jws: string): string | undefined {
  try {
    return JSON.parse(Buffer.from(jws.split('.')[0]!, 'base64url').toString()).alg
  } catch {
    return undefined
  }
}
