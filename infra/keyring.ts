/** Keys of data subjects, in a database of their own: erasing a key erases the personal data sealed under it. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { Keyring } from '../commands/ports.ts'
import { KogiError } from '../domain/kernel/errors.ts'
import { canonicalJson } from '../domain/kernel/json.ts'
import type { Sealed } from '../domain/kernel/schema.ts'
import type { Erased } from './erasures/erased.ts'
import type { KeyWatch } from './key-watch.ts'
import { type MasterKeys, noMasterKeys } from './master-keys.ts'
import type { Metrics } from './metrics.ts'

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
/**
 * Keys held in memory, and for how long: after an erasure a key is gone everywhere within this time and that for which
 * a look at the log is good, five seconds together.
 */
const CACHED_KEYS_MAX = 10_000
const CACHED_FOR_MS = 2_500
/** Keys of dry runs, which are kept nowhere: opening under one finds it erased, and raises no alarm. */
const TRIALS_MAX = 1_000
/** Room is made as keys come, not for all of them at once. */
const CACHE = { maxSize: CACHED_KEYS_MAX, sizeCalculation: () => 1, ttl: CACHED_FOR_MS } as const

/** Who hears of the keys that are used. */
type Told = { readonly watch?: KeyWatch; readonly metrics?: Pick<Metrics, 'keyCacheHits' | 'keyCacheMisses'> }

type SubjectKey = {
  readonly key: string
  readonly subject: string
  /** Persons with whose data it is destroyed as well, where it is the key of one thing. */
  readonly owners: readonly string[]
  readonly secret: Buffer | null
  /** Whether the secret was destroyed on purpose, as an erasure. */
  readonly isErased?: boolean
}
type Row = SubjectKey & { readonly master: string | null }

type Sealing = Parameters<Keyring['seal']>[3]

/** What a keyring knows of beside its table. */
type Around = Told & {
  /** Whose data the log says was erased, whatever the table says. */
  readonly erased?: Erased
  readonly masters?: MasterKeys
}

const COLUMNS = 'key, subject, owners, secret, master, erased_at is not null as "isErased"'

/**
 * Seals and opens under the keys in `pool`'s table `subject_keys`. Whom the log calls erased is erased, and
 * so is one whose key was destroyed at a time that its row has (`erased_at`), as it was done before the log had
 * erasures. `watch` is told of keys that have no row, and of those that were destroyed in any other way.
 */
export function keyring(pool: Pool, around: Around = {}): Keyring {
  const { watch, metrics, erased } = around
  const trials = new LRUCache<string, true>({ max: TRIALS_MAX })
  const lost = new LRUCache<string, true>({ max: TRIALS_MAX, ttl: CACHED_FOR_MS })
  const { cached, bySubject, byKeys, make, add, own, isErased } = storedKeys(queriesOf(pool, metrics), around)

  const keyOf = async (org: string, subject: string, { makeKey, owners = [] }: Sealing): Promise<SubjectKey> => {
    const known = cached(org, 'subject', subject)
    if (known && hasAll(known, owners)) {
      // Not remembered anew: its time would never be over while it is in use.
      metrics?.keyCacheHits.inc()
      return isErased(org, known) ? { ...known, secret: null } : known
    }
    const fresh = { key: randomUUID(), subject, owners, secret: randomBytes(32) }
    if (isOneOf(await erased?.of(org), fresh)) return { ...fresh, secret: null }
    const found = (await bySubject(org, subject)) ?? (makeKey ? await make(org, fresh) : undefined)
    // Another command may have made it for others. They stay: that command may be the one that the log took.
    if (found) return hasAll(found, owners) || !makeKey ? found : add(org, subject, owners)
    trials.set(fresh.key, true)
    return fresh
  }
  /** The secrets of keys: `null` for one that was erased, none for one that is missing. */
  const secretsOf = async (org: string, keys: readonly string[]): Promise<ReadonlyMap<string, Buffer | null>> => {
    const found = new Map<string, SubjectKey>()
    const asked: string[] = []
    for (const key of keys) {
      const known = trials.has(key) ? { key, subject: '', owners: [], secret: null } : cached(org, 'key', key)
      if (known) found.set(key, known)
      else asked.push(key)
    }
    if (asked.length === 0) metrics?.keyCacheHits.inc()
    else for (const known of await byKeys(org, asked)) found.set(known.key, known)
    const secrets = new Map<string, Buffer | null>()
    for (const key of keys) {
      const known = found.get(key)
      if (!known || (known.secret === null && (await isLost(org, known)))) watch?.missing(org, key)
      else {
        secrets.set(key, isErased(org, known) ? null : known.secret)
        watch?.found(key)
      }
    }
    return secrets
  }
  /** Whether a key was destroyed without an erasure: what it sealed was lost. The log is asked every few seconds. */
  const isLost = async (org: string, known: SubjectKey): Promise<boolean> => {
    if (!erased || known.isErased || trials.has(known.key) || isErased(org, known)) return false
    if (lost.has(known.key)) return true
    if (isOneOf(await erased.of(org, 'now'), known)) return false
    lost.set(known.key, true)
    return true
  }

  return {
    async seal(org, subject, plain, options) {
      const { key, secret } = await keyOf(org, subject, options)
      if (secret !== null) return seal(org, key, secret, plain)
      throw subjectErased(subject)
    },
    own,
    async mustNotBeErased(org, subject) {
      if ((await erased?.of(org, 'now'))?.has(subject)) throw subjectErased(subject)
    },
    async open(org, envelopes) {
      const secrets = await secretsOf(org, [...new Set(envelopes.map(({ key }) => key))])
      return envelopes.map(envelope => unseal(org, envelope, secrets.get(envelope.key)))
    },
  }
}

