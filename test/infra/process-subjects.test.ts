import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { createAuthenticator } from '../../infra/auth/authenticate.ts'
import { issueToken, jwksSource } from '../../infra/auth/dev-keys.ts'
import { loadConfig } from '../../infra/config.ts'

describe('a token', () => {
  let dataDir: string
  before(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'kogi-test-'))
  })
  after(() => rm(dataDir, { recursive: true, force: true }))

  it('in the name of a process is refused: processes need none', async () => {
    const config = { ...loadConfig({}), dataDir }
    const { jwtIssuer: issuer, jwtAudience: audience } = config
    const check = createAuthenticator({ jwks: await jwksSource(config), issuer, audience, cacheSize: 0 })
    const tokenOf = (subject: string) => issueToken(config, { org: 'acme', subject, roles: [], ttlSeconds: 60 })
    const refused = async () => check(`Bearer ${await tokenOf('process:transfer')}`)
    expect(await refused().catch((thrown: Error) => thrown)).to.include({ code: 'invalid_token' })
    expect(await check(`Bearer ${await tokenOf('processing')}`)).to.include({ subject: 'processing' })
  })
})
