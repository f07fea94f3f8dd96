import type { z } from 'zod'

/** Who asks: the verified claims of a token, or the identity of an API key. */
export type Principal = {
  readonly subject: string
  readonly org: string
  readonly roles: readonly string[]
  /** Permissions in the form `service.resource.action`, `*` allowed at the end: those of the roles and of the token. */
  readonly permissions: readonly string[]
  /** Teams of the subject, as the identity provider names them. */
  readonly teams?: readonly string[]
  /** When what proves this ends, in ms since the epoch; absent where it does not end by itself. */
  readonly endsAt?: number
  /** What the scopes of the token stand for, where it names any: what a member may do is narrowed to them. */
  readonly scoped?: readonly string[]
  /** The API key that a token was got with, by its id and generation: whether it counts is looked at. */
  readonly client?: { readonly key: string; readonly generation: number }
  /** How the person has signed in, where Kogi itself has issued the token. */
  readonly signIn?: SignIn
  /** Whether nothing of what is allowed was taken away or added meanwhile; absent where that cannot be. */
  readonly stands?: () => boolean
}

/** The session of a token, how strongly and when (ms) the person last proved who they are, and its scope, if any. */
export type SignIn = {
  readonly session: string
  readonly acr: string
  readonly provedAt: number
  readonly scope?: string | undefined
}

/** Where an answer without an end goes: a client that reads slowly lets bytes wait here. */
export type Outlet = {
  readonly send: (data: string | Uint8Array) => void
  /** Bytes that were sent and have not left this process. */
  readonly waiting: () => number
  /** For how long bytes have been waiting without any progress, in ms. */
  readonly stalledMs: () => number
  /** Sends a last word and ends the connection; one that does not take it in time is cut. */
  readonly end: (data: string) => void
  /** Calls back whenever nothing waits any more. */
  readonly onDrain: (listener: () => void) => void
  /** Calls back once the connection is over, whichever side ended it. */
  readonly onClose: (listener: () => void) => void
}

/** What a route sees of an HTTP request, after authentication and the permission check. */
export type ApiRequest = {
  readonly principal: Principal
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | string[] | undefined>>
  /** The parsed JSON body, `undefined` where there was none. */
  readonly body: unknown
  /** A request header by its lower-case name. */
  readonly header: (name: string) => string | undefined
  readonly correlationId: string
  /** Where the request comes from, behind the proxies that are trusted; absent inside of the process. */
  readonly address?: string
  /** Aborted when the client went away or the process drains past its patience. */
  readonly signal: AbortSignal
  /** Takes the file of the request; only where its route takes one. */
  readonly upload?: ReceiveFile | undefined
  /** Runs a wait during which the request does not count as one at work; absent where none are counted. */
  readonly aside?: (<T>(wait: () => Promise<T>) => Promise<T>) | undefined
}

/** A file that comes with a request. */
type Upload = { readonly name: string; readonly bytes: AsyncIterable<Uint8Array> }

/** Hands the one file of a request to `store` as it comes, and answers what that does. */
export type ReceiveFile = <T>(store: (file: Upload) => Promise<T>) => Promise<T>

/** The first and the last byte of a part of a file. */
export type ByteRange = { readonly first: number; readonly last: number }

/** Bytes as they are read. */
export type ByteStream = AsyncIterable<Uint8Array> & { readonly destroy: (error?: Error) => unknown }

export type Pagination = {
  readonly limit: number
  readonly has_more: boolean
  readonly next?: string
  readonly offset?: number
  readonly total?: number
}

/** The answer of a route; the server wraps it in the envelope `{ data, meta, pagination }`. */
export type ApiResponse = {
  readonly status?: 200 | 201 | 204 | 400 | 401
  readonly data?: unknown
  /** The body is `data` itself, without the envelope, as a standard wants it. */
  readonly plain?: true
  readonly meta?: Readonly<Record<string, unknown>>
  readonly pagination?: Pagination
  readonly headers?: Readonly<Record<string, string>>
  /** Takes the place of `data`: the body is a file. */
  readonly file?: { readonly name: string; readonly type: string; readonly content: string | Uint8Array }
  /** Takes the place of `data`: the body is bytes that are read as they are sent, or the part that is asked for. */
  readonly bytes?: {
    readonly name: string
    readonly type: string
    /** Absent where it is not known before the end: no part can be asked for then. */
    readonly size?: number
    readonly open: (range?: ByteRange) => Promise<ByteStream | undefined>
    /** There where reads make the bytes as they are sent: the request counts as one at work as long as they do. */
    readonly isRead?: true
  }
  /** Takes the place of `data`: the body is server-sent events, written as they come. */
  readonly stream?: (outlet: Outlet) => void
}

/** One parameter of a query string or a header, for validation and for OpenAPI alike. */
export type Parameter = {
  readonly name: string
  readonly in: 'query' | 'header' | 'path'
  readonly schema: z.ZodType
  readonly description: string
  /** Whether a request must carry it; a parameter of the path always does. */
  readonly required?: boolean
  /** The most values that it takes, separated by commas; absent where it takes one. `schema` is that of one value. */
  readonly valuesMax?: number
}

/** In the place of a permission: the route needs a caller who is known, and looks by itself at what they may do. */
export type SignedIn = 'signed in'

/**
 * One HTTP operation as data. The command side and the read side each return a list of them; the server mounts the
 * lists and the OpenAPI document is generated from the same lists.
 */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** There where it changes nothing, though its method is not GET: it waits for a place as reads do. */
  readonly isRead?: true
  /** Path below `/api/v1`, parameters as `:name`: `/kwlt/wallets/:id/credits`. */
  readonly path: string
  /** Permission the caller needs, `SignedIn` where any caller may come, `null` for a public route. */
  readonly permission: string | null
  /** Further permissions that the caller needs: the answer shows more than `permission` is about. */
  readonly alsoNeeds?: readonly string[]
  readonly operationId: string
  readonly summary: string
  readonly tag: string
  readonly parameters: readonly Parameter[]
  /** Schema of the JSON body; absent where the operation takes none. */
  readonly body?: z.ZodType
  /** There where the body may also be a form (RFC 6749): its fields are texts. */
  readonly form?: true
  /** There where answers are not wrapped in the envelope: see `plain` of the answer. */
  readonly plain?: true
  /** There where the body is a form with one file, of at most so many bytes. */
  readonly upload?: { readonly bytesMax: number }
  /** Bytes that a body may have, where that is more than the limit of all routes. */
  readonly bodyBytesMax?: number
  /** Schema of `data` in the answer; of the `data` of one event where the answer is a stream. */
  readonly response: z.ZodType
  /** Whether the answer is a stream of server-sent events. */
  readonly streams?: true
  /** Media types of the answer where it is a file; `response` is that of its text. */
  readonly media?: readonly string[]
  /** Headers of the answer, where it is not the receipt of one command. */
  readonly answerHeaders?: readonly string[]
  /** Statuses and the codes that can come with them, beyond those every route has. */
  readonly errors: Readonly<Record<number, readonly string[]>>
  readonly handle: (request: ApiRequest) => Promise<ApiResponse>
}
