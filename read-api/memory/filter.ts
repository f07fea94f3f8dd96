/** What searches by legs can be narrowed to, as a query or a body says it. */
import { z } from 'zod'
import { object, text, timestamp } from '../../domain/kernel/schema.ts'
import type { RecallFilter } from '../../projections/memory/recall/filter.ts'
import { inQuery, listed, type Queries, severalInQuery } from '../parameters.ts'

/** Values of one condition. */
const VALUES_MAX = 100

const word = text(128)
const SEARCHED = 'for searches by legs: '

/** The conditions that a query can name beside `kind`: all of them must hold, and of several values one must fit. */
export const filterParameters = [
  severalInQuery('type', word, `${SEARCHED}only memories stored as this type, or of this kind of thing`),
  severalInQuery('tag', word, `${SEARCHED}only memories that have all of these tags`),
  severalInQuery('any_tag', word, `${SEARCHED}only memories that have one of these tags`),
  inQuery('since', timestamp, `${SEARCHED}only what was written from this time on`),
  inQuery('until', timestamp, `${SEARCHED}only what was written before this time`),
  severalInQuery('actor', word, `${SEARCHED}only what this person wrote`),
  severalInQuery('source', word, `${SEARCHED}only what comes from here, or stands in the history of this thing`),
  severalInQuery('session', word, `${SEARCHED}only memories of this session`),
  severalInQuery('subject', word, `${SEARCHED}only memories about this person or thing`),
  inQuery('valid_at', timestamp, `${SEARCHED}only what holds at this time`),
]

type Conditions = Omit<RecallFilter, 'kinds'>

/** The conditions of a query, `undefined` where it has none. */
export function filterOf(query: Queries): Conditions | undefined {
  const values = (name: string) => {
    const given = query[name]
    return given === undefined ? undefined : listed(given)!
  }
  return whole({
    types: values('type'),
    allTags: values('tag'),
    anyTag: values('any_tag'),
    from: query.since,
    until: query.until,
    actors: values('actor'),
    sources: values('source'),
    sessions: values('session'),
    subjects: values('subject'),
    validAt: query.valid_at,
  })
}

const words = z.union([word, z.array(word).min(1).max(VALUES_MAX)])

/** The same in a body. */
export const filterSchema = object({
  kind: words.optional().meta({ description: 'only memories of these kinds of things; `memory`: stored as such' }),
  type: words.optional().meta({ description: 'only memories stored as one of these types' }),
  tags: object({
    and: z.array(word).min(1).max(VALUES_MAX).optional().meta({ description: 'all of these tags' }),
    or: z.array(word).min(1).max(VALUES_MAX).optional().meta({ description: 'one of these tags' }),
  }).optional(),
  period: object({ from: timestamp.optional(), until: timestamp.optional() })
    .optional()
    .meta({ description: 'only what was written from a time on, and before another' }),
  actor: words.optional(),
  source: words.optional(),
  session: words.optional(),
  subject: words.optional(),
  valid_at: timestamp.optional(),
}).meta({ description: 'conditions that all must hold; of several values one must fit' })

const several = (value: string | readonly string[] | undefined) => (typeof value === 'string' ? [value] : value)

/** The kinds and the conditions of a body. */
export function filterIn(given: z.output<typeof filterSchema> = {}) {
  const { kind, type, tags, period, actor, source, session, subject, valid_at: validAt } = given
  const filter = whole({
    types: several(type),
    allTags: tags?.and,
    anyTag: tags?.or,
    from: period?.from,
    until: period?.until,
    actors: several(actor),
    sources: several(source),
    sessions: several(session),
    subjects: several(subject),
    validAt,
  })
  return { kinds: several(kind), filter }
}

function whole(conditions: Conditions): Conditions | undefined {
  const named = Object.entries(conditions).filter(([, value]) => value !== undefined)
  return named.length === 0 ? undefined : Object.fromEntries(named)
}
