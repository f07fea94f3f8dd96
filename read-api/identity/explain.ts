/** `GET /kbs/access/explain`: why a person may do something, or why not. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Parameter, Principal, Route } from '../../domain/kernel/route.ts'
import { id, refined, text, timestamp } from '../../domain/kernel/schema.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { inQuery, invalidParameter, queriesOf } from '../parameters.ts'

type Thing = { readonly category: string; readonly id: string }
type Asked = { readonly subject: string; readonly permission: string; readonly thing?: Thing | undefined }

const because = z.strictObject({
  by: z.enum(['member', 'team', 'delegation', 'grant']).meta({ description: 'how the person came to the role' }),
  role: z.string().meta({ description: 'the role that holds the permission; of a grant, the role in the thing' }),
  team: z.string().optional(),
  delegation: z.string().optional(),
  from: z.string().optional().meta({ description: 'who has lent the role' }),
  grant: z.string().optional(),
  until: timestamp.optional().meta({ description: 'when it ends by itself' }),
})

const explanation = z
  .strictObject({
    subject: z.string(),
    permission: z.string(),
    thing: z.strictObject({ category: z.string(), id: z.string() }).optional(),
    decision: z
      .enum(['allowed', 'refused', 'by_token'])
      .meta({ description: '`by_token`: the organization does not list the person, whose token decides' }),
    why: z
      .enum(['held', 'not_held', 'suspended', 'no_member', 'invited', 'outsider', 'no_organization'])
      .meta({ description: 'the reason for the decision' }),
    standing: z.enum(['active', 'suspended', 'removed', 'invited', 'outsider']),
    because: z.array(because).meta({ description: 'everything that allows it, each enough by itself' }),
    holders: z.array(z.string()).meta({ description: 'the roles that hold the permission' }),
  })
  .meta({ title: 'Explanation' })
export type Explanation = Readonly<z.input<typeof explanation>>

/** Explains from what the log says by now. */
export type Explain = (org: string, asked: Asked, at: string) => Promise<Explanation>

export type ExplainDeps = {
  readonly explain: Explain
  /** Every permission that there is. */
  readonly permissions: readonly string[]
  readonly allows: (principal: Principal, permission: string) => boolean
  readonly now: () => string
}

const THING = /^([a-z]{1,64}):(.+)$/s

const parametersOf = (permissions: readonly string[]): readonly Parameter[] => [
  { ...inQuery('subject', subjectName.meta({ examples: ['jon'] }), 'the person, as tokens name them'), required: true },
  {
    ...inQuery(
      'permission',
      z.enum(permissions as [string]).meta({ examples: ['center.projects.read'] }),
      'to do what',
    ),
    required: true,
  },
  inQuery(
    'thing',
    refined(text(200), value => THING.test(value), 'must be a category and an id, with a colon between them').meta({
      examples: ['project:project-1'],
    }),
    'with which thing, as `category:id`: what is shared of it counts',
  ),
]

export function explainRoute(deps: ExplainDeps): Route {
  const parameters = parametersOf(deps.permissions)
  return {
    method: 'GET',
    path: '/kbs/access/explain',
    permission: 'signed in',
    operationId: 'explainAccess',
    summary: 'Why a person may do something, or why not; everybody may ask about themselves.',
    tag: 'kbs',
    parameters,
    response: explanation,
    errors: { 403: ['forbidden'] },
    async handle(request) {
      const { principal } = request
      const { subject, permission, thing } = queriesOf(request, parameters)
      if (subject !== principal.subject && !deps.allows(principal, NEEDED)) {
        throw new KogiError('forbidden', 'The token does not allow to ask about others.', [
          { field: 'permission', message: NEEDED },
        ])
      }
      const asked = { subject: subject!, permission: permission!, thing: thingOf(thing) }
      return { data: await deps.explain(principal.org, asked, deps.now()) }
    },
  }
}

const NEEDED = 'identity.access.read'
const thingId = id('thing')

function thingOf(given: string | undefined): Thing | undefined {
  if (given === undefined) return undefined
  const [, category, name] = THING.exec(given)!
  if (!thingId.safeParse(name).success) throw invalidParameter('thing', 'must name a thing by its id')
  return { category: category!, id: name! }
}
