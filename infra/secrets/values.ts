/**
 * Values of secrets in the database of the keys, by envelope encryption: AES-256-GCM under a key of its own for each
 * value, bound to its org, secret and name; that key is wrapped under a master key.
 */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import type { SecretValues, ValuePlace } from '../../commands/vault/secrets.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { httpError } from '../http/errors.ts'
import type { MasterKeys } from '../master-keys.ts'
import type { Pool } from '../postgres.ts'

type Queries = Pick<Pool, 'query'>

const ALGORITHM = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const PAGE_ROWS = 500

/** A value as it is stored. */
type Row = { readonly key: Buffer; readonly master: string; readonly nonce: Buffer; readonly text: Buffer }

/** What the key of a value is bound to in the hands of the master key. */
const keyPlace = ({ org, value }: Pick<ValuePlace, 'org' | 'value'>) => ({ of: 'secret value', org, key: value })
const bound = ({ org, secret, value }: ValuePlace) => Buffer.from(canonicalJson(['secret', org, secret, value]))

/** Stores and opens values. Without master keys every method throws `vault_sealed`: nothing is kept in the clear. */
export function secretValues(pool: Queries, masters: MasterKeys): SecretValues {
  const mustBeOpen = () => {
    if (masters.names.length === 0) throw httpError('vault_sealed')
  }
  return {
    mustBeOpen,
    async store(place, plain) {
      mustBeOpen()
      const claim = randomUUID()
      const row = await encrypt(masters, place, plain)
      const found = await insert(pool, { place, row, claim })
      if (!found.text.equals(row.text) && !isSame(await decrypt(masters, place, found), plain)) throw reused()
      return {
        // Never an insert: the secret may have been removed meanwhile.
        settle: async () => {
          await pool.query('update secret_values set claim = null where value = $1', [place.value])
        },
        withdraw: async () => {
          await pool.query('delete from secret_values where value = $1 and claim = $2', [place.value, claim])
        },
      }
    },
    async open(place) {
      mustBeOpen()
      const text = 'select key, master, nonce, text from secret_values where (org, secret, value) = ($1, $2, $3)'
      const { rows } = await pool.query<Row>(text, [place.org, place.secret, place.value])
      const [row] = rows
      if (!row) throw httpError('secret_missing')
      return decrypt(masters, place, row)
    },
    async destroy({ org, secret, value }) {
      const text = 'delete from secret_values where (org, secret) = ($1, $2) and value = coalesce($3::uuid, value)'
      await pool.query(text, [org, secret, value ?? null])
    },
  }
}

type Inserted = { readonly place: ValuePlace; readonly row: Row; readonly claim: string }

/**
 * Inserts a row, or answers the one that is there; what an event names has no claim. A row that two requests
 * have stored gets a claim that neither has: what one withdraws may be what the other has given to an event.
 */
async function insert(pool: Queries, { place, row, claim }: Inserted): Promise<Row> {
  const { org, secret, value } = place
  const text = `insert into secret_values (value, org, secret, key, master, nonce, text, claim)
    values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (value)
    do update set claim = case when secret_values.claim is null then null else gen_random_uuid() end
    returning key, master, nonce, text`
  const values = [value, org, secret, row.key, row.master, row.nonce, row.text, claim]
  return (await pool.query<Row>(text, values)).rows[0]!
}

async function encrypt(masters: MasterKeys, place: ValuePlace, plain: string): Promise<Row> {
  const key = randomBytes(KEY_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(bound(place))
  const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
  const { secret, master } = await masters.wrap(keyPlace(place), key)
  return { key: secret, master: master!, nonce, text }
}

async function decrypt(masters: MasterKeys, place: ValuePlace, row: Row): Promise<string> {
  const { key, master, nonce, text } = row
  const secret = await masters.unwrap(keyPlace(place), { secret: key, master })
  const decipher = createDecipheriv(ALGORITHM, secret, nonce).setAAD(bound(place))
  decipher.setAuthTag(text.subarray(-TAG_BYTES))
  return Buffer.concat([decipher.update(text.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8')
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const reused = () =>
  new KogiError('idempotency_key_reused', 'This Idempotency-Key was used for another value of the secret.')

/** How many values are wrapped under each master key. */
export async function countSecrets(pool: Queries): Promise<readonly { master: string; secrets: number }[]> {
  const text = 'select master, count(*)::int4 as secrets from secret_values group by 1 order by 2 desc'
  return (await pool.query<{ master: string; secrets: number }>(text)).rows
}

type Wrapped = { readonly org: string; readonly value: string; readonly key: Buffer; readonly master: string }

/** Wraps the keys of all values under the first master key, beside a system at work; answers how many it wrapped. */
export async function rewrapSecrets(pool: Queries, masters: MasterKeys, isAll = false): Promise<number> {
  const [current] = masters.names
  const text = `select org, value::text, key, master from secret_values where ($3 or master <> $1) and value > $2
    order by value limit ${PAGE_ROWS}`
  const change = 'update secret_values set key = $3, master = $4 where value = $1 and key = $2'
  let done = 0
  for (let last = '00000000-0000-0000-0000-000000000000'; ; ) {
    const { rows } = await pool.query<Wrapped>(text, [current, last, isAll])
    if (rows.length === 0) return done
    for (const { org, value, key, master } of rows) {
      const place = keyPlace({ org, value })
      const wrapped = await masters.wrap(place, await masters.unwrap(place, { secret: key, master }))
      done += (await pool.query(change, [value, key, wrapped.secret, wrapped.master])).rowCount ?? 0
    }
    last = rows.at(-1)!.value
  }
}
