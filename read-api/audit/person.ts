/**
 * Everything that an organization has of one person, for access requests and portability (articles 15 and 20 of the
 * GDPR): events with their sealed data, rows that name them, their files, and what they did. Sealed data of others in
 * the same rows stays closed, and legal holds are not among it: a person under investigation does not read of it here.
 */
import type { PoolClient } from 'pg'
import { z } from 'zod'
import type { Json } from '../../domain/kernel/json.ts'
import { plainOf, type Sealed, sealed, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { legalHolds } from '../../projections/audit/legal-holds.ts'
import { personalData } from '../../projections/audit/personal-data.ts'
import { itemShares } from '../../projections/briefcase/item-shares.ts'
import { inboxes } from '../../projections/hub/inboxes.ts'
import { delegations } from '../../projections/identity/delegations.ts'
import { grants } from '../../projections/identity/grants.ts'
import { teams } from '../../projections/identity/teams.ts'
import { storedMemories } from '../../projections/memory/stored-memories.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { quoted, tableOf } from '../../projections/rows/tables.ts'
import { checkpointsSql, type ReadStore, read, standsStill, type Wanted, wireTypes } from '../consistency.ts'
import type { Reader } from '../hub/sentences.ts'
import { jsonRowsSql } from '../json-rows.ts'
import type { Resource } from '../resource.ts'
import type { Unseal } from '../rows.ts'
import { isCredential } from './credentials.ts'

/** Columns that name the person whom a row is about, or who wrote what it says. What else people did are their acts. */
const NAMING = ['subject', 'owner', 'user', 'assignee', 'author', 'requested_by', 'edited_by']
/** Columns that list persons. */
const LISTING = ['approvers']
/** SQL of the same where a column does not name a person by itself. */
const NAMED: ReadonlyMap<AnyProjection, string> = new Map<AnyProjection, string>([
  [inboxes, 't.id = $3'],
  [itemShares, `t.kind = 'user' and t."with" = $3`],
  [storedMemories, 't.author = $3 or t.subjects ? $3'],
  [grants, `t.kind = 'user' and t."with" = $3`],
  [delegations, '$3 in (t."from", t."to")'],
  [teams, 't.members ? $3'],
])
/** Fields of events that name a person, whatever the event. */
const NAMING_OF_EVENTS = [
  ...['subject', 'owner', 'user', 'assignee', 'author', 'requestedBy', 'approvedBy', 'founder', 'handler'],
  ...['contributor', 'seller', 'bidder', 'winner', 'vendor', 'resource_id'],
]
/** Events whose fields `from`, `to` and `by` name persons: those of others have states, accounts or days there. */
const BETWEEN_PERSONS = [
  ...['TaskAssigned', 'NegotiationOpened', 'OfferCountered', 'OfferAccepted', 'OfferDeclined', 'OfferWithdrawn'],
  ...['RolesDelegated', 'DelegationEnded'],
]
/** Lists of persons in events. */
const LISTING_OF_EVENTS = ['{approvers}', '{subjects}', '{selection,subjects}', '{selection,actors}']
/** Rows of each kind in one answer, and acts: where there are more it says so. */
const ROWS_MAX = 5_000

export const PERSON_FORMAT = 'kogi person 1'
const fields = z.record(z.string(), z.unknown())
const act = { position: unsigned64, at: timestamp, category: z.string(), id: z.string(), type: z.string() }
export const personSchema = z.strictObject({
  format: z.literal(PERSON_FORMAT),
  subject: subjectName,
  org: z.string(),
  position: unsigned64.meta({ description: 'position of the log that it is of' }),
  complete: z.boolean().meta({ description: `false where something has more than ${ROWS_MAX} rows` }),
  events: z
    .array(z.strictObject({ ...act, data: fields }))
    .meta({ description: 'events that hold sealed data of the person, with that data in the clear' }),
  rows: z
    .record(z.string(), z.array(fields))
    .meta({ description: 'what read models have of the person, by their names; files are in `item_files`' }),
  acts: z.array(z.strictObject(act)).meta({ description: 'what the person did, or was done on their behalf' }),
  concerning: z
    .array(z.strictObject({ ...act, actor: z.string(), on_behalf_of: z.string().optional() }))
    .meta({ description: 'what others did to things with data of the person, or that names the person' }),
})

export type PersonDeps = ReadStore & {
  readonly unseal: Unseal
  readonly resources: readonly Resource[]
  /** The names of the keys that a person's data is sealed under. */
  readonly keysOf: (org: string, subject: string) => Promise<ReadonlySet<string>>
}

type Found = { readonly kind: string; readonly row: { [name: string]: Json } }

/**
 * Gathers what there is of a person, in things that are private too, whoever asks: who may ask is the caller's to say.
 * Texts read `null` where the key was destroyed.
 */
export async function personOf(deps: PersonDeps, request: Reader, subject: string, wanted: Wanted = {}) {
  const { org } = request.principal
  const { of, text, values } = statementOf(deps, { org, subject, limit: ROWS_MAX })
  const { rows, position } = await read(deps, unrestricted(request), { of, text, values }, wanted)
  const found = rows.filter(([, , kind]) => kind !== null).map(([, , kind, row]) => ({ kind, row }) as Found)
  await openOwn(deps, org, subject, found)
  const byKind = new Map<string, Found['row'][]>(APART.map(kind => [kind, []]))
  for (const { kind, row } of found) {
    const list = byKind.get(kind)
    if (list) list.push(row)
    else byKind.set(kind, [row])
  }
  return {
    format: PERSON_FORMAT,
    subject,
    org,
    position: String(position),
    complete: [...byKind.values()].every(({ length }) => length < ROWS_MAX),
    events: byKind.get('events')!,
    rows: Object.fromEntries([...byKind].filter(([kind]) => !isApart(kind))),
    acts: byKind.get('acts')!,
    concerning: byKind.get('concerning')!,
  }
}

/** Some of the rows of one kind that there are of a person, and the position that all of them are of. */
export type PersonRows = { readonly position: string; readonly kind: string; readonly rows: readonly Found['row'][] }

/** Rows that are read at once where all of a person's are read. */
const ROWS_PER_FETCH = 500

/**
 * The same without an end to how many rows there are, kind after kind, from one snapshot of a connection: a list at a
 * time. The first list has no rows, and no kind. Throws `projection_stalled` where not all can be there.
 */
export async function* allOf(
  deps: PersonDeps & { readonly client: PoolClient },
  { org, subject }: { readonly org: string; readonly subject: string },
): AsyncGenerator<PersonRows> {
  const { client } = deps
  const { of, text, values } = statementOf(deps, { org, subject })
  await deps.versions.built(of)
  await client.query('begin isolation level repeatable read read only')
  try {
    const bucket = bucketOf(org)
    const { rows } = await client.query(`select position::text, stalled from ${checkpointsSql(of)}`, [bucket])
    const { position, stalled } = rows[0]
    if (stalled) throw standsStill(position)
    yield { position, kind: '', rows: [] }
    await client.query(`declare rows_of_person no scroll cursor for ${text}`, [bucket, ...values])
    for (;;) {
      const fetched = {
        text: `fetch ${ROWS_PER_FETCH} from rows_of_person`,
        rowMode: 'array',
        types: wireTypes,
      } as const
      const list = (await client.query(fetched)).rows as unknown as readonly unknown[][]
      const found = list.filter(([, , kind]) => kind !== null).map(([, , kind, row]) => ({ kind, row }) as Found)
      await openOwn(deps, org, subject, found)
      for (const kind of new Set(found.map(({ kind }) => kind))) {
        yield { position, kind, rows: found.filter(each => each.kind === kind).map(({ row }) => row) }
      }
      if (list.length < ROWS_PER_FETCH) return
    }
  } finally {
    await client.query('rollback')
  }
}

/** SQL of everything that there is of a person, kind after kind; of each at most so many rows, where that is said. */
function statementOf({ resources }: PersonDeps, { org, subject, limit }: Asked) {
  const models = [...new Set(resources.map(({ projection }) => projection))]
    .filter(model => model !== auditLog && model !== legalHolds && namedIn(model) !== '')
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const of = [...new Set([...models, personalData, auditLog])]
  const logged = (kind: Apart, where: string, columns: readonly string[]) =>
    jsonRowsSql({ kind, model: auditLog, where, columns, limit })
  const parts = [
    logged('events', HOLDS, [...ACT, 'data']),
    ...models.map(model =>
      jsonRowsSql({ kind: model.name, model, where: `t.org = $2 and (${namedIn(model)})`, limit }),
    ),
    logged('acts', ACTED, ACT),
    logged('concerning', CONCERNING, [...ACT, 'actor', 'on_behalf_of']),
  ]
  const text = `select c.position, c.stalled, r.kind, r.row from ${checkpointsSql(of)}
    left join (${parts.join(' union all ')}) r on true`
  return { of, text, values: [org, subject, TYPES, HELD] }
}

type Asked = { readonly org: string; readonly subject: string; readonly limit?: number }

const unrestricted = ({ principal, signal, aside }: Reader): Reader => ({
  principal: { ...principal, permissions: ['*'] },
  signal,
  aside,
})

/** Events with sealed data, but for those that hold credentials alone. */
const TYPES = Object.values(personalData.of).flatMap(events =>
  Object.entries(events).flatMap(([type, { shape }]) => {
    const fields = Object.keys(shape).filter(field => plainOf(shape[field] as z.ZodType) === sealed)
    return fields.some(field => !isCredential(type, field)) ? [type] : []
  }),
)

/** Kinds that are no read model's. */
const APART = ['events', 'acts', 'concerning'] as const
type Apart = (typeof APART)[number]
export const isApart = (kind: string): kind is Apart => APART.some(each => each === kind)
const ACT = ['position', 'at', 'category', 'id', 'type'] as const
const HOLDS = `t.org = $2 and t.type = any($4::text[]) and exists (select from ${quoted(tableOf(personalData))} p
  where p.org = $2 and p.subject = $3 and p.category = t.category and p.id = t.id)`
const ACTED = 't.org = $2 and (t.actor = $3 or t.on_behalf_of = $3)'
/**
 * Whether an event names the person. Only data that has the name as one of its texts is taken apart: a name like `open`
 * or `EUR` stands in many events that are of nobody.
 */
const NAMED_BY_EVENT = `strpos(t.data::text, (select to_json($3::text)::text)) > 0 and (
  exists (select from json_each_text(t.data) f where f.value = $3 and f.key in (${textsSql(NAMING_OF_EVENTS)}))
  or t.data ->> 'kind' = 'user' and t.data ->> 'with' = $3
  or t.type in (${textsSql(BETWEEN_PERSONS)}) and $3 in (t.data ->> 'from', t.data ->> 'to', t.data ->> 'by')
  or ${LISTING_OF_EVENTS.map(list => `(t.data #> '${list}')::jsonb ? $3`).join(' or ')})`
/** What others did to things that hold sealed data of the person, or with the person's name in it. */
const CONCERNING = `t.org = $2 and t.actor <> $3 and t.on_behalf_of is distinct from $3 and t.type <> all($5::text[])
  and (${NAMED_BY_EVENT} or exists (select from ${quoted(tableOf(personalData))} p
    where p.org = $2 and p.subject = $3 and p.category = t.category and p.id = t.id))`
const HELD = ['LegalHoldPlaced', 'LegalHoldLifted']

function textsSql(texts: readonly string[]): string {
  return texts.map(text => `'${text}'`).join(', ')
}

/** SQL of whether a row names the person; nothing where no row of the model does. */
function namedIn(model: AnyProjection): string {
  const has = (column: string) => Object.hasOwn(model.row.shape, column)
  const named = NAMING.filter(has).map(column => `t.${quoted(column)} = $3`)
  const listed = LISTING.filter(has).map(column => `t.${quoted(column)} @> jsonb_build_array($3::text)`)
  return NAMED.get(model) ?? [...named, ...listed].join(' or ')
}

/** What stands in the place of sealed data of another person. */
const CLOSED = '[of another person]'

/** Opens the envelopes that are sealed under the person's own keys, and closes all others. */
async function openOwn({ unseal, keysOf }: PersonDeps, org: string, subject: string, found: readonly Found[]) {
  const keys = await keysOf(org, subject)
  const places = found.flatMap(({ row }) => [row, ...Object.values(row).filter(isObject)].flatMap(envelopesIn))
  const own = places.filter(({ envelope }) => keys.has(envelope.key))
  const texts = await unseal(
    org,
    own.map(({ envelope }) => envelope),
  )
  for (const { within, name } of places) within[name] = CLOSED
  for (const [n, { within, name }] of own.entries()) within[name] = texts[n] ?? null
}

type Place = { readonly within: { [name: string]: Json }; readonly name: string; readonly envelope: Sealed }

const isObject = (value: Json): value is { [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const envelopesIn = (within: { [name: string]: Json }): readonly Place[] =>
  Object.entries(within).flatMap(([name, value]) => {
    if (!isObject(value) || !('nonce' in value)) return []
    const { success, data } = sealed.safeParse(value)
    return success ? [{ within, name, envelope: data }] : []
  })
