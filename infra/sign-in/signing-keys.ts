/**
 * The keys that Kogi signs its own tokens with. A key is published a day before it signs, signs for some days, and
 * stays published for a day after, so that a token that is valid always finds its key (RFC 7517).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importJWK,
  importPKCS8,
  type JWK,
} from 'jose'
import type { Keyring } from '../../commands/ports.ts'
import type { Sealed } from '../../domain/kernel/schema.ts'
import type { Pool } from '../postgres.ts'

type Algorithm = 'RS256' | 'EdDSA'

/** The org under which private keys are sealed: no org can have this name. */
const OWN_ORG = '*tokens'
const DAY_MS = 86_400_000
/** How long a key is published before it signs, and after. */
const AHEAD_MS = DAY_MS
const BEHIND_MS = DAY_MS
/** For how long what is known of the keys counts; for an unknown key they are read again after less. */
const KNOWN_MS = 10_000
const COOLDOWN_MS = 250
const RSA_BITS = 2_048

type Row = {
  readonly kid: string
  readonly alg: Algorithm
  readonly number: number
  readonly public_key: JWK
  readonly sealed: Sealed
  readonly signs_from: string
  readonly signs_until: string
}
type SigningKey = { readonly kid: string; readonly alg: Algorithm; readonly key: CryptoKey }
/** A key as operators see it. */
type KeyInfo = Omit<Row, 'public_key' | 'sealed'> & { readonly published_until: string; readonly signs: boolean }

export type SigningKeys = {
  /** The key that signs now; the first is made when it is first asked for. */
  readonly signing: () => Promise<SigningKey>
  /** The public keys (JWKS). */
  readonly published: () => Promise<readonly JWK[]>
  /** A published key by its name, `undefined` where there is none. */
  readonly find: (kid: string) => Promise<{ readonly alg: Algorithm; readonly key: CryptoKey } | undefined>
  /** Makes a key that signs from now on; the one before stays published for a day, or, withdrawn, not at all. */
  readonly rotate: (how?: 'withdraw') => Promise<string>
  readonly list: () => Promise<readonly KeyInfo[]>
}

type Options = {
  readonly pool: Pool
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  readonly algorithm: Algorithm
  /** Days for which a key signs. */
  readonly days: number
  readonly now?: () => number
}

const COLUMNS = 'kid, alg, number, public_key, sealed, signs_from, signs_until'

