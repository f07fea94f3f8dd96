import type { Express, Response } from 'express'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Metrics } from '../metrics.ts'
import { within } from '../within.ts'
import type { Drain } from './lifecycle.ts'

/** Checks one part that a process needs: throws when the part does not work. It may return a detail to show. */
export type Probe = { readonly name: string; readonly check: () => Promise<unknown> | unknown }

type ProbeState = {
  readonly ok: boolean
  readonly duration_ms: number
  readonly error?: string
  /** The code of an expected error. */
  readonly code?: string
  readonly detail?: unknown
}

const PROBE_TIMEOUT_MS = 2_000
/** Time for which an answer of `/health/ready` is reused, so that frequent requests do not load the engines. */
const PROBE_TTL_MS = 250

/**
 * Adds `/health/live` (the process answers), `/health/ready` (every probe is green and nothing is draining; 503
 * otherwise, with the state of each probe) and `/metrics` in the text format of Prometheus.
 */
export function mountHealth(
  app: Express,
  options: { probes: readonly Probe[]; metrics: Metrics; drain?: Drain },
): void {
  const { probes, metrics, drain } = options
  const look = shared(() => Promise.all(probes.map(async probe => [probe.name, await stateOf(probe)] as const)))

  app.get('/health/live', (_request, response) => answer(response, 200, { status: 'live' }))

  app.get('/health/ready', async (_request, response) => {
    const states = await look()
    const red = states.filter(([, state]) => !state.ok).map(([name]) => name)
    const status = drain?.draining ? 'draining' : red.length > 0 ? 'not_ready' : 'ready'
    answer(response, status === 'ready' ? 200 : 503, { status, red, probes: Object.fromEntries(states) })
  })

  app.get('/metrics', async (_request, response) => {
    response.setHeader('Content-Type', metrics.registry.contentType)
    response.end(await metrics.registry.metrics())
  })
}

/** Checks the readiness of another Kogi process: throws an error that names its red probes. */
export const readyOf = (url: string) => async (): Promise<void> => {
  const response = await fetch(`${url}/health/ready`).catch(error => {
    throw new Error(`it does not answer: ${error.cause?.message || error.cause?.code || error.message}`)
  })
  if (response.ok) return
  type Ready = { status: string; red: string[]; probes: Record<string, ProbeState> }
  const { status, red, probes } = (await response.json()) as Ready
  throw new Error(red.map(name => `${name}: ${probes[name]?.error}`).join('; ') || status)
}

function answer(response: Response, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' })
  response.end(JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? value.toString() : value)))
}

async function stateOf({ check }: Probe): Promise<ProbeState> {
  const start = performance.now()
  const took = () => Math.round((performance.now() - start) * 1000) / 1000
  const late = () => new Error(`no answer within ${PROBE_TIMEOUT_MS} ms`)
  try {
    const detail = await within(PROBE_TIMEOUT_MS, Promise.resolve().then(check), late)
    return { ok: true, duration_ms: took(), ...(detail === undefined ? {} : { detail }) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { ok: false, duration_ms: took(), error: message, ...(error instanceof KogiError && { code: error.code }) }
  }
}

function shared<T>(fn: () => Promise<T>): () => Promise<T> {
  let last: Promise<T> | undefined
  let expiresAt = 0
  return () => {
    if (!last || Date.now() > expiresAt) {
      last = fn()
      expiresAt = Number.POSITIVE_INFINITY
      void last.finally(() => {
        expiresAt = Date.now() + PROBE_TTL_MS
      })
    }
    return last
  }
}
