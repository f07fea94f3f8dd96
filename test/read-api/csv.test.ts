/** Lists as CSV end early where they are long, or find nothing for long, and say where the next file begins. */
import { expect } from 'chai'
import { z } from 'zod'
import type { ApiRequest, Route } from '../../domain/kernel/route.ts'
import { csvOf } from '../../read-api/audit/csv.ts'
import { pageParameters } from '../../read-api/parameters.ts'

describe('a list as CSV', () => {
  const signal = new AbortController().signal
  /** A list without an end: pages of `perPage` rows of a hundred characters. */
  function listOf(perPage: number, seen: { pages: number }): Route {
    return {
      method: 'GET',
      path: '/kmg/things',
      operationId: 'listThings',
      summary: 'All things.',
      permission: 'things.read',
      tag: 'kmg',
      parameters: pageParameters,
      response: z.array(z.object({ id: z.string() })),
      errors: {},
      async handle() {
        seen.pages += 1
        const data = Array.from({ length: perPage }, () => ({ id: 'x'.repeat(98) }))
        return { data, pagination: { limit: 500, has_more: true, next: `page-${seen.pages}` } }
      },
    }
  }
  const request = (more: object = {}) =>
    ({ params: {}, query: { limit: '50000' }, header: () => undefined, signal, ...more }) as unknown as ApiRequest

  it('ends behind the page that makes it long', async () => {
    const seen = { pages: 0 }
    const answer = await csvOf(listOf(500, seen), 120_000).handle(request())
    expect([seen.pages, answer.headers]).to.deep.equal([3, { 'Kogi-Next': 'page-3' }])
    expect(String(answer.file?.content).length).to.equal(4 + 3 * 500 * 100)
  })

  it('ends where many pages have had nothing', async () => {
    const seen = { pages: 0 }
    const answer = await csvOf(listOf(0, seen)).handle(request())
    expect([seen.pages, answer.headers]).to.deep.equal([100, { 'Kogi-Next': 'page-100' }])
  })

  it('is read no further for a client that has left', async () => {
    const seen = { pages: 0 }
    const left = AbortSignal.abort()
    const error = await csvOf(listOf(500, seen))
      .handle(request({ signal: left }))
      .catch((caught: Error) => caught)
    expect(error).to.include({ name: 'AbortError' })
    expect(seen.pages).to.equal(0)
  })
})
