/** `kogi memory mcp`: memories as tools of the Model Context Protocol, for agents that act with a caller's token. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import { VERSION } from '../../infra/version.ts'
import { type Access, explained, memoryInsights, SEARCH_TYPES, searchMemories, storeMemory } from './client.ts'

const READS = { readOnlyHint: true, openWorldHint: false } as const

const WRITES = { readOnlyHint: false, destructiveHint: false, openWorldHint: false } as const

const words = z.string().min(1).max(1_000)
const moment = z.iso.datetime({ precision: 3 })
const searchType = z
  .enum(SEARCH_TYPES as [string, ...string[]])
  .default('hybrid')
  .describe('how to search: by all legs, by one, or by words alone')

/** A server whose tools do and show what the token allows, and nothing else. */
function memoryServer(access: Access): McpServer {
  const server = new McpServer({ name: 'kogi-memory', version: VERSION })
  server.registerTool(
    'search_memories',
    {
      description: 'Search what the organization remembers: hits, best first, and the position that they are of.',
      inputSchema: {
        query: words.describe('what to look for, in any language'),
        search_type: searchType,
        kind: z.string().max(64).optional().describe('only memories of this kind, as item, task or entry'),
        limit: z.int().min(1).max(100).default(10).describe('most hits'),
        after: z.string().max(12_000).optional().describe('`next` of the page before'),
        as_of: z.string().max(64).optional().describe('search as of a position of the log, or a time in RFC 3339'),
      },
      annotations: READS,
    },
    ({ query, ...asked }) => answered(searchMemories(access, { q: query, ...asked })),
  )
  server.registerTool(
    'store_memory',
    {
      description: 'Store a memory for the organization; the answer names those that say the same, or nearly so.',
      inputSchema: {
        content: z.string().min(1).max(20_000).describe('what is to be remembered'),
        memory_type: words.max(64).optional().describe('what kind of memory it is; `general` by default'),
        tags: z.array(words.max(64)).max(50).optional().describe('stand in the clear: write nothing personal'),
        subjects: z
          .array(words.max(128))
          .max(20)
          .optional()
          .describe('whose personal data it is, as tokens name them; the caller by default'),
        source: words.max(128).optional().describe('where it comes from'),
        session: words.max(128).optional().describe('the conversation or run that it belongs to'),
        privacy: z.enum(['organization', 'private']).optional().describe('who may read it; `organization` by default'),
        expires_at: moment.optional().describe('when it is forgotten by itself'),
        idempotency_key: words.max(200).optional().describe('a call that is repeated with the same key stores once'),
      },
      annotations: WRITES,
    },
    ({ idempotency_key, ...memory }) => answered(storeMemory(access, memory, idempotency_key)),
  )
  server.registerTool(
    'explain_memory',
    {
      description: 'Say why a search finds a memory: what each leg gave, matched words, the path from an entity.',
      inputSchema: {
        query: words.describe('the search'),
        subject: z.string().min(1).max(256).describe('the `subject` of the hit'),
        search_type: searchType,
      },
      annotations: READS,
    },
    ({ query, subject, search_type }) => answered(explained(access, subject, query, search_type)),
  )
  server.registerTool(
    'memory_insights',
    {
      description: 'Say what memories tell together: words that stand out, rhythms, groups, how words move.',
      inputSchema: {
        days: z.int().min(1).max(3_660).default(30).describe('days of the period; the one before is as long'),
        until: moment.optional().describe('the end of the period, in UTC; right behind the latest memory by default'),
        concept: z.string().min(1).max(200).optional().describe('words whose drift is asked for'),
      },
      annotations: READS,
    },
    asked => answered(memoryInsights(access, asked)),
  )
  return server
}

/** The answer of a tool: as JSON, or the error that the API answered with. */
async function answered(answer: Promise<object>) {
  const said = (value: object, isError: boolean) => ({
    content: [{ type: 'text' as const, text: JSON.stringify(value) }],
    ...(isError && { isError }),
  })
  try {
    return said(await answer, false)
  } catch (error) {
    if (!(error instanceof KogiError)) throw error
    return said({ error: { code: error.code, message: error.message, details: error.details } }, true)
  }
}

/** Serves one client on standard input and output, until it goes. */
export async function serveStdio(access: Access): Promise<void> {
  const server = memoryServer(access)
  const gone = new Promise<void>(resolve => {
    server.server.onclose = resolve
    process.stdin.once('end', resolve)
  })
  await server.connect(new StdioServerTransport())
  await gone
  await server.close()
}

const HOST = '127.0.0.1'
const BEARER = /^Bearer ([A-Za-z0-9._~+/-]{1,8192}=*)$/

/** Serves clients over HTTP on this machine: each request acts with the token that it carries. */
export async function serveHttp(url: string, port: number): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((request, response) => {
    handle(url, request, response).catch(() => {
      if (!response.headersSent) refuse(response, 500, 'A fault of Kogi.')
      response.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, HOST, resolve))
  return { server, url: `http://${HOST}:${(server.address() as AddressInfo).port}/mcp` }
}

async function handle(url: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { host = '', origin, authorization = '' } = request.headers
  // A page of the web that has its name lead to this machine is answered nothing.
  const isLocal = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/.test(host)
  if (!isLocal || (origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host)))
    return refuse(response, 403, 'Only for this machine.')
  if (request.url !== '/mcp') return refuse(response, 404, 'The endpoint is /mcp.')
  if (request.method !== 'POST')
    return refuse(response, 405, 'There are no sessions: each message is a POST.', { allow: 'POST' })
  const [, token] = BEARER.exec(authorization) ?? []
  if (token === undefined) return refuse(response, 401, 'A bearer token is needed.', { 'www-authenticate': 'Bearer' })
  const server = memoryServer({ url, token })
  // No sessions: each request stands alone.
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  response.on('close', () => void server.close())
  await server.connect(transport)
  await transport.handleRequest(request, response)
}

function refuse(response: ServerResponse, status: number, message: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }))
}
