import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ApiRequest, Principal } from '../../domain/kernel/route.ts'
import { httpError } from './errors.ts'
import { decodePart } from './paths.ts'

type Query = ApiRequest['query']

/** A request as routes see it. The query and the abort signal are made on first use. */
export class ReceivedRequest implements ApiRequest {
  readonly principal: Principal
  readonly params: Readonly<Record<string, string>>
  readonly body: unknown
  readonly correlationId: string
  readonly address: string
  readonly upload: ApiRequest['upload']
  readonly aside: ApiRequest['aside']
  readonly #incoming: IncomingMessage
  readonly #response: ServerResponse
  readonly #impatient: AbortSignal | undefined
  readonly #search: string
  #query: Query | undefined
  #signal: AbortSignal | undefined

  constructor(parts: {
    incoming: IncomingMessage
    response: ServerResponse
    principal: Principal
    params: Readonly<Record<string, string>>
    search: string
    body: unknown
    upload: ApiRequest['upload']
    correlationId: string
    address: string
    impatient: AbortSignal | undefined
    aside: ApiRequest['aside']
  }) {
    this.principal = parts.principal
    this.params = parts.params
    this.body = parts.body
    this.correlationId = parts.correlationId
    this.address = parts.address
    this.upload = parts.upload
    this.aside = parts.aside
    this.#incoming = parts.incoming
    this.#response = parts.response
    this.#impatient = parts.impatient
    this.#search = parts.search
  }

  get query(): Query {
    this.#query ??= parseQuery(this.#search)
    return this.#query
  }

  get signal(): AbortSignal {
    this.#signal ??= abortSignal(this.#response, this.#impatient)
    return this.#signal
  }

  readonly header = (name: string): string | undefined => {
    const value = this.#incoming.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }
}

/** Parses the part of a URL after `?`. A name given twice has a list of values. Throws `invalid_parameter`. */
function parseQuery(search: string): Query {
  const query: Record<string, string | string[]> = Object.create(null)
  for (const part of search.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const plain = part.replaceAll('+', ' ')
    const name = decodePart(equals < 0 ? plain : plain.slice(0, equals), 'query')
    const value = equals < 0 ? '' : decodePart(plain.slice(equals + 1), name.slice(0, 100))
    const before = query[name]
    query[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
  }
  return query
}

/** Refuses a query that cannot be decoded, also for routes that never look at theirs. */
export function checkQuery(search: string): void {
  if (search.includes('%')) parseQuery(search)
  if (search.includes('\0')) throw httpError('invalid_parameter', [{ field: 'query', message: 'holds U+0000' }])
}

function abortSignal(response: ServerResponse, impatient: AbortSignal | undefined): AbortSignal {
  const gone = new AbortController()
  const leave = () => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'))
  }
  if (response.destroyed) leave()
  else response.once('close', leave)
  return impatient ? AbortSignal.any([gone.signal, impatient]) : gone.signal
}
