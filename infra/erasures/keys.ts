/** What erasures do to the database of the keys, and whether the two say the same. */
import type { MasterKeys } from '../master-keys.ts'
import type { Pool } from '../postgres.ts'
import { forgetCredentials } from '../sign-in/credentials.ts'
import type { Erased } from './erased.ts'

type Queries = Pick<Pool, 'query'>

const PAGE_ROWS = 1_000
export type Person = { readonly org: string; readonly subject: string }

/**
 * Destroys the key of a person, or of one thing, for good, and those of things with data of the person; says how many
 * there were, also when it is done again. What is stored of the org's search index goes as well. One who never had a
 * key gets a row without a secret, so that none is made for them later.
 */
export async function destroyKeys(keys: Queries, { org, subject }: Person): Promise<number> {
  const text = `with own as (
      insert into subject_keys (key, org, subject, erased_at) values (gen_random_uuid(), $1, $2, now())
      on conflict (org, subject) do update set secret = null, master = null,
        erased_at = coalesce(subject_keys.erased_at, excluded.erased_at)
      returning created_at < erased_at as had),
    owned as (
      update subject_keys set secret = null, master = null, erased_at = coalesce(erased_at, now())
      where org = $1 and owners @> array[$2] returning 1),
    indexes as (delete from index_keys where org = $1)
    select (select had::int from own) + (select count(*)::int from owned) as keys`
  // A user whose own org it is cannot sign in any more either.
  if (org === subject) await keys.query(forgetCredentials, [subject])
  return (await keys.query<{ keys: number }>(text, [org, subject])).rows[0]!.keys
}

/** Those of some persons whose keys are there, or keys of things with data of theirs. */
export async function withKeys(keys: Queries, persons: readonly Person[]): Promise<readonly Person[]> {
  const text = `with given as (select org, subject from unnest($1::text[], $2::text[]) g(org, subject))
    select org, subject from given join subject_keys using (org, subject) where secret is not null
    union
    select k.org, o.subject from subject_keys k cross join unnest(k.owners) o(subject)
      join given g on g.org = k.org and g.subject = o.subject
      where k.owners <> '{}' and k.secret is not null`
  const values = [persons.map(({ org }) => org), persons.map(({ subject }) => subject)]
  return (await keys.query<Person>(text, values)).rows
}

/** The names of the keys that a person's data is sealed under; none where nothing is. */
export async function keyNamesOf(keys: Queries, org: string, subject: string): Promise<ReadonlySet<string>> {
  const text = `select key::text from subject_keys where org = $1 and subject = $2
    union all select key::text from subject_keys where org = $1 and owners @> array[$2]`
  return new Set((await keys.query<{ key: string }>(text, [org, subject])).rows.map(({ key }) => key))
}

/** Names of master keys that keys are wrapped under, and that are not among some. */
export async function unknownMasters(keys: Queries, { names }: MasterKeys): Promise<readonly string[]> {
  const text = 'select distinct master from subject_keys where master is not null and master <> all($1::text[])'
  return (await keys.query<{ master: string }>(text, [names])).rows.map(({ master }) => master)
}

/** How many keys there are of each kind; `master` is `null` where they stand in the clear. */
export type KeyCount = { readonly master: string | null; readonly destroyed: boolean; readonly keys: number }

export async function countKinds(keys: Queries): Promise<readonly KeyCount[]> {
  const text = `select master, secret is null as destroyed, count(*)::int4 as keys from subject_keys
    group by 1, 2 order by 2, 3 desc`
  return (await keys.query<KeyCount>(text)).rows
}

type Stored = { readonly key: string; readonly org: string; readonly secret: Buffer; readonly master: string | null }

/**
 * Wraps every key that is not yet under the first of the master keys anew, with `isAll` every key, page by page, beside
 * a system at work, and returns how many. One that changes meanwhile is left as it is. Throws where a key's master key
 * is not among them.
 */
export async function rewrap(
  keys: Queries,
  masters: MasterKeys,
  onPage: (done: number) => void,
  isAll = false,
): Promise<number> {
  const text = `select key, org, secret, master from subject_keys
    where secret is not null and ($3 or master is distinct from $1) and key > $2 order by key limit ${PAGE_ROWS}`
  const change = `update subject_keys k set secret = g.new, master = $4
    from unnest($1::uuid[], $2::bytea[], $3::bytea[]) g(key, old, new) where k.key = g.key and k.secret = g.old`
  const [current] = masters.names
  let done = 0
  for (let last = '00000000-0000-0000-0000-000000000000'; ; ) {
    const { rows } = await keys.query<Stored>(text, [current ?? null, last, isAll])
    if (rows.length === 0) return done
    const again = async (row: Stored) => (await masters.wrap(row, await masters.unwrap(row, row))).secret
    const wrapped = await Promise.all(rows.map(again))
    const values = [rows.map(({ key }) => key), rows.map(({ secret }) => secret), wrapped, current ?? null]
    done += (await keys.query(change, values)).rowCount ?? 0
    last = rows.at(-1)!.key
    onPage(rows.length)
  }
}

/** Where the log and the database of the keys disagree. */
export type Disagreement = Person & {
  /**
   * A key that is still there, one that was destroyed without an erasure, or one that was erased on purpose and the log
   * knows nothing of it: before it had erasures, or before it was restored to an older state.
   */
  readonly what: 'not destroyed' | 'not erased' | 'not noted'
}

type KeyState = {
  readonly subject: string
  readonly owners: readonly string[]
  readonly destroyed: boolean
  readonly noted: boolean
}

/** Compares all keys with the erasures in the log. */
export async function disagreements(keys: Queries, erased: Erased): Promise<readonly Disagreement[]> {
  const { rows: orgs } = await keys.query<{ org: string }>('select distinct org from subject_keys order by org')
  const found: Disagreement[] = []
  for (const { org } of orgs) {
    const subjects = await erased.of(org, 'now')
    const text = `select subject, owners, secret is null as destroyed, erased_at is not null as noted
      from subject_keys where org = $1 and (secret is null or subject = any($2::text[]) or owners && $2::text[])`
    const { rows } = await keys.query<KeyState>(text, [org, [...subjects]])
    for (const { subject, owners, destroyed, noted } of rows) {
      const isErased = [subject, ...owners].some(each => subjects.has(each))
      if (destroyed && !isErased) found.push({ org, subject, what: noted ? 'not noted' : 'not erased' })
      if (!destroyed && isErased) found.push({ org, subject, what: 'not destroyed' })
    }
  }
  return found
}
