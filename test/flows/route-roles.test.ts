/** Every route of the OpenAPI document, with every role and with every token that must not count. */
import { createHmac, createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { SignJWT } from 'jose'
import { ROLES } from '../../domain/kernel/service.ts'
import { devKeys } from '../../infra/auth/dev-keys.ts'
import { allows, permissionsOfRoles } from '../../infra/auth/permissions.ts'
import type { OpenApi } from '../../infra/http/openapi.ts'
import { type App, startApp } from '../support/app.ts'
import { type Answer, type Client, client, inLanes } from '../support/client.ts'

type Operation = {
  readonly method: string
  readonly path: string
  readonly permission?: string
  readonly isPublic: boolean
  readonly parameters: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly example?: string
  }[]
  readonly body?: unknown
}

/** Streams have no end; what they refuse they refuse as all others do. */
const LANES = 8

describe('every route', function () {
  this.timeout(180_000)
  let app: App
  let operations: readonly Operation[]
  const clients: Client[] = []

  before(async () => {
    app = await startApp()
    const api: OpenApi = (await (await app.clientOf('own')).call('GET', '/openapi.json')).body
    operations = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, Record<string, unknown>>).map(([method, operation]): Operation => {
        const content = (operation.requestBody as { content?: Record<string, { example?: unknown }> })?.content
        const permission = operation['x-permission'] as string | undefined
        return {
          method: method.toUpperCase(),
          path,
          ...(permission !== undefined && { permission }),
          isPublic: Array.isArray(operation.security),
          parameters: (operation.parameters ?? []) as Operation['parameters'],
          body: content?.['application/json']?.example,
        }
      }),
    )
    expect(operations.length).to.be.above(300)
  })
  after(async () => {
    for (const made of clients) made.close()
    await app?.close()
  })

  /** Answers of every operation to one token. Nothing of what is asked for is there. */
  async function answersTo(token: string | undefined, body?: 'example'): Promise<readonly [Operation, Answer][]> {
    const made = client(app.url, token)
    clients.push(made)
    const answers: [Operation, Answer][] = []
    await inLanes(operations, LANES, async operation => {
      const { method, path, parameters } = operation
      const example = parameters.find(each => each.name === 'id' && each.in === 'path')?.example ?? 'none'
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(parameters.find(each => each.name === name)?.example ?? example),
      )
      const query = parameters
        .filter(each => each.in === 'query' && each.required && each.example !== undefined)
        .map(({ name, example: value }) => `${name}=${encodeURIComponent(value!)}`)
      const url = `/api/v1${filled}${query.length > 0 ? `?${query.join('&')}` : ''}`
      const sent = method === 'GET' ? {} : { body: body === 'example' ? (operation.body ?? {}) : {} }
      answers.push([operation, await made.call(method, url, sent)])
    })
    return answers
  }

  async function signed(claims: object, change: (token: SignJWT) => SignJWT = token => token): Promise<string> {
    const { privateKey, kid } = await devKeys(app.config)
    const now = Math.floor(Date.now() / 1000)
    const token = new SignJWT({ org_id: 'own', roles: ['organization-admin'], ...claims })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
      .setSubject('tester')
      .setIssuer(app.config.jwtIssuer!)
      .setAudience(app.config.jwtAudience!)
      .setIssuedAt(now)
      .setExpirationTime(now + 600)
    return change(token).sign(privateKey)
  }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const said = ([{ method, path }, { status, body }]: [Operation, Answer]) =>
    `${method} ${path} → ${status} ${body?.error?.code ?? ''}`

  it('refuses every token that must not count, and none', async () => {
    const { kid, jwksFile } = await devKeys(app.config)
    const past = Math.floor(Date.now() / 1000) - 60
    const good = await signed({})
    const [, payload] = good.split('.')
    const [jwk] = JSON.parse(await readFile(jwksFile, 'utf8')).keys
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    const secret = (text: string) => createHmac('sha256', pem).update(text).digest('base64url')
    const symmetric = `${part({ alg: 'HS256', typ: 'JWT', kid })}.${payload}`
    const tokens: Record<string, string | undefined> = {
      none: undefined,
      expired: await signed({}, token => token.setExpirationTime(past)),
      'not yet valid': await signed({}, token => token.setNotBefore(past + 3_600)),
      'of another audience': await signed({}, token => token.setAudience('https://other.example')),
      'of another issuer': await signed({}, token => token.setIssuer('https://other.example')),
      'without an org': await signed({ org_id: undefined }),
      'not signed': `${part({ alg: 'none', typ: 'JWT' })}.${payload}.`,
      'signed with the public key as a secret': `${symmetric}.${secret(symmetric)}`,
      'with another payload': [good.split('.')[0], part({ org_id: 'own' }), good.split('.')[2]].join('.'),
    }
    for (const [name, token] of Object.entries(tokens)) {
      const answers = await answersTo(token)
      const leaks = answers.filter(([{ isPublic }, { status }]) => (isPublic ? status >= 500 : status !== 401))
      expect(leaks.map(said), `a token ${name}`).to.deep.equal([])
    }
  })

  it('lets each role do what it holds, and nothing else, without a fault', async () => {
    for (const role of ROLES) {
      const grants = permissionsOfRoles([role])
      const answers = await answersTo(await signed({ roles: [role], org_id: `own-${role}` }))
      const wrong = answers.filter(([{ permission, isPublic }, { status, body }]) => {
        if (isPublic || permission === undefined) return status >= 500
        const isRefused = status === 403 && body?.error?.code === 'forbidden'
        // Some routes ask for more than one permission, which the answer names.
        const named = body?.error?.details?.[0]?.message
        if (isRefused) return allows({ permissions: grants }, permission) && allows({ permissions: grants }, named)
        return !allows({ permissions: grants }, permission) || (status >= 500 && status !== 503)
      })
      expect(wrong.map(said), role).to.deep.equal([])
    }
  })

  it('lets scopes do what they name, and a member what both their roles and scopes allow', async () => {
    const scoped = await answersTo(await signed({ roles: [], scope: 'office:read' }))
    const beyond = scoped.filter(
      ([{ permission, isPublic }, { status }]) =>
        !isPublic && permission !== undefined && !/^office\..*\.read$/.test(permission) && status !== 403,
    )
    expect(beyond.map(said)).to.deep.equal([])
  })

  it('shows and changes nothing of another org', async () => {
    const own = await app.clientOf('own', 'organization-admin', 'mira')
    const secret = 'Quetzal'
    const things: readonly (readonly [string, object])[] = [
      ['/kctr/projects', { id: 'project-1', name: secret }],
      ['/kctr/tasks', { id: 'task-1', name: secret }],
      ['/kbfc/items', { id: 'item-1', name: secret }],
      ['/koff/notes', { id: 'note-1', title: secret }],
      ['/kwlt/wallets', { id: 'studio', kind: 'business', name: secret }],
      ['/kbs/organization', { name: secret }],
    ]
    for (const [path, body] of things) {
      const answer = await own.call('POST', `/api/v1${path}`, { body })
      if (answer.status >= 300) delete (body as { name?: string }).name
      const again = answer.status < 300 ? answer : await own.call('POST', `/api/v1${path}`, { body })
      expect(again.status, `${path} ${JSON.stringify(again.body)}`).to.be.below(300)
    }
    const answers = await answersTo(await signed({ org_id: 'other', roles: ['platform-admin'] }))
    const leaks = answers.filter(([, { body }]) => JSON.stringify(body ?? '').includes(secret))
    expect(leaks.map(said)).to.deep.equal([])
    const faults = answers.filter(([, { status }]) => status >= 500 && status !== 503)
    expect(faults.map(said)).to.deep.equal([])
    const project = await own.call('GET', '/api/v1/kctr/projects/project-1?wait=10000')
    expect(project.body.data.name).to.equal(secret)
  })

  it('is closed to a suspended member and to an outsider of a closed organization', async () => {
    const mira = await app.clientOf('closed', 'organization-admin', 'mira')
    const reason = 'For the test.'
    const sent: readonly (readonly [string, string, object])[] = [
      ['POST', '/kbs/organization', { name: 'Closed' }],
      ['POST', '/kbs/members', { user: 'tester', roles: ['organization-admin'], reason }],
      ['POST', '/kbs/members/tester/suspend', { reason }],
    ]
    for (const [method, path, body] of sent) {
      const { status } = await mira.call(method, `/api/v1${path}`, { body })
      expect(status, path).to.be.below(300)
    }
    const refusedWith = async (code: string) => {
      const answers = await answersTo(await signed({ org_id: 'closed' }))
      const through = answers.filter(([{ isPublic }, { body }]) => !isPublic && body?.error?.code !== code)
      expect(through.map(said), code).to.deep.equal([])
    }
    await refusedWith('account_suspended')
    await mira.call('DELETE', '/api/v1/kbs/members/tester', { body: { reason } })
    await refusedWith('not_a_member')
  })
})
