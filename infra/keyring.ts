/** Keys of data subjects, in a database of their own: erasing a key erases the personal data sealed under it. */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { Keyring } from '../commands/ports.ts'
import { canonicalJson } from '../domain/kernel/json.ts'
import type { Sealed } from '../domain/kernel/schema.ts'

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Keys held in memory, and for how long: after an erasure every process has forgotten the key within this time. */
const CACHED_KEYS_MAX = 10_000
const CACHED_FOR_MS = 5_000

type SubjectKey = { readonly key: string; readonly secret: Buffer | null }

/** Seals and opens under the keys in `pool`'s table `subject_keys`. */
export function keyring(pool: Pool): Keyring {
  const cache = new LRUCache<string, SubjectKey>({ max: CACHED_KEYS_MAX, ttl: CACHED_FOR_MS })
  const remember = (name: string, value: SubjectKey) => {
    cache.set(name, value)
    return value
  }

  const keyOf = async (org: string, subject: string): Promise<SubjectKey> => {
    const name = canonicalJson([org, subject])
    const known = cache.get(name)
    if (known) return known
    await pool.query(
      `insert into subject_keys (key, org, subject, secret) values ($1, $2, $3, $4)
       on conflict (org, subject) do nothing`,
      [randomUUID(), org, subject, randomBytes(32)],
    )
    const { rows } = await pool.query<SubjectKey>(
      'select key, secret from subject_keys where org = $1 and subject = $2',
      [org, subject],
    )
    return remember(name, rows[0]!)
  }
  const secretsOf = async (org: string, keys: readonly string[]): Promise<ReadonlyMap<string, Buffer | null>> => {
    const found = new Map(keys.map(key => [key, cache.get(canonicalJson([org, 'key', key]))?.secret]))
    const missing = [...found].filter(([, secret]) => secret === undefined).map(([key]) => key)
    if (missing.length > 0) {
      const { rows } = await pool.query<SubjectKey>(
        'select key, secret from subject_keys where org = $1 and key = any($2::uuid[])',
        [org, missing],
      )
      for (const row of rows) found.set(row.key, remember(canonicalJson([org, 'key', row.key]), row).secret)
    }
    return new Map([...found].map(([key, secret]) => [key, secret ?? null]))
  }

  return {
    async seal(org, subject, plain) {
      const { key, secret } = await keyOf(org, subject)
      // A subject that was erased gets no new key: what is sealed for it is unreadable from the start.
      return seal(org, key, secret ?? randomBytes(32), plain)
    },
    async open(org, envelopes) {
      const secrets = await secretsOf(org, [...new Set(envelopes.map(({ key }) => key))])
      return envelopes.map(envelope => unseal(org, envelope, secrets.get(envelope.key) ?? null))
    },
  }
}

/** Binds a text to its org and key, so that an envelope copied elsewhere does not open. */
const bound = (org: string, key: string) => Buffer.from(canonicalJson([org, key]))

function seal(org: string, key: string, secret: Buffer, plain: string): Sealed {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, secret, nonce).setAAD(bound(org, key))
  const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return { key, nonce: nonce.toString('base64url'), text: text.toString('base64url') }
}

function unseal(org: string, { key, nonce, text }: Sealed, secret: Buffer | null): string | null {
  if (secret === null) return null
  const bytes = Buffer.from(text, 'base64url')
  const decipher = createDecipheriv(ALGORITHM, secret, Buffer.from(nonce, 'base64url')).setAAD(bound(org, key))
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
  return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8')
}
