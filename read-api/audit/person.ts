/**
 * Everything that an organization has of one person, for access requests and portability (articles 15 and 20 of the
 * GDPR): events with their sealed data, rows that name them, their files, and what they did. Sealed data of others in
 * the same rows stays closed, and legal holds are not among it: a person under investigation does not read of it here.
 */
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
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { quoted, tableOf } from '../../projections/rows/tables.ts'
import { checkpointsSql, type ReadStore, read, type Wanted } from '../consistency.ts'
import type { Reader } from '../hub/sentences.ts'
import { jsonRowsSql } from '../json-rows.ts'
import type { Resource } from '../resource.ts'
import type { Unseal } from '../rows.ts'
import { isCredential } from './credentials.ts'

/** Columns that name the person whom a row is about, or who wrote what it says. What else people did are their acts. */
const NAMING = ['subject', 'owner', 'user', 'assignee', 'author', 'requested_by', 'edited_by']
/** SQL of the same where a column does not name a person by itself. */
const NAMED: ReadonlyMap<AnyProjection, string> = new Map<AnyProjection, string>([
  [inboxes, 't.id = $3'],
  [itemShares, `t.kind = 'user' and t."with" = $3`],
  [storedMemories, 't.author = $3 or t.subjects ? $3'],
  [grants, `t.kind = 'user' and t."with" = $3`],
  [delegations, '$3 in (t."from", t."to")'],
  [teams, 't.members ? $3'],
])
/** Rows of each kind in one answer, and acts: where there are more it says so. */
const ROWS_MAX = 5_000

const fields = z.record(z.string(), z.unknown())
export const personSchema = z.strictObject({
  format: z.literal('kogi person 1'),
  subject: subjectName,
  org: z.string(),
  position: unsigned64.meta({ description: 'position of the log that it is of' }),
  complete: z.boolean().meta({ description: `false where something has more than ${ROWS_MAX} rows` }),
  events: z
    .array(
      z.strictObject({
        position: unsigned64,
        at: timestamp,
        category: z.string(),
        id: z.string(),
        type: z.string(),
        data: fields,
      }),
    )
    .meta({ description: 'events that hold sealed data of the person, with that data in the clear' }),
  rows: z
    .record(z.string(), z.array(fields))
    .meta({ description: 'what read models have of the person, by their names; files are in `item_files`' }),
  acts: z
    .array(
      z.strictObject({ position: unsigned64, at: timestamp, category: z.string(), id: z.string(), type: z.string() }),
    )
    .meta({ description: 'what the person did, or was done on their behalf' }),
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
  const models = [...new Set(deps.resources.map(({ projection }) => projection))]
    .filter(model => model !== auditLog && model !== legalHolds && namedIn(model) !== '')
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const of = [...new Set([...models, personalData, auditLog])]
  const parts = [
    ...models.map(model =>
      jsonRowsSql({ kind: model.name, model, where: `t.org = $2 and (${namedIn(model)})`, limit: ROWS_MAX }),
    ),
    jsonRowsSql({ kind: EVENTS, model: auditLog, where: HOLDS, columns: [...ACT, 'data'], limit: ROWS_MAX }),
    jsonRowsSql({ kind: ACTS, model: auditLog, where: ACTED, columns: ACT, limit: ROWS_MAX }),
  ]
  const text = `select c.position, c.stalled, r.kind, r.row from ${checkpointsSql(of)}
    left join (${parts.join(' union all ')}) r on true`
  const values = [org, subject, TYPES]
  const { rows, position } = await read(deps, unrestricted(request), { of, text, values }, wanted)
  const found = rows.filter(([, , kind]) => kind !== null).map(([, , kind, row]) => ({ kind, row }) as Found)
  await openOwn(deps, org, subject, found)
  const byKind = new Map<string, Found['row'][]>([EVENTS, ACTS].map(kind => [kind, []]))
  for (const { kind, row } of found) {
    const list = byKind.get(kind)
    if (list) list.push(row)
    else byKind.set(kind, [row])
  }
  return {
    format: 'kogi person 1' as const,
    subject,
    org,
    position: String(position),
    complete: [...byKind.values()].every(({ length }) => length < ROWS_MAX),
    events: byKind.get(EVENTS)!,
    rows: Object.fromEntries([...byKind].filter(([kind]) => kind !== EVENTS && kind !== ACTS)),
    acts: byKind.get(ACTS)!,
  }
}

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

const [EVENTS, ACTS] = ['events', 'acts'] as const
const ACT = ['position', 'at', 'category', 'id', 'type'] as const
const HOLDS = `t.org = $2 and t.type = any($4::text[]) and exists (select from ${quoted(tableOf(personalData))} p
  where p.org = $2 and p.subject = $3 and p.category = t.category and p.id = t.id)`
const ACTED = 't.org = $2 and (t.actor = $3 or t.on_behalf_of = $3)'

/** SQL of whether a row names the person; nothing where no row of the model does. */
const namedIn = (model: AnyProjection): string =>
  NAMED.get(model) ??
  NAMING.filter(column => Object.hasOwn(model.row.shape, column))
    .map(column => `t.${quoted(column)} = $3`)
    .join(' or ')

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
