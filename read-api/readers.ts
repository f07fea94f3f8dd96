/**
 * Which rows a caller may read: those of things that are private are shown to their readers alone. A statement of a
 * read begins with a definition for each table that has such rows, of the same name: whatever it selects, joins, counts
 * or orders, it sees no others. Who reads the audit log reads all.
 */
import type { Principal } from '../domain/kernel/route.ts'
import { fieldInfo } from '../domain/kernel/schema.ts'
import { grantsOf } from '../domain/memory/memory/rights.ts'
import { auditLog } from '../projections/audit/audit-log.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { historyTableOf, quoted, tableOf } from '../projections/rows/tables.ts'
import type { ReadPool } from './pool.ts'
import type { Statement } from './statement.ts'

/** Who asks, as items name their readers: `user mira`, `team design`; `undefined` for who may read all. */
export type Grantees = readonly string[] | undefined

/** A thing that an event, or a memory, is about. */
export type AboutThing = { readonly category: string; readonly id: string; readonly data?: unknown }

/** What a caller is called among the readers of things. */
export function granteesOf({ subject, teams = [], permissions }: Caller): Grantees {
  if (permissions.some(grant => OPENS_ALL.has(grant))) return undefined
  return [...grantsOf(subject), ...teams.map(team => `team ${team}`)]
}

type Caller = Pick<Principal, 'subject' | 'teams' | 'permissions'>

/** The grants that open all that is private: those of the audit log, which has everything. */
const OPENS_ALL: ReadonlySet<string> = new Set(['*', 'audit.*', 'audit.log.*', 'audit.log.read'])

type Guarded = AnyProjection & { readonly readers: NonNullable<AnyProjection['readers']> }

/** The read models with private rows, those that others follow first. Throws `TypeError` for a name that is none. */
export class Guards {
  readonly #models: readonly Guarded[]
  readonly #byName: ReadonlyMap<string, Guarded>
  /** The read models of things, by the category of their events, and by the kind of their memories. */
  readonly #byCategory = new Map<string, Guarded>()

  constructor(models: readonly AnyProjection[]) {
    const guarded = models.filter((model): model is Guarded => model.readers !== undefined)
    this.#byName = new Map(guarded.map(model => [model.name, model]))
    const ordered: Guarded[] = []
    const add = (model: Guarded) => {
      if (ordered.includes(model)) return
      for (const name of likeOf(model).values()) add(this.#named(name))
      ordered.push(model)
    }
    for (const model of guarded) add(model)
    this.#models = ordered
    for (const model of ordered) {
      const [category, ...more] = Object.keys(model.of)
      const isOfThings = more.length === 0 && model.key.length === 2
      if (isOfThings && !this.#byCategory.has(category!)) this.#byCategory.set(category!, model)
      if (model.memory && !this.#byCategory.has(model.memory.kind)) this.#byCategory.set(model.memory.kind, model)
    }
  }

  #named(name: string): Guarded {
    const model = this.#byName.get(name)
    if (!model) throw new TypeError(`no read model ${name} says who may read its rows`)
    return model
  }

  /** Whether events of a category, or memories of a kind, may be about things that are private. */
  concerns(category: string): boolean {
    return this.#byCategory.has(category)
  }

  /** The statement as a caller may see it; the same one for who may read all, and where nothing of it is private. */
  restricted(statement: Statement, grantees: Grantees): Statement {
    const { of, text, values, name, isAboutRevisions = false } = statement
    if (grantees === undefined) return statement
    const isOfEvents = of.includes(auditLog) && !isAboutRevisions
    const own = this.#models.filter(model => of.includes(model))
    const needed = isOfEvents ? this.#models : this.#with(own)
    if (needed.length === 0) return statement
    const all = [...values, grantees]
    const definitions = this.#definitions(needed, `$${all.length + 1}::text[]`)
    if (isOfEvents) definitions.push(this.#events())
    return {
      of: [...new Set([...of, ...needed])],
      text: withDefinitions(definitions, text),
      values: all,
      ...(name !== undefined && { name: `${name} restricted` }),
    }
  }

  /**
   * SQL of the numbers of callers and of the things that each may read, of those in the parameters: `$1` the org, `$2`
   * categories, `$3` ids, `$4` the data of events, `$5` what each caller is called.
   */
  readableSql(): string {
    const definitions = this.#definitions(this.#models, 'c.grantees')
    return `select c.n, x.n from (
        select n, array(select jsonb_array_elements_text(names)) as grantees
        from unnest($5::jsonb[]) with ordinality callers(names, n) offset 0) c
      cross join lateral (with ${definitions.join(', ')} select e.n from (
          select $1::text as org, e.* from unnest($2::text[], $3::text[], $4::jsonb[]) with ordinality
            e(category, id, data, n)) e
        where ${this.#isOpen('e')}) x`
  }

  /** Models with those that they follow, in order. */
  #with(models: readonly Guarded[]): readonly Guarded[] {
    const found = new Set<Guarded>()
    const add = (model: Guarded) => {
      found.add(model)
      for (const name of likeOf(model).values()) add(this.#named(name))
    }
    for (const model of models) add(model)
    return this.#models.filter(model => found.has(model))
  }

  /** Definitions of the tables of models: of what stands in them now, and of all versions. */
  #definitions(models: readonly Guarded[], grantees: string): string[] {
    return models.flatMap(model => {
      const isOwn = model.readers === 'own'
      const own = `t.privacy = 'organization' or t.readers ?| ${grantees}`
      const now = defined(tableOf(model), isOwn ? own : this.#follows(model))
      if (!model.history) return [now]
      // What is private now was not open before either.
      const then = isOwn ? this.#isThere(model, 't.org', 't.id') : this.#follows(model)
      return [now, defined(historyTableOf(model), then)]
    })
  }

  /**
   * A column that always has a value is looked up alone: PostgreSQL makes a join of that, which reads as many things as
   * the statement has rows. Beside another condition it would read all things of all orgs first.
   */
  #follows(model: Guarded): string {
    return [...likeOf(model)]
      .map(([column, name]) => {
        const [value, thing] = [`t.${quoted(column)}`, this.#named(name)]
        const isNullable = fieldInfo(model.row.shape[column]).nullable
        return isNullable ? this.#orNull(value, thing, 't.org') : this.#isThere(thing, 't.org', value)
      })
      .join(' and ')
  }

  #orNull(value: string, model: Guarded, org: string): string {
    return `(${value} is null or ${this.#isThere(model, org, value)})`
  }

  /** SQL of whether a caller may read the thing of an id: in statements that define the tables. */
  #isThere(model: Guarded, org: string, id: string): string {
    return `exists (select from ${quoted(tableOf(model))} x where x.org = ${org} and x.id = ${id})`
  }

  #events(): string {
    return defined(tableOf(auditLog), this.#isOpen('t'))
  }

  /** SQL of whether what an event or a memory is about may be read, by its category, its id and its data. */
  #isOpen(alias: string): string {
    const cases = [...this.#byCategory].map(
      ([category, model]) => `when '${category}' then ${this.#isOf(model, alias)}`,
    )
    return `case ${alias}.category ${cases.join(' ')} else true end`
  }

