import { execFile } from 'node:child_process'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { expect } from 'chai'
import { KogiError } from '../../domain/kernel/errors.ts'
import { createApp } from '../../infra/http/server.ts'
import { silentLog } from '../../infra/log.ts'
import { createMetrics } from '../../infra/metrics.ts'
import { aliasesOf } from '../../read-api/aliases.ts'
import { serveHttp } from '../../scripts/memory/mcp.ts'
import { History, makeWorld, type World } from '../read-api/support.ts'

const KOGI = ['--import', 'tsx', path.resolve(import.meta.dirname, '../../scripts/kogi.ts'), 'memory']
const ORGS: Readonly<Record<string, string>> = { 'Bearer of-north': 'north', 'Bearer of-south': 'south' }

type Json = Record<string, never> & { readonly data: Json[]; readonly error: { readonly code: string } }

describe('memories by the CLI and the Model Context Protocol', () => {
  let world: World
  let server: Server
  let url: string
  before(async () => {
    world = await makeWorld()
    const item = { type: 'app', status: 'x', metadata: {}, owner: 'u' }
    await world.write(
      new History()
        .add('north', 'item', 'boat', 'ItemAdded', { ...item, name: 'Harbour boat of Anna Meier' })
        .add('north', 'item', 'hut', 'ItemAdded', { ...item, name: 'Mountain hut of Anna Meier' })
        .add('south', 'item', 'boat9', 'ItemAdded', { ...item, name: 'Harbour boat of south' }),
    )
    const app = createApp({
      routes: world.routes,
      aliases: aliasesOf(world.routes),
      authenticate(authorization = '') {
        const org = ORGS[authorization]
        if (org === undefined) throw new KogiError('unauthenticated', 'The token is none.')
        return { subject: 'reader', org, roles: [], permissions: ['*'] }
      },
      log: silentLog,
      metrics: createMetrics({ service: 'test', processMetrics: false }),
      config: { bodyLimitBytes: 1_000_000, corsOrigins: [] },
    })
    server = app.listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(async () => {
    server.closeAllConnections()
    server.close()
    await world.close()
  })

  const kogi = (...args: string[]) =>
    promisify(execFile)(process.execPath, [...KOGI, ...args], {
      env: { ...process.env, KOGI_URL: url, KOGI_TOKEN: 'of-north' },
    })

  it('are searched, explained and summed up by verbs, as tables and as JSON', async () => {
    const found = JSON.parse((await kogi('search', 'harbour', 'boat', '--json')).stdout) as Json
    expect(found.data.map(({ subject }) => subject))
      .to.include('boat')
      .and.not.include('boat9')
    const shown = (await kogi('search', 'harbour')).stdout
    expect(shown).to.match(/boat .*Harbour boat of Anna Meier.*harbour/)
    expect(shown).to.match(/as of position \d+/)
    const why = (await kogi('explain', 'hut', 'anna', 'meier')).stdout
    expect(why).to.match(/item hut: Mountain hut of Anna Meier, score/)
    expect(why).to.match(/knowledge +│ answered/)
    expect(why).to.include('path: name:anna meier')
    expect((await kogi('insights', '--days', '9')).stdout).to.match(/2 memories; 2 from/)
    const failed = await kogi('explain', 'nobody', 'harbour', '--json').catch((error: { stdout: string }) => error)
    expect(JSON.parse(failed.stdout)).to.have.nested.property('error.code', 'not_found')
    const refused = await kogi('search', 'x', '--token', 'stolen').catch((error: { stderr: string }) => error)
    expect(refused.stderr).to.equal('kogi: The token is none.\n')
  })

  async function use(client: Client) {
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).to.deep.equal([
      'search_memories',
      'store_memory',
      'explain_memory',
      'memory_insights',
    ])
    const ask = async (name: string, args: object) => {
      const { content, isError } = await client.callTool({ name, arguments: { ...args } })
      return { isError, value: JSON.parse((content as { text: string }[])[0]!.text) as Json }
    }
    const { value: found } = await ask('search_memories', { query: 'harbour' })
    const { value: why } = await ask('explain_memory', { query: 'harbour', subject: String(found.data[0]!.subject) })
    expect(why).to.have.property('place', 1)
    const { value: insights } = await ask('memory_insights', { concept: 'harbour' })
    const none = await ask('explain_memory', { query: 'harbour', subject: 'nobody' })
    expect([none.isError, none.value.error.code]).to.deep.equal([true, 'not_found'])
    const { isError } = await client.callTool({ name: 'search_memories', arguments: { query: '' } })
    expect(isError).to.equal(true)
    return { found: found.data.map(({ subject }) => subject), insights: insights.data as unknown as Json }
  }

  it('are tools on standard input and output, with the token of the process', async () => {
    const client = new Client({ name: 'test', version: '1' })
    const env = { PATH: process.env.PATH!, KOGI_URL: url, KOGI_TOKEN: 'of-north' }
    await client.connect(new StdioClientTransport({ command: process.execPath, args: [...KOGI, 'mcp'], env }))
    const { found, insights } = await use(client)
    expect(found).to.include('boat').and.not.include('boat9')
    expect(insights.total_memories).to.equal(2)
    await client.close()
  })

  it('are tools over HTTP, with the token of each request', async () => {
    const serving = await serveHttp(url, 0)
    try {
      const connected = async (token: string) => {
        const client = new Client({ name: 'test', version: '1' })
        const requestInit = { headers: { authorization: `Bearer ${token}` } }
        await client.connect(new StreamableHTTPClientTransport(new URL(serving.url), { requestInit }) as never)
        return client
      }
      const [north, south] = [await connected('of-north'), await connected('of-south')]
      const [ofNorth, ofSouth] = await Promise.all([use(north), use(south)])
      expect(ofNorth.found).to.include('boat').and.not.include('boat9')
      expect(ofSouth.found).to.deep.equal(['boat9'])
      await north.close()
      await south.close()
      const stranger = await connected('stolen')
      const { content, isError } = await stranger.callTool({ name: 'search_memories', arguments: { query: 'x' } })
      expect(isError).to.equal(true)
      expect((content as { text: string }[])[0]!.text).to.include('unauthenticated')
      await stranger.close()
      const post = async (headers: Record<string, string>, method = 'POST') =>
        (await fetch(serving.url, { method, headers, ...(method === 'POST' && { body: '{}' }) })).status
      expect(await post({})).to.equal(401)
      expect(await post({ authorization: 'Bearer x', origin: 'https://evil.example' })).to.equal(403)
      expect(await post({ authorization: 'Bearer x', origin: 'null' })).to.equal(403)
      expect(await post({ authorization: 'Bearer x' }, 'GET')).to.equal(405)
    } finally {
      serving.server.closeAllConnections()
      serving.server.close()
    }
  })
})
