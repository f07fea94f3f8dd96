/**
 * The keys of data subjects in a backup: every row as a line, the secrets among them; then the digests of API keys, and
 * the encrypted values of secrets, and what users sign in with. Sessions go on with a backup of the log, but their
 * refresh tokens are in none.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import { type Connection, type Pool, withTransaction } from '../postgres.ts'

const ROWS_AT_ONCE = 5_000
/** Values of secrets have up to some 90 KB each. */
const SECRETS_AT_ONCE = 100

const keySchema = z.strictObject({
  key: z.uuid(),
  org: z.string(),
  subject: z.string(),
  /** Backups of before things had keys of their own do not say. */
  owners: z.array(z.string()).default([]),
  /** Base64; null where the secret was destroyed, so that what it sealed stays unreadable. */
  secret: z.base64().nullable(),
  /** The master key that the secret is wrapped under; backups of before there were any do not say. */
  master: z.string().nullable().default(null),
  created_at: z.string(),
  erased_at: z.string().nullable(),
})
type KeyLine = z.infer<typeof keySchema>

/** The digest of an API key, which opens nothing: with it keys go on working after a restore. */
const apiKeySchema = z.strictObject({
  api_key: z.string(),
  org: z.string(),
  generation: z.int(),
  digest: z.base64(),
  made_at: z.string(),
})
type ApiKeyLine = z.infer<typeof apiKeySchema>

/** The value of a secret, encrypted, under a key that a master key has wrapped. */
const secretSchema = z.strictObject({
  secret_value: z.uuid(),
  org: z.string(),
  secret: z.string(),
  key: z.base64(),
  master: z.string(),
  nonce: z.base64(),
  text: z.base64(),
  made_at: z.string(),
})
type SecretLine = z.infer<typeof secretSchema>
/** Tables whose rows are written as PostgreSQL writes them as JSON. */
const AS_JSON = ['signing_keys', 'credentials', 'sign_in_names', 'recovery_codes', 'passkeys'] as const
const rowSchema = z.strictObject({ table: z.enum(AS_JSON), row: z.record(z.string(), z.unknown()) })
const lineSchema = z.union([keySchema, apiKeySchema, secretSchema, rowSchema])
const API_KEYS = `select key as api_key, org, generation, encode(digest, 'base64') as digest, made_at from api_keys
  order by org, key, generation`

const base64 = (column: string) => `translate(encode(${column}, 'base64'), E'\\n', '')`
const SECRETS = `select value::text as secret_value, org, secret, ${base64('key')} as key, master,
  ${base64('nonce')} as nonce, ${base64('text')} as text, made_at from secret_values order by value`
const COLUMNS = `key::text, org, subject, owners, ${base64('secret')} as secret, master, created_at, erased_at`

/**
 * Reads all keys as they are at one instant, and hands each over as a line, API keys as nothing but that. Returns the
 * migrations that made them.
 */
export function readKeys(
  pool: Pool,
  onKey: (key: Pick<KeyLine, 'key' | 'secret'> | undefined, line: string) => Promise<void> | undefined,
): Promise<readonly string[]> {
  const read = async (connection: Connection) => {
    const { rows: migrations } = await connection.query<{ name: string }>(
      'select name from knex_migrations order by id',
    )
    await connection.query(`declare keys no scroll cursor for select ${COLUMNS} from subject_keys order by key`)
    for (;;) {
      const { rows } = await connection.query<KeyLine>(`fetch ${ROWS_AT_ONCE} from keys`)
      for (const row of rows) await onKey(row, JSON.stringify(row))
      if (rows.length < ROWS_AT_ONCE) break
    }
    const { rows: apiKeys } = await connection.query<ApiKeyLine>(API_KEYS)
    for (const row of apiKeys) await onKey(undefined, JSON.stringify(row))
    await connection.query(`declare secrets no scroll cursor for ${SECRETS}`)
    for (;;) {
      const { rows } = await connection.query<SecretLine>(`fetch ${SECRETS_AT_ONCE} from secrets`)
      for (const row of rows) await onKey(undefined, JSON.stringify(row))
      if (rows.length < SECRETS_AT_ONCE) break
    }
    for (const table of AS_JSON) {
      const { rows } = await connection.query<{ row: object }>(`select to_jsonb(t) as row from ${table} t order by 1`)
      for (const { row } of rows) await onKey(undefined, JSON.stringify({ table, row }))
    }
    return migrations.map(({ name }) => name)
  }
  return withTransaction(pool, read, { isolation: 'repeatable read', readOnly: true })
}