  #isOf(model: Guarded, alias: string): string {
    const { readers } = model
    const [org, id] = [`${alias}.org`, `${alias}.id`]
    if (readers !== 'own' && readers.inEvents) {
      return Object.entries(readers.inEvents)
        .map(([member, name]) => this.#orNull(`(${alias}.data ->> '${member}')`, this.#named(name), org))
        .join(' and ')
    }
    const twin = likeOf(model).get(model.key[1]!)
    if (twin !== undefined) return this.#isThere(this.#named(twin), org, id)
    if (readers === 'own') return this.#isThere(model, org, id)
    // A thing that was removed has versions.
    return `exists (select from ${quoted(historyTableOf(model))} x where x.org = ${org} and x.id = ${id})`
  }
}

const likeOf = ({ readers }: Guarded): ReadonlyMap<string, string> =>
  new Map(readers === 'own' ? [] : Object.entries(readers.like))

/** SQL of a definition that takes the place of a table, with those of its rows that fulfil a condition. */
const defined = (table: string, condition: string): string =>
  `${quoted(table)} as not materialized (select t.* from ${quoted(table)} t where ${condition})`

type ReadersDeps = { readonly guards: Guards; readonly pool: ReadPool }

/** Of some things, whether a caller may read each; those of which nothing is private are asked nobody about. */
export async function readable(
  deps: ReadersDeps,
  org: string,
  grantees: Grantees,
  things: readonly AboutThing[],
): Promise<readonly boolean[]> {
  const [open] = await readableBy(deps, org, [grantees], things)
  return open!
}

/** The same of some callers, by one statement for all. */
export async function readableBy(
  { guards, pool }: ReadersDeps,
  org: string,
  callers: readonly Grantees[],
  things: readonly AboutThing[],
): Promise<readonly (readonly boolean[])[]> {
  const isOpenToAll = !things.some(({ category }) => guards.concerns(category))
  const asked = isOpenToAll ? [] : callers.filter(grantees => grantees !== undefined)
  if (asked.length === 0) return callers.map(() => things.map(() => true))
  const data = things.map(({ data }) => (data === undefined ? null : JSON.stringify(data)))
  const names = asked.map(grantees => JSON.stringify(grantees))
  const values = [org, things.map(({ category }) => category), things.map(({ id }) => id), data, names]
  const { rows } = await pool.query({ text: guards.readableSql(), values, rowMode: 'array' })
  const open = new Map(asked.map(grantees => [grantees, new Set<number>()]))
  for (const [caller, thing] of rows) open.get(asked[Number(caller) - 1]!)!.add(Number(thing))
  return callers.map(grantees => things.map((_, at) => grantees === undefined || open.get(grantees)!.has(at + 1)))
}

/** A statement behind definitions. Throws `TypeError` where it does not begin so that they can stand before it. */
function withDefinitions(definitions: readonly string[], text: string): string {
  const before = `with ${definitions.join(', ')}`
  const [, own] = /^\s*with\s+(?!recursive\b)(.*)$/is.exec(text) ?? []
  if (own !== undefined) return `${before}, ${own}`
  if (!/^\s*select\b/i.test(text)) throw new TypeError('this statement cannot be restricted to what a caller may read')
  return `${before} ${text}`
}
