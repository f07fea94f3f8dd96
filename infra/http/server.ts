import type { IncomingMessage, ServerResponse } from 'node:http'
import express, { type Express } from 'express'
import type { Route } from '../../domain/kernel/route.ts'
import type { Admit } from '../access/admission.ts'
import type { IsShared } from '../access/governed.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import { allows, mustAllow } from '../auth/permissions.ts'
import { mustBeSure } from '../auth/step-up.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { addressesOf } from './addresses.ts'
import { hasBody, readBody } from './body.ts'
import { createCors } from './cors.ts'
import { httpError } from './errors.ts'
import { Exchange } from './exchange.ts'
import type { Drain } from './lifecycle.ts'
import { type Aliases, createPaths } from './paths.ts'
import type { Places } from './places.ts'
import { checkQuery, ReceivedRequest } from './request.ts'
import { receiveFile } from './upload.ts'
import { faultOf, originForm } from './well-formed.ts'

/** Where every route of the API begins. */
export const API_BASE = '/api/v1'

export type AppOptions = {
  readonly routes: readonly Route[]
  /** Other spellings of paths below the base: pattern → the pattern of a route. */
  readonly aliases?: Aliases
  readonly authenticate: Authenticate
  /** Whether a caller may do something with one thing that their permissions do not allow; nothing is without. */
  readonly isShared?: IsShared
  /** Refuses what the installation does not take at the moment. */
  readonly admit?: Admit
  readonly log: Log
  readonly metrics: Metrics
  readonly config: Pick<Config, 'bodyLimitBytes' | 'corsOrigins'> & Partial<Pick<Config, 'trustedProxies'>>
  /** How requests learn that the process is stopping. */
  readonly drain?: Drain
  /** Bounds the reads at work; none are bounded without. */
  readonly reads?: Places
  /** Adds what is not an API route: health, metrics, documentation. */
  readonly mount?: (app: Express) => void
}

/**
 * Makes the HTTP interface of a list of routes. The function `answer` holds every step of an API request in order;
 * requests outside `/api/v1` are handled by Express. A read holds a place while it works.
 */
export function createApp(options: AppOptions): Express {
  const { isShared, config, drain, reads } = options
  const paths = createPaths(options.routes, options.aliases)
  const cors = createCors(config.corsOrigins)
  const addressOf = addressesOf(config.trustedProxies ?? [])

  async function answer(exchange: Exchange, url: string): Promise<void> {
    const { request, response, correlationId } = exchange
    const [path, search] = splitUrl(url)
    const allowed = cors(request.headers)
    for (const name in allowed) response.setHeader(name, allowed[name]!)
    if (drain?.draining) throw httpError('draining')
    if (request.method === 'OPTIONS') return exchange.options(paths.methodsOf(path))
    const { route, params } = paths.find(request.method!, path)
    exchange.route = route.path
    checkQuery(search)
    const isByGrant = await authorized(options, exchange, route, params)
    const { principal } = exchange
    const bytesMax = Math.max(config.bodyLimitBytes, route.bodyBytesMax ?? 0)
    const isJson = route.method !== 'GET' && !route.upload && hasBody(request)
    const body = isJson ? await readBody(request, bytesMax, route.form) : undefined
    if (isByGrant && !(await isShared!(principal, route, params, body))) mustAllow(principal, route.permission!)
    const { org } = principal
    const aside = reads && (<T>(wait: () => Promise<T>) => reads.aside(org, wait))
    const parts = {
      incoming: request,
      response,
      principal,
      params,
      search,
      body,
      upload: route.upload && receiveFile(request, route.upload.bytesMax),
      correlationId,
      address: addressOf(request),
      impatient: drain?.impatient,
      aside,
    }
    const received = new ReceivedRequest(parts)
    const isRead = route.method === 'GET' || route.isRead
    if (!isRead || !reads) return exchange.success(await route.handle(received))
    const answer = await inPlace(reads, org, response, async () => {
      const found = await route.handle(received)
      if (!found.bytes?.isRead) return found
      await exchange.success(found, aside)
      return undefined
    })
    if (answer) await exchange.success(answer)
  }

  const app = express().disable('x-powered-by').set('etag', false)
  app.use((request, response, next) => {
    const { url } = request
    if (!url.startsWith(`${API_BASE}/`)) return next()
    const exchange = new Exchange(options, request, response)
    const path = url.slice(API_BASE.length)
    answer(exchange, path).catch(error => exchange.failure(error, () => paths.methodsOf(splitUrl(path)[0])))
  })
  options.mount?.(app)
  return answeringAll(app, (request, response, error) => {
    const failure = error instanceof URIError ? httpError('invalid_parameter') : (error ?? httpError('route_not_found'))
    new Exchange(options, request, response).failure(failure)
  })
}

/** Finds the caller and refuses what they may not do; says whether they may by a grant on the thing alone. */
async function authorized(
  { authenticate, isShared, admit }: Pick<AppOptions, 'authenticate' | 'isShared' | 'admit'>,
  exchange: Exchange,
  route: Route,
  params: Readonly<Record<string, string>>,
): Promise<boolean> {
  const { permission, alsoNeeds = [] } = route
  if (permission === null) {
    await admit?.(route)
    return false
  }
  const caller = await authenticate(exchange.request.headers.authorization)
  exchange.principal = caller
  let isByGrant = false
  if (permission !== 'signed in' && !allows(caller, permission)) {
    isByGrant = (await isShared?.(caller, route, params)) === true
    if (!isByGrant) mustAllow(caller, permission)
  }
  mustBeSure(caller, permission)
  for (const needed of alsoNeeds) mustAllow(caller, needed)
  await admit?.(route)
  return isByGrant
}

/** Does a read in one of the places for reads; what it answers is sent outside, however long a client takes for it. */
async function inPlace<T>(reads: Places, org: string, response: ServerResponse, read: () => Promise<T>): Promise<T> {
  await reads.enter(org, () => response.destroyed)
  try {
    return await read()
  } finally {
    reads.leave(org)
  }
}

type Last = (request: IncomingMessage, response: ServerResponse, error: unknown) => void
type Handle = (request: IncomingMessage, response: ServerResponse, done?: (error: unknown) => void) => void

/** Replaces Express's error page by `last`. It is no layer, because a target that Express cannot parse skips them. */
function answeringAll(app: Express, last: Last): Express {
  const { handle } = app as unknown as { handle: Handle }
  const answering: Handle = (request, response, done = error => last(request, response, error)) => {
    const fault = faultOf(request)
    request.url = originForm(request.url!)
    if (fault) last(request, response, fault)
    else handle.call(app, request, response, done)
  }
  return Object.assign(app, { handle: answering })
}

function splitUrl(url: string): [path: string, search: string] {
  const mark = url.indexOf('?')
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)]
}
