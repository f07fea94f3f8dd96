/** Memories by the API of a running system, with the token of whom they are shown to. */
import { KogiError } from '../../domain/kernel/errors.ts'

export type Access = {
  /** Where the read API is, as `http://127.0.0.1:8080`. */
  readonly url: string
  readonly token: string
}

type Leg = { readonly raw: number; readonly normalised: number; readonly part: number }

/** A memory to store, under the names of the memory service. */
export type Remembered = {
  readonly id?: string | undefined
  readonly content: string
  readonly memory_type?: string | undefined
  readonly [field: string]: unknown
}

export type Stored = {
  readonly data: {
    readonly memory_id: string
    readonly position: string
    readonly duplicates: readonly { readonly id: string; readonly kind: string; readonly similarity: number }[] | null
  }
}

type Hit = {
  readonly kind: string
  readonly subject: string
  readonly source: string
  readonly title: string
  readonly text?: string
  readonly at: string
  readonly position: string
  readonly score: number
  readonly matched: readonly { readonly word: string; readonly as: string }[]
  readonly legs?: Readonly<Record<string, Leg>>
  readonly path?: readonly string[]
}

export type Found = {
  readonly data: readonly Hit[]
  readonly pagination: { readonly has_more: boolean; readonly next?: string }
  readonly meta: {
    readonly position: string
    readonly legs?: Readonly<
      Record<string, { readonly state: string; readonly weight: number; readonly reason?: string }>
    >
  }
}

/** Values of a query; those that are `undefined` are not asked with. */
export type Asked = Readonly<Record<string, string | number | undefined>>

const ROOT = '/api/v1/kse'
/** Most hits that a memory to explain is looked for in. */
const EXPLAINED_MAX = 100

export const SEARCH_TYPES = ['hybrid', 'lexical', 'neural', 'conceptual', 'knowledge', 'text']

export const searchMemories = (access: Access, asked: Asked) => ask<Found>(access, '/memories/search', asked)

export const memoryInsights = (access: Access, asked: Asked) =>
  ask<{ readonly data: InsightsAnswer; readonly meta: { readonly position: string } }>(
    access,
    '/memory/insights',
    asked,
  )

/** Stores a memory as the caller. `key`: the same one does its work once. */
export const storeMemory = (access: Access, memory: Remembered, key?: string) =>
  answerOf<Stored>(access, '/memory/store', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
    body: JSON.stringify(memory),
  })

export type Explanation = { readonly place: number; readonly hit: Hit; readonly meta: Found['meta'] }

/** A hit with its place. Throws `not_found` where it is not among the first hits. */
export async function explained(access: Access, subject: string, q: string, type: string): Promise<Explanation> {
  const { data, meta } = await searchMemories(access, { q, search_type: type, limit: EXPLAINED_MAX })
  const at = data.findIndex(hit => hit.subject === subject)
  if (at >= 0) return { place: at + 1, hit: data[at]!, meta }
  throw new KogiError('not_found', `No memory of ${subject} is among the first ${EXPLAINED_MAX} hits of this search.`)
}

export type InsightsAnswer = {
  readonly period: { readonly from: string; readonly until: string }
  readonly total_memories: number
  readonly totals: { readonly in_period: number; readonly in_period_before: number }
  readonly dominant_concepts: readonly {
    readonly concept: string
    readonly memories: number
    readonly memories_before: number
    readonly change: number
  }[]
  readonly knowledge_density: number
  readonly knowledge: { readonly entities: number; readonly mentions_per_memory: number }
  readonly temporal_patterns: {
    readonly by_hour: readonly number[]
    readonly by_weekday: readonly number[]
    readonly recurring_gaps: readonly {
      readonly kind: string
      readonly source: string
      readonly days: number
      readonly next_on: string
    }[]
  }
  readonly semantic_clusters: readonly {
    readonly memories: number
    readonly words: readonly string[]
    readonly typical: { readonly key: string }
  }[]
  readonly concept_drift: readonly {
    readonly concept: string
    readonly memories: number
    readonly windows: readonly {
      readonly from: string
      readonly memories: number
      readonly drift_from_first: number
      readonly beside: readonly string[]
    }[]
  }[]
}

/** One read. */
function ask<T>(access: Access, path: string, asked: Asked): Promise<T> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(asked)) if (value !== undefined) query.set(name, String(value))
  return answerOf(access, `${path}?${query}`, {})
}

type Request = { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string }

/** Throws the error that the API answers with, and `engine_unavailable` where nothing answers. */
async function answerOf<T>({ url, token }: Access, path: string, request: Request): Promise<T> {
  const headers = { ...request.headers, authorization: `Bearer ${token}` }
  const answer = await fetch(`${url}${ROOT}${path}`, { ...request, headers }).catch(error => {
    throw new KogiError('engine_unavailable', `Nothing answers at ${url}: ${(error as Error).cause ?? error}`)
  })
  const body = (await answer.json().catch(() => undefined)) as { error?: KogiError } | undefined
  if (answer.ok && body) return body as T
  const { code = 'not_an_answer', message = `${url} answered with ${answer.status}.`, details = [] } = body?.error ?? {}
  throw new KogiError(code, message, details)
}