const subjectErased = (subject: string) =>
  new KogiError('subject_erased', 'The personal data of this subject was erased; nothing is added.', [
    { field: 'subject', message: subject },
  ])

/** Whether a key, or an owner of it, is among those whose data was erased. */
const isOneOf = (
  erased: ReadonlySet<string> | undefined,
  { subject, owners }: Pick<SubjectKey, 'subject' | 'owners'>,
) => erased !== undefined && (erased.has(subject) || owners.some(owner => erased.has(owner)))

/** Whether a key names all of some owners of a thing; that of a person is asked for without any. */
const hasAll = ({ owners: known }: SubjectKey, owners: readonly string[]): boolean =>
  owners.every(each => known.includes(each))

type Query = ReturnType<typeof queriesOf>

/** The keys in the table, kept for a while with their secrets unwrapped. */
function storedKeys(query: Query, { erased, masters = noMasterKeys }: Around) {
  const cache = new LRUCache<string, SubjectKey>(CACHE)
  const nameOf = (org: string, by: 'subject' | 'key', name: string) =>
    canonicalJson(by === 'key' ? [org, 'key', name] : [org, name])

  /** Reads the log first: it may know better than the table. */
  const remember = async (org: string, by: 'subject' | 'key', row: Row): Promise<SubjectKey> => {
    const { key, subject, owners, secret, master, isErased = false } = row
    const gone = secret === null || isOneOf(await erased?.of(org), row)
    const opened = gone ? null : await masters.unwrap({ org, key }, { secret, master })
    const known = { key, subject, owners, secret: opened, isErased }
    cache.set(nameOf(org, by, row[by]), known)
    return known
  }
  const bySubject = async (org: string, subject: string): Promise<SubjectKey | undefined> => {
    const [row] = await query(`select ${COLUMNS} from subject_keys where org = $1 and subject = $2`, [org, subject])
    return row && remember(org, 'subject', row)
  }
  return {
    bySubject,
    cached: (org: string, by: 'subject' | 'key', name: string) => cache.get(nameOf(org, by, name)),
    isErased: (org: string, known: SubjectKey) => isOneOf(erased?.known(org), known),
    async byKeys(org: string, keys: readonly string[]): Promise<readonly SubjectKey[]> {
      const text = `select ${COLUMNS} from subject_keys where org = $1 and key = any($2::uuid[])`
      const rows = await query(text, [org, keys])
      return Promise.all(rows.map(row => remember(org, 'key', row)))
    },
    /** Stores a key, unless another process was faster: then that one's counts. */
    async make(org: string, fresh: SubjectKey & { readonly secret: Buffer }): Promise<SubjectKey> {
      const { key, subject, owners, secret } = fresh
      const wrapped = await masters.wrap({ org, key }, secret)
      await query(
        `insert into subject_keys (key, org, subject, owners, secret, master) values ($1, $2, $3, $4, $5, $6)
         on conflict (org, subject) do nothing`,
        [key, org, subject, owners, wrapped.secret, wrapped.master],
      )
      return (await bySubject(org, subject))!
    },
    /** Says of more persons that the key of a thing seals their data. */
    async add(org: string, subject: string, owners: readonly string[]): Promise<SubjectKey> {
      const more = 'array(select o from unnest($3::text[]) o where o <> all(owners))'
      const text = `update subject_keys set owners = owners || ${more} where org = $1 and subject = $2`
      await query(text, [org, subject, owners])
      return (await bySubject(org, subject))!
    },
    /** Says anew whose data the key of a thing seals. */
    async own(org: string, subject: string, owners: readonly string[]): Promise<void> {
      const found = cache.get(nameOf(org, 'subject', subject)) ?? (await bySubject(org, subject))
      if (!found || (hasAll(found, owners) && found.owners.length === owners.length)) return
      await query('update subject_keys set owners = $3 where org = $1 and subject = $2', [org, subject, owners])
      await bySubject(org, subject)
    },
  }
}

function queriesOf(pool: Pool, metrics: Told['metrics']) {
  return async (text: string, values: unknown[]): Promise<readonly Row[]> => {
    metrics?.keyCacheMisses.inc()
    try {
      return (await pool.query<Row>(text, values)).rows
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
