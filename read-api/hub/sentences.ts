/** Sentences of what happened: those of the aggregates' definitions, with the names and links of the things in them. */
import type { Mention, Phrase } from '../../domain/kernel/activity.ts'
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest } from '../../domain/kernel/route.ts'
import { ofStore } from '../../domain/kernel/schema.ts'
import { said, THING } from '../../domain/record/said.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { historyTableOf, quoted } from '../../projections/rows/tables.ts'
import { modelOf } from '../audit/changes.ts'
import { checkpointsSql, type ReadStore, read, type Wanted } from '../consistency.ts'
import type { Resource } from '../resource.ts'

/** A piece of a sentence; with the path of the thing that it names, where the caller may read that. */
export type Part = { readonly text: string; readonly link?: string }

/** What happened, as a row of the audit log has it. */
export type Happening = {
  readonly position: string
  readonly category: string
  readonly id: string
  readonly type: string
  readonly actor: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Who a sentence is for, as far as reading needs to know. */
export type Reader = Pick<ApiRequest, 'principal' | 'signal' | 'aside'>

/** Who did what the system does by itself: its processes and timers. */
const SYSTEM = 'Kogi'
const actorName = (actor: string) => (actor.startsWith('process:') ? SYSTEM : actor)

/** Things of one category: how they are called, and where they are read. */
export type Kind = {
  readonly aggregate: AnyAggregate
  /** The read model and the column that has their names. */
  readonly called?: { readonly model: AnyProjection; readonly column: string }
  /** Path of the list that has each of them by its id. */
  readonly path?: string
  /** The permissions that reading all that is known of them needs. */
  readonly permissions: readonly string[]
}

/** The things of all categories. `byDefault`: the permission for things that no read model shows. */
export const kindsOf = (
  aggregates: readonly AnyAggregate[],
  resources: readonly Resource[],
  byDefault: string,
): ReadonlyMap<string, Kind> =>
  new Map(
    aggregates
      .filter(({ activity }) => !activity?.untold)
      .map(aggregate => {
        const own = resources.filter(({ projection }) => Object.keys(projection.of).join() === aggregate.name)
        const single = own.find(({ names, projection }) => names.join() === 'id' && projection.key.join() === 'org,id')
        const [model, column] = [modelOf(resources, aggregate.name), aggregate.activity?.called]
        const permissions = [...new Set(own.map(({ permission }) => permission))]
        return [
          aggregate.name,
          {
            aggregate,
            permissions: permissions.length > 0 ? permissions : [byDefault],
            ...(model && column !== undefined && { called: { model, column } }),
            ...(single && { path: `/api/v1${single.path}` }),
          },
        ]
      }),
  )

/** A thing at the time of an event. */
type Named = { readonly category: string; readonly id: string; readonly position: string }
const keyOf = ({ category, id, position }: Named) => JSON.stringify([category, id, position])

/** What sentences need: the things, those of them that the caller may read, and how new the names must be. */
type Telling = {
  readonly kinds: ReadonlyMap<string, Kind>
  readonly open: ReadonlySet<string>
  readonly wanted: Wanted
}

/** The sentence of each event, in pieces. Things have the names that they had then, by one statement for each kind. */
export async function sentencesOf(
  store: ReadStore,
  request: Reader,
  happenings: readonly Happening[],
  telling: Telling,
): Promise<readonly (readonly Part[])[]> {
  const phrases = happenings.map(happening => phraseOf(telling.kinds.get(happening.category)!.aggregate, happening))
  const mentioned = happenings.flatMap((happening, n) =>
    phrases[n]!.flatMap(part => (typeof part === 'string' ? [] : [thingOf(part, happening)])),
  )
  const names = await namesOf(store, request, mentioned, telling)
  return happenings.map((happening, n) => {
    const parts = phrases[n]!.map((part): Part => {
      if (typeof part === 'string') return { text: part }
      const thing = thingOf(part, happening)
      const path = telling.open.has(thing.category) ? telling.kinds.get(thing.category)?.path : undefined
      const name = names.get(keyOf(thing))
      const text = name === undefined ? thing.id : `“${name}”`
      return { text, ...(path !== undefined && { link: `${path}/${encodeURIComponent(thing.id)}` }) }
    })
    return joined([{ text: `${actorName(happening.actor)} ` }, ...parts])
  })
}

const thingOf = ({ category, id }: Mention, happening: Happening): Named => ({
  category: category ?? happening.category,
  id: id ?? happening.id,
  position: happening.position,
})

export function phraseOf({ name, events, activity }: AnyAggregate, { type, data }: Happening): Phrase {
  const sentence = activity?.on[type]
  if (sentence === undefined) return said`changed the ${name} ${THING}`
  return typeof sentence === 'function' ? sentence(ofStore(() => events[type].decode(data))) : sentence
}

/** Neighbours that are mere text become one piece. */
function joined(parts: readonly Part[]): readonly Part[] {
  const made: Part[] = []
  for (const part of parts) {
    const last = made.at(-1)
    if (last && last.link === undefined && part.link === undefined)
      made[made.length - 1] = { text: last.text + part.text }
    else made.push(part)
  }
  return made
}

async function namesOf(
  store: ReadStore,
  request: Reader,
  mentioned: readonly Named[],
  { kinds, open, wanted }: Telling,
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>()
  for (const category of new Set(mentioned.map(thing => thing.category))) {
    const called = open.has(category) ? kinds.get(category)?.called : undefined
    if (!called) continue
    const own = mentioned.filter(thing => thing.category === category)
    for (const [n, name] of await namesIn(store, request, { ...called, own, wanted })) names.set(keyOf(own[n]!), name)
  }
  return names
}

type Asked = NonNullable<Kind['called']> & { readonly own: readonly Named[]; readonly wanted: Wanted }

/** The names of things of one kind, by their place in the list. A read model that is being built knows none. */
async function namesIn(store: ReadStore, request: Reader, { model, column, own, wanted }: Asked) {
  const text = `select c.position, c.stalled, e.n, v.name from ${checkpointsSql([model])}
    left join (unnest($3::text[], $4::bigint[]) with ordinality e(id, position, n)
      cross join lateral (select h.${quoted(column)} as name from ${quoted(historyTableOf(model))} h
        where h.org = $2 and h.id = e.id and h._position <= e.position and not h._removed
        order by h._position desc limit 1) v) on true`
  const values = [request.principal.org, own.map(({ id }) => id), own.map(({ position }) => position)]
  // Versions never change: a stalled read model has those up to its position.
  const found = await read(store, request, { of: [model], text, values }, { ...wanted, asOf: ANY_POSITION }).catch(
    notBuilt,
  )
  return found.rows
    .filter(([, , n, name]) => n !== null && name !== null)
    .map(([, , n, name]) => [Number(n) - 1, name as string] as const)
}

const ANY_POSITION = { asked: '0', position: 0n }

function notBuilt(error: unknown): { readonly rows: readonly (readonly unknown[])[] } {
  if (error instanceof KogiError && error.code === 'read_model_building') return { rows: [] }
  throw error
}
