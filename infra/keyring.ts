/** Keys of data subjects, in a database of their own: erasing a key erases the personal data sealed under it. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { Keyring } from '../commands/ports.ts'
import { KogiError } from '../domain/kernel/errors.ts'
import { canonicalJson } from '../domain/kernel/json.ts'
import type { Sealed } from '../domain/kernel/schema.ts'
import type { KeyWatch } from './key-watch.ts'
import type { Metrics } from './metrics.ts'

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Keys held in memory, and for how long: after an erasure a key is gone everywhere within this time. */
const CACHED_KEYS_MAX = 10_000
const CACHED_FOR_MS = 5_000
/** Keys of dry runs, which are kept nowhere: opening under one finds it erased, and raises no alarm. */
const TRIALS_MAX = 1_000
/** Room is made as keys come, not for all of them at once. */
const CACHE = { maxSize: CACHED_KEYS_MAX, sizeCalculation: () => 1, ttl: CACHED_FOR_MS } as const

/** Who hears of the keys that are used. */
type Told = { readonly watch?: KeyWatch; readonly metrics?: Pick<Metrics, 'keyCacheHits' | 'keyCacheMisses'> }

type SubjectKey = { readonly key: string; readonly secret: Buffer | null }

/**
 * Seals and opens under the keys in `pool`'s table `subject_keys`. A key without a secret was erased; a key without a
 * row is missing, which `watch` is told.
 */
export function keyring(pool: Pool, { watch, metrics }: Told = {}): Keyring {
  const trials = new LRUCache<string, true>({ max: TRIALS_MAX })
  const query = queriesOf(pool, metrics)
  const cache = new LRUCache<string, SubjectKey>(CACHE)
  const remember = (name: string, value: SubjectKey) => {
    cache.set(name, value)
    return value
  }

  const find = async (org: string, subject: string): Promise<SubjectKey | undefined> => {
    const rows = await query('select key, secret from subject_keys where org = $1 and subject = $2', [org, subject])
    return rows[0]
  }
  const keyOf = async (org: string, subject: string, makeKey: boolean): Promise<SubjectKey> => {
    const name = canonicalJson([org, subject])
    const cached = cache.get(name)
    if (cached) {
      // Not remembered anew: its time would never be over while it is in use.
      metrics?.keyCacheHits.inc()
      return cached
    }
    const found = await find(org, subject)
    if (found) return remember(name, found)
    const made = { key: randomUUID(), secret: randomBytes(32) }
    if (!makeKey) {
      trials.set(made.key, true)
      return made
    }
    await query(
      `insert into subject_keys (key, org, subject, secret) values ($1, $2, $3, $4)
       on conflict (org, subject) do nothing`,
      [made.key, org, subject, made.secret],
    )
    return remember(name, (await find(org, subject))!)
  }
  /** The secrets of keys: `null` for one that was erased, none for one that is missing. */
  const secretsOf = async (org: string, keys: readonly string[]): Promise<ReadonlyMap<string, Buffer | null>> => {
    const found = new Map<string, Buffer | null>()
    const asked: string[] = []
    for (const key of keys) {
      const cached = trials.has(key) ? { key, secret: null } : cache.get(canonicalJson([org, 'key', key]))
      if (cached) found.set(key, cached.secret)
      else asked.push(key)
    }
    if (asked.length === 0) {
      metrics?.keyCacheHits.inc()
      return found
    }
    const rows = await query('select key, secret from subject_keys where org = $1 and key = any($2::uuid[])', [
      org,
      asked,
    ])
    for (const row of rows) found.set(row.key, remember(canonicalJson([org, 'key', row.key]), row).secret)
    for (const key of asked) if (!found.has(key)) watch?.missing(org, key)
    return found
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
      return envelopes.map(envelope => unseal(org, envelope, secrets.get(envelope.key)))
    },
  }
}

function queriesOf(pool: Pool, metrics: Told['metrics']) {
  return async (text: string, values: unknown[]): Promise<readonly SubjectKey[]> => {
    metrics?.keyCacheMisses.inc()
    try {
      return (await pool.query<SubjectKey>(text, values)).rows
    } catch (error) {
      throw asKeysAway(error)
    }
  }
}

/** SQLSTATEs of a database that is none of keys, or that we may not read: to a client it is as good as away. */
const NO_KEYS = new Set(['42P01', '42703', '42501'])

function asKeysAway(error: unknown): unknown {
  if (!NO_KEYS.has(String((error as { code?: unknown }).code))) return error
  return new KogiError('engine_unavailable', 'The database of the keys does not answer as it should.', [], {
    cause: error,
  })
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

function unseal(org: string, { key, nonce, text }: Sealed, secret: Buffer | null | undefined) {
  if (!secret) return secret
  const bytes = Buffer.from(text, 'base64url')
  const decipher = createDecipheriv(ALGORITHM, secret, Buffer.from(nonce, 'base64url')).setAAD(bound(org, key))
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
  return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8')
}
