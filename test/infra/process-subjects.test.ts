import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { ownKeyOf } from '../../domain/record/subject.ts'
import { createAuthenticator } from '../../infra/auth/authenticate.ts'
import { issueToken, jwksSource } from '../../infra/auth/dev-keys.ts'
import { loadConfig } from '../../infra/config.ts'

describe('a token', () => {
  let dataDir: string
  before(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'kogi-test-'))
  })
  after(() => rm(dataDir, { recursive: true, force: true }))

  it('in the name of a process or of the key of a memory is refused: they need none', async () => {
    const config = { ...loadConfig({}), dataDir }
    const { jwtIssuer: issuer, jwtAudience: audience } = config
    const check = createAuthenticator({ jwks: await jwksSource(config), issuer, audience, cacheSize: 0 })
    const tokenOf = (subject: string) => issueToken(config, { org: 'acme', subject, roles: [], ttlSeconds: 60 })
    for (const subject of ['process:transfer', ownKeyOf('memory', 'm1')]) {
      const refused = async () => check(`Bearer ${await tokenOf(subject)}`)
      expect(await refused().catch((thrown: Error) => thrown), subject).to.include({ code: 'invalid_token' })
    }
    for (const subject of ['processing', 'memoryful', 'server:till'])
      expect(await check(`Bearer ${await tokenOf(subject)}`)).to.include({ subject })
  })
})
