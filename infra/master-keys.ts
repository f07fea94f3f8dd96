/** Master keys: keys of persons are stored encrypted under one of them, so that their database alone opens nothing. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { KogiError } from '../domain/kernel/errors.ts'
import { canonicalJson } from '../domain/kernel/json.ts'
import { type Config, ConfigError } from './config.ts'

const ALGORITHM = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** What stands before a key that is given in the setting itself. */
const IN_PLACE = 'base64:'

/** Whose key it is: a wrapped one that is copied to another row does not open. */
type Place = { readonly org: string; readonly key: string }

/** A key of a person as it is stored: under the master key of that name, or, where that is null, in the clear. */
type Wrapped = { readonly secret: Buffer; readonly master: string | null }

export type MasterKeys = {
  /** The names of all, the one that wraps first. */
  readonly names: readonly string[]
  readonly wrap: (place: Place, secret: Buffer) => Wrapped
  /** Throws `engine_unavailable` where the master key is not here. */
  readonly unwrap: (place: Place, wrapped: Wrapped) => Buffer
}

/** None: keys are stored in the clear. */
export const noMasterKeys: MasterKeys = masterKeys([])

/**
 * The master keys that the settings name. Throws a `ConfigError` for what is none, which names the entry by its number:
 * a key whose prefix was forgotten looks like the name of a file, and must not be shown.
 */
export const masterKeysOf = ({ masterKeys: entries }: Pick<Config, 'masterKeys'>): MasterKeys =>
  masterKeys(entries.map((entry, n) => keyIn(entry, n + 1)))

/** Wraps under the first of some keys, and unwraps under all of them. */
export function masterKeys(keys: readonly Buffer[]): MasterKeys {
  const byName = new Map(keys.map(key => [nameOf(key), key] as const))
  const names = [...byName.keys()]
  const [current] = names
  return {
    names,
    wrap(place, secret) {
      if (current === undefined) return { secret, master: null }
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(ALGORITHM, byName.get(current)!, nonce).setAAD(bound(place))
      return {
        secret: Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]),
        master: current,
      }
    },
    unwrap(place, { secret, master }) {
      if (master === null) return secret
      const key = byName.get(master)
      if (!key) {
        const message = `The master key ${master}, which keys of personal data are wrapped under, is not set.`
        throw new KogiError('engine_unavailable', message)
      }
      const decipher = createDecipheriv(ALGORITHM, key, secret.subarray(0, NONCE_BYTES)).setAAD(bound(place))
      decipher.setAuthTag(secret.subarray(-TAG_BYTES))
      return Buffer.concat([decipher.update(secret.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
    },
  }
}

const bound = ({ org, key }: Place) => Buffer.from(canonicalJson(['subject key', org, key]))

/** Tells master keys apart and says nothing about them. */
const nameOf = (key: Buffer) => createHash('sha256').update('kogi master key ').update(key).digest('hex').slice(0, 16)

function keyIn(entry: string, number: number): Buffer {
  const inPlace = entry.startsWith(IN_PLACE)
  const text = inPlace ? entry.slice(IN_PLACE.length) : textOf(entry, number)
  const key = Buffer.from(text, 'base64')
  if (key.length === KEY_BYTES && key.toString('base64') === text) return key
  throw new ConfigError(
    `KOGI_MASTER_KEYS: entry ${number} holds no ${KEY_BYTES} bytes in base64 (openssl rand -base64 32)`,
  )
}

function textOf(file: string, number: number): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const advice = `a key that is given in the setting itself stands after ${IN_PLACE}`
    throw new ConfigError(`KOGI_MASTER_KEYS: entry ${number} names no file that can be read (${code}); ${advice}`)
  }
}
