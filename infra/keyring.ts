/** Keys of data subjects, in a database of their own: erasing a key erases the personal data sealed under it. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { Keyring } from '../commands/ports.ts'
import { KogiError } from '../domain/kernel/errors.ts'
import { canonicalJson } from '../domain/kernel/json.ts'
import type { Sealed } from '../domain/kernel/schema.ts'

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Keys held in memory, and for how long: after an erasure a key is gone everywhere within this time. */
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

  const find = async (org: string, subject: string): Promise<SubjectKey | undefined> => {
    const { rows } = await pool.query<SubjectKey>(
      'select key, secret from subject_keys where org = $1 and subject = $2',
      [org, subject],
    )
    return rows[0]
  }
  const keyOf = async (org: string, subject: string, makeKey: boolean): Promise<SubjectKey> => {
    const name = canonicalJson([org, subject])
    const cached = cache.get(name) ?? (await find(org, subject))
    if (cached) return remember(name, cached)
    const made = { key: randomUUID(), secret: randomBytes(32) }
    if (!makeKey) return made
    await pool.query(
      `insert into subject_keys (key, org, subject, secret) values ($1, $2, $3, $4)
       on conflict (org, subject) do nothing`,
      [made.key, org, subject, made.secret],
    )
    return remember(name, (await find(org, subject))!)
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
    async seal(org, subject, plain, { makeKey }) {
      const { key, secret } = await keyOf(org, subject, makeKey)
      if (secret !== null) return seal(org, key, secret, plain)
      const details = [{ field: 'subject', message: subject }]
      throw new KogiError('subject_erased', 'The personal data of this subject was erased; nothing is added.', details)
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
  const digest = createHmac('sha256', digestKeyOf(secret)).update(plain).digest('base64url')
  return { key, nonce: nonce.toString('base64url'), text: text.toString('base64url'), digest }
}

/** The key of the digests of a subject's texts, derived from the one that seals them (HKDF, RFC 5869). */
const digestKeyOf = (secret: Buffer) => Buffer.from(hkdfSync('sha256', secret, '', 'kogi digest of a sealed text', 32))

function unseal(org: string, { key, nonce, text }: Sealed, secret: Buffer | null): string | null {
  if (secret === null) return null
  const bytes = Buffer.from(text, 'base64url')
  const decipher = createDecipheriv(ALGORITHM, secret, Buffer.from(nonce, 'base64url')).setAAD(bound(org, key))
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
  return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8')
}
