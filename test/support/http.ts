import { connect } from 'node:net'
import type { Express } from 'express'
import { z } from 'zod'
import { KogiError, rejected } from '../../domain/kernel/errors.ts'
import type { ApiRequest, Principal, Route } from '../../domain/kernel/route.ts'
import { createLifecycle, type Lifecycle, listen } from '../../infra/http/lifecycle.ts'
import { type AppOptions, createApp } from '../../infra/http/server.ts'
import { createLog } from '../../infra/log.ts'
import { createMetrics, type Metrics } from '../../infra/metrics.ts'

/** An HTTP interface that listens on a free loopback port, with what it logged. */
export type Served = {
  readonly url: string
  readonly lines: Record<string, unknown>[]
  readonly metrics: Metrics
  readonly lifecycle: Lifecycle
}

const ada: Principal = { subject: 'ada', org: 'acme', roles: ['team-member'], permissions: ['wallet.*'] }

/** Serves routes; every caller with any token is Ada, who may do everything with wallets. */
export async function serve(
  options: Partial<Omit<AppOptions, 'mount'>> & {
    drainTimeoutMs?: number
    mount?: (app: Express, served: Omit<Served, 'url'>) => void
  },
): Promise<Served> {
  const lines: Record<string, unknown>[] = []
  const log = createLog({ service: 'test', destination: { write: line => lines.push(JSON.parse(line)) } })
  const metrics = createMetrics({ service: 'test' })
  const lifecycle = createLifecycle({ log, drainTimeoutMs: options.drainTimeoutMs ?? 1_000 })
  const { mount, ...rest } = options
  const app = createApp({
    routes: [],
    authenticate(authorization) {
      if (!authorization) throw new KogiError('unauthenticated', 'no token')
      return ada
    },
    log,
    metrics,
    drain: lifecycle.drain,
    config: { bodyLimitBytes: 2_048, corsOrigins: ['https://app.example'] },
    ...rest,
    ...(mount && { mount: app => mount(app, { lines, metrics, lifecycle }) }),
  })
  const { url } = await listen(app, lifecycle, {
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: 5_000,
    connectionRequests: 8,
  })
  return { url, lines, metrics, lifecycle }
}

/** A route that answers with what `handle` returns; fields that a test does not give are made up. */
export function route(
  method: Route['method'],
  path: string,
  handle: Route['handle'],
  rest: Partial<Route> = {},
): Route {
  const described = {
    operationId: `${method}${path}`,
    summary: 's',
    tag: 't',
    parameters: [],
    response: z.unknown(),
    errors: {},
  }
  return { ...described, method, path, permission: 'wallet.wallets.read', handle, ...rest }
}

/** Answers with the request as the route received it. */
export const echo = async ({ params, query, body, principal, correlationId }: ApiRequest) => ({
  data: { params, query, body, subject: principal.subject, correlationId },
})

/** Throws the error that a test names in the path. */
export const failing = async ({ params }: ApiRequest) => {
  if (params.code === 'rejection') throw rejected('insufficient_funds', 'Not enough.', { available: 5n })
  if (params.code === 'crash') throw new TypeError('the secret plan')
  if (params.code === 'engine') throw Object.assign(new Error('connect ECONNREFUSED db'), { code: 'ECONNREFUSED' })
  throw new KogiError(params.code!, 'It is so.', [{ field: 'f', message: 'm' }])
}

/** Sends bytes as they are and returns the answer as text. */
export function sendRaw(url: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes))
    let answer = ''
    socket.on('data', data => {
      answer += data
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}