/** The rows of keys that are published, as they were read last. */
function publishedRows(pool: Pool, now: () => number) {
  let rows: readonly Row[] = []
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined
  let looking: Promise<void> | undefined
  function read(): Promise<void> {
    const started = now()
    const text = `select ${COLUMNS} from signing_keys where published_until > $1 order by alg, number`
    reading ??= pool
      .query<Row>(text, [iso(started)])
      .then(found => {
        rows = found.rows
        readAt = started
      })
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  return {
    rows: () => rows,
    /** Reads them as they are now or later: a look that began earlier does not count. */
    async fresh(): Promise<void> {
      await reading?.catch(() => {})
      await read()
    },
    /** Reads them again where that was longer ago. */
    async known(): Promise<void> {
      if (now() - readAt > KNOWN_MS) await read()
    },
    /** Reads them again for a key that is not among them: all who ask meanwhile wait for the same look. */
    again(): Promise<void> {
      looking ??= sleep(now() - readAt > COOLDOWN_MS ? 0 : COOLDOWN_MS)
        .then(read)
        .finally(() => {
          looking = undefined
        })
      return looking
    },
  }
}

export function signingKeys({ pool, keyring, algorithm, days, now = Date.now }: Options): SigningKeys {
  const published = publishedRows(pool, now)
  const { fresh, known } = published
  const privateKeys = new Map<string, Promise<CryptoKey>>()
  const publicKeys = new Map<string, Promise<CryptoKey>>()

  const own = () => published.rows().filter(({ alg }) => alg === algorithm)
  const signsAt = (at: number) =>
    own().findLast(row => Date.parse(row.signs_from) <= at && at < Date.parse(row.signs_until)) ??
    // One that another process has made this moment, or with a clock that is ahead.
    own().find(row => at < Date.parse(row.signs_until))

  /** Stores a new key, unless another process has stored one of that number. */
  async function make(number: number, from: number): Promise<string> {
    const options = { extractable: true, modulusLength: RSA_BITS, crv: 'Ed25519' } as const
    const { publicKey, privateKey } = await generateKeyPair(algorithm, options)
    const { alg: _, ...jwk } = await exportJWK(publicKey)
    const kid = await calculateJwkThumbprint(jwk)
    const sealed = await keyring.seal(OWN_ORG, kid, await exportPKCS8(privateKey), { makeKey: true })
    const until = from + days * DAY_MS
    await pool.query(
      `insert into signing_keys (kid, alg, number, public_key, sealed, signs_from, signs_until, published_until)
       values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
      [kid, algorithm, number, jwk, sealed, iso(from), iso(until), iso(until + BEHIND_MS)],
    )
    await fresh()
    return kid
  }

  async function current(): Promise<Row> {
    await known()
    const at = now()
    if (!signsAt(at)) {
      // Stored by another process before this number is known, it is among the rows; later, both have one number.
      const last = await lastNumber(pool, algorithm)
      await fresh()
      if (!signsAt(at)) await make(last + 1, at)
    }
    const found = signsAt(at) ?? own().at(-1)!
    const ends = Date.parse(found.signs_until)
    const isLast = own().at(-1) === found
    if (isLast && ends - at < AHEAD_MS) await make(found.number + 1, ends)
    return found
  }
  return {
    async signing() {
      const row = await current()
      return { kid: row.kid, alg: row.alg, key: await kept(privateKeys, row.kid, () => opened(keyring, row)) }
    },
    async published() {
      await current()
      return published.rows().map(({ kid, alg, public_key: jwk }) => ({ ...jwk, kid, alg, use: 'sig' }))
    },
    async find(kid) {
      await known()
      const found = () => published.rows().find(each => each.kid === kid)
      if (!found()) await published.again()
      const row = found()
      if (!row) return undefined
      const key = await kept(publicKeys, kid, async () => (await importJWK(row.public_key, row.alg)) as CryptoKey)
      return { alg: row.alg, key }
    },
    async rotate(how) {
      await fresh()
      await retire(pool, algorithm, now(), how === 'withdraw')
      return make((await lastNumber(pool, algorithm)) + 1, now())
    },
    list: () => listed(pool, now()),
  }
}

async function lastNumber(pool: Pool, algorithm: Algorithm): Promise<number> {
  const text = 'select coalesce(max(number), 0) as last from signing_keys where alg = $1'
  return (await pool.query<{ last: number }>(text, [algorithm])).rows[0]!.last
}

/** Ends the signing of all keys of an algorithm, and what is published of them at once or in a day. */
async function retire(pool: Pool, algorithm: Algorithm, at: number, isWithdrawn: boolean): Promise<void> {
  const text = `update signing_keys set signs_until = least(signs_until, $2),
    published_until = least(published_until, $3) where alg = $1 and published_until > $2`
  await pool.query(text, [algorithm, iso(at), iso(isWithdrawn ? at : at + BEHIND_MS)])
}

async function listed(pool: Pool, at: number): Promise<readonly KeyInfo[]> {
  const text = `select kid, alg, number, signs_from, signs_until, published_until,
    signs_from <= $1 and signs_until > $1 as signs from signing_keys where published_until > $1 order by alg, number`
  return (await pool.query<KeyInfo>(text, [iso(at)])).rows
}

const iso = (ms: number) => new Date(ms).toISOString()

async function opened(keyring: Pick<Keyring, 'open'>, { alg, sealed }: Row): Promise<CryptoKey> {
  const [pem] = await keyring.open(OWN_ORG, [sealed])
  if (!pem) throw new Error('a signing key cannot be opened')
  return importPKCS8(pem, alg)
}

/** What was made for a name, made once. */
function kept<T>(all: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const before = all.get(name)
  if (before) return before
  const made = make()
  all.set(name, made)
  made.catch(() => all.delete(name))
  return made
}
