import path from 'node:path'
import { expect } from 'chai'
import { ConfigError, loadConfig, settingRows } from '../../infra/config.ts'

const PRODUCTION = {
  KOGI_ENV: 'production',
  KOGI_EVENTSTORE_URL: 'esdb://events:2113?tls=false',
  KOGI_DATABASE_URL: 'postgres://kogi:hush@db:5432/kogi',
  KOGI_KEYS_DATABASE_URL: 'postgres://kogi:hush@db:5432/kogi_keys',
  KOGI_NATS_URL: 'nats://bus:4222',
  KOGI_JWKS: 'https://auth.example/jwks.json',
  KOGI_JWT_ISSUER: 'https://auth.example',
  KOGI_JWT_AUDIENCE: 'https://api.example',
}

function refusal(environment: Record<string, string>): string {
  try {
    loadConfig(environment)
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigError)
    return (error as ConfigError).message
  }
  throw new Error('the configuration was accepted')
}

describe('config', () => {
  it('runs on embedded engines without any variable', () => {
    const config = loadConfig({})
    expect(config.env).to.equal('development')
    expect(config.dataDir).to.equal(path.resolve('.kogi'))
    expect([config.eventStoreUrl, config.databaseUrl, config.keysDatabaseUrl]).to.deep.equal(Array(3).fill('embedded'))
    expect(config.port satisfies number).to.equal(8080)
    expect(config.jwks satisfies string | undefined).to.equal(undefined)
    expect(config.corsOrigins satisfies string[]).to.deep.equal([])
  })

  it('takes an empty variable as absent', () => expect(loadConfig({ KOGI_PORT: '' }).port).to.equal(8080))

  it('accepts a complete production environment', () => {
    expect(loadConfig(PRODUCTION).keysDatabaseUrl).to.equal(PRODUCTION.KOGI_KEYS_DATABASE_URL)
    expect(loadConfig({ ...PRODUCTION, KOGI_NATS_URL: 'embedded' }).natsUrl).to.equal('embedded')
    const cluster = 'kurrentdb+discover://a:2113,b:2113,c:2113'
    expect(loadConfig({ ...PRODUCTION, KOGI_EVENTSTORE_URL: cluster }).eventStoreUrl).to.equal(cluster)
  })

  for (const name of Object.keys(PRODUCTION).filter(name => !['KOGI_ENV', 'KOGI_NATS_URL'].includes(name))) {
    it(`refuses production without ${name}`, () => {
      const { [name as 'KOGI_JWKS']: _, ...rest } = PRODUCTION
      expect(refusal(rest)).to.match(new RegExp(`^${name} must be set in production mode: .+$`))
    })
  }

  const bad: Record<string, string[]> = {
    KOGI_ENV: ['prod', 'Production'],
    KOGI_PORT: ['http', '-1', '65536', '80.5', '1e3', ' 80'],
    KOGI_BODY_LIMIT_BYTES: ['0', '1MB', '99999999999999999999'],
    KOGI_DATABASE_URL: ['mysql://db/kogi', 'kogi', 'postgres://', 'postgres://db', 'postgres://kogi:a%@[db/kogi'],
    KOGI_EVENTSTORE_URL: ['http://events:2113'],
    KOGI_LOG_LEVEL: ['verbose'],
    KOGI_CORS_ORIGINS: ['app.example', 'https://app.example/', 'https://a.example,,https://b.example'],
    KOGI_JWT_ISSUER: [' spaced '],
  }
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      it(`refuses ${name}=${JSON.stringify(value)} in one line`, () => {
        expect(refusal({ [name]: value })).to.match(new RegExp(`^${name} must .+$`))
      })
    }
  }

  it('never shows a value that may hold a password', () => {
    const values = {
      KOGI_DATABASE_URL: ['postgre://kogi:hush@db/kogi'],
      KOGI_EVENTSTORE_URL: [
        'esdb://kogi:hush',
        'esdb://kogi:a@b:hush@db:2113',
        'esdb://kogi:hush%@db:2113',
        'esdb://kogi:hush@db:2113?tls=maybe',
        'esdb://kogi:hush@db:2113?verify=false',
        'esdb://kogi:hush@db:2113?tls=true&tlsVerifyCert=false',
      ],
      KOGI_NATS_URL: ['nats://kogi:hush@bus:99999', 'nats://kogi:hush%@bus:4222'],
      KOGI_JWKS: [' hush ', 'https://kogi:hush@auth.example/jwks.json'],
      KOGI_NOTARY_KEYS: ['hush,,'],
      KOGI_NOTARY_ANCHORS: ['https://kogi:hush@anchor.example', 'https://[hush'],
      KOGI_SMTP_URL: ['smtp//kogi:hush@mail'],
      KOGI_S3_URL: [
        's3://kogi:hush@bucket',
        'https://kogi:hush@s3.example',
        'https://kogi:hush%@s3.example/files',
        'https://:hush@s3.example/files',
        'https://kogi:hush@s3.example/files?versioning=hush',
      ],
    }
    for (const [name, faulty] of Object.entries(values)) {
      for (const value of faulty) {
        expect(refusal({ [name]: value }), value).to.match(new RegExp(`^${name} must (?:(?!hush).)+$`))
      }
    }
  })

  it('takes the options of connection strings that their clients know', () => {
    for (const KOGI_EVENTSTORE_URL of [
      'esdb://db:2113?tls=true&tlsVerifyCert=true&tlsCAFile=%2Fca.pem&keepAliveInterval=-1',
      'esdb+discover://kogi:hush@a:2113,b:2113?nodePreference=follower',
    ]) {
      expect(loadConfig({ KOGI_EVENTSTORE_URL })).to.include({ eventStoreUrl: KOGI_EVENTSTORE_URL })
    }
  })

  it('names every variable at fault, each on a line of its own', () => {
    expect(refusal({ KOGI_PORT: 'x', KOGI_ENV: 'y' }).split('\n')).to.have.length(2)
  })

  it('keeps the keys out of the database of the rows', () => {
    const { KOGI_DATABASE_URL } = PRODUCTION
    expect(refusal({ ...PRODUCTION, KOGI_KEYS_DATABASE_URL: KOGI_DATABASE_URL })).to.contain('another database')
  })

  it('documents every setting', () => {
    expect(settingRows.length).to.be.greaterThan(15)
    for (const row of settingRows) expect(row.meaning, row.variable).to.have.length.greaterThan(20)
    expect(new Set(settingRows.map(row => row.variable)).size).to.equal(settingRows.length)
  })
})
