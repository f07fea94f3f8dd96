import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, Parameter, Principal, Route } from '../../domain/kernel/route.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { noHistoryErrors } from '../as-of.ts'
import { positioned, readErrors, tokenOf } from '../consistency.ts'
import { fromPath, queriesOf, tokenParameters } from '../parameters.ts'
import { type PersonDeps, personOf, personSchema } from './person.ts'
import { personPage } from './person-page.ts'

type Deps = PersonDeps & { readonly allows: (principal: Principal, permission: string) => boolean }

/**
 * Who may read what there is of others, and of themselves: every role may do that, but no token that was made for less,
 * as those of other applications are.
 */
const [OF_OTHERS, OWN] = ['audit.persons.read', 'audit.own-data.read'] as const

const parameters: readonly Parameter[] = [
  { name: 'subject', in: 'path', schema: subjectName, description: 'the person, as tokens name them' },
  ...tokenParameters,
]

/** What there is of a person, as JSON and as a page. */
export function personRoutes(deps: Deps): Route[] {
  const gather = async (request: ApiRequest) => {
    const subject = fromPath(request, 'subject', subjectName)
    const { principal } = request
    const permission = subject === principal.subject ? OWN : OF_OTHERS
    if (!deps.allows(principal, permission) && !deps.allows(principal, OF_OTHERS)) {
      const details = [{ field: 'permission', message: permission }]
      throw new KogiError('forbidden', 'The token does not allow to read all that there is of this person.', details)
    }
    return personOf(deps, request, subject, { token: tokenOf(request, queriesOf(request, parameters)) })
  }
  const shared = { method: 'GET', permission: 'signed in', tag: 'kmg', parameters } as const
  const errors = { ...noHistoryErrors, 403: ['forbidden'], ...readErrors }
  return [
    {
      ...shared,
      path: '/kmg/persons/:subject/data',
      operationId: 'getPerson',
      summary:
        'Everything that the organization has of a person, for access requests and portability: your own, or any.',
      response: personSchema,
      errors,
      async handle(request) {
        const data = await gather(request)
        return { data, ...positioned(BigInt(data.position)) }
      },
    },
    {
      ...shared,
      path: '/kmg/persons/:subject/page',
      operationId: 'getPersonPage',
      summary: 'The same as a page (HTML) for people: it needs nothing but a browser.',
      response: z.string(),
      media: ['text/html'],
      errors,
      async handle(request) {
        const data = await gather(request)
        const type = 'text/html; charset=utf-8'
        return {
          file: { name: 'index.html', type, content: personPage(data) },
          headers: positioned(BigInt(data.position)).headers,
        }
      },
    },
  ]
}