/** Names of the master keys that the keys of a file are wrapped under. */
export async function keyMastersOf(file: string): Promise<ReadonlySet<string>> {
  const masters = new Set<string>()
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    const key = lineSchema.parse(JSON.parse(line))
    if ('api_key' in key || 'table' in key) continue
    const { secret, master } = key
    if (secret !== null && master !== null) masters.add(master)
  }
  return masters
}

/** How many keys a database holds; 0 where the table is not there yet. */
export async function countKeys(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ name: string | null }>(`select to_regclass('subject_keys')::text as name`)
  if (rows[0]!.name === null) return 0
  const counted = await pool.query<{ keys: number }>('select count(*)::int as keys from subject_keys')
  return counted.rows[0]!.keys
}

/**
 * Writes the keys of a file into an empty table, all of them or none, erased ones as erased. A table that holds exactly
 * these keys already is left as it is; any other is refused. Returns how many keys were written.
 */
export function writeKeys(pool: Pool, file: string): Promise<number> {
  return withTransaction(pool, async connection => {
    await connection.query('lock table subject_keys in share row exclusive mode')
    const { rows } = await connection.query<{ keys: number }>('select count(*)::int as keys from subject_keys')
    const there = rows[0]!.keys
    let count = 0
    let same = 0
    let list: KeyLine[] = []
    const flush = async () => {
      if (there > 0) same += await countSame(connection, list)
      else await insert(connection, list)
      list = []
    }
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      const key = lineSchema.parse(JSON.parse(line))
      if ('api_key' in key || 'secret_value' in key) {
        await ('api_key' in key ? insertApiKey(connection, key) : insertSecret(connection, key))
        continue
      }
      if ('table' in key) {
        await insertRow(connection, key)
        continue
      }
      list.push(key)
      count++
      if (list.length === ROWS_AT_ONCE) await flush()
    }
    await flush()
    if (there === 0) return count
    if (there === count && same === count) return 0
    throw new KogiError('not_empty', `The database of the keys holds ${there} keys that are not those of the backup.`)
  })
}

/** One that is there already is the same: digests never change. */
async function insertApiKey(connection: Connection, key: ApiKeyLine): Promise<void> {
  const { api_key: id, org, generation, digest, made_at: madeAt } = key
  await connection.query(
    `insert into api_keys (org, key, generation, digest, made_at) values ($1, $2, $3, decode($4, 'base64'), $5)
     on conflict do nothing`,
    [org, id, generation, digest, madeAt],
  )
}

/** One that is there already is the same: the value of a name never changes. */
async function insertSecret(connection: Connection, line: SecretLine): Promise<void> {
  const { secret_value: value, org, secret, key, master, nonce, text, made_at: madeAt } = line
  await connection.query(
    `insert into secret_values (value, org, secret, key, master, nonce, text, made_at)
     values ($1, $2, $3, decode($4, 'base64'), $5, decode($6, 'base64'), decode($7, 'base64'), $8)
     on conflict do nothing`,
    [value, org, secret, key, master, nonce, text, madeAt],
  )
}

/** One that is there already stays: a restore that is done again changes nothing. */
async function insertRow(connection: Connection, { table, row }: z.infer<typeof rowSchema>): Promise<void> {
  const text = `insert into ${table} select * from jsonb_populate_record(null::${table}, $1) on conflict do nothing`
  await connection.query(text, [row])
}

const AS_ROWS = `unnest(
  $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::text[])
  as given (key, org, subject, secret, master, created_at, erased_at, owners)`
const OWNERS = 'array(select jsonb_array_elements_text(given.owners::jsonb))'

async function insert(connection: Connection, keys: readonly KeyLine[]): Promise<void> {
  await connection.query(
    `insert into subject_keys (key, org, subject, owners, secret, master, created_at, erased_at)
     select key, org, subject, ${OWNERS}, decode(secret, 'base64'), master, created_at, erased_at from ${AS_ROWS}`,
    columnsOf(keys),
  )
}

async function countSame(connection: Connection, keys: readonly KeyLine[]): Promise<number> {
  const { rows } = await connection.query<{ same: number }>(
    `select count(*)::int as same from ${AS_ROWS} join subject_keys k using (key)
     where (k.org, k.subject, k.owners) = (given.org, given.subject, ${OWNERS})
       and k.secret is not distinct from decode(given.secret, 'base64')
       and k.master is not distinct from given.master`,
    columnsOf(keys),
  )
  return rows[0]!.same
}

const columnsOf = (keys: readonly KeyLine[]) => [
  keys.map(({ key }) => key),
  keys.map(({ org }) => org),
  keys.map(({ subject }) => subject),
  keys.map(({ secret }) => secret),
  keys.map(({ master }) => master),
  keys.map(({ created_at }) => created_at),
  keys.map(({ erased_at }) => erased_at),
  keys.map(({ owners }) => JSON.stringify(owners)),
]
