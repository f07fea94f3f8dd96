/** Master keys: keys of persons are stored encrypted under one of them, so that their database alone opens nothing. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { KogiError } from '../domain/kernel/errors.ts'
import { canonicalJson } from '../domain/kernel/json.ts'
import { type Config, ConfigError } from './config.ts'
import { localKey, type MasterKey } from './master-key.ts'
import { transitKey } from './vault.ts'

const KEY_BYTES = 32
/** What stands before a key that is given in the setting itself. */
const IN_PLACE = 'base64:'
/** What stands before the address of a key in Vault. */
const IN_VAULT = 'vault:'

/** Whose key it is: a wrapped one that is copied to another row does not open. `of`: what is no key of a person. */
type Place = { readonly org: string; readonly key: string; readonly of?: string }

/** A key of a person as it is stored: under the master key of that name, or, where that is null, in the clear. */
type Wrapped = { readonly secret: Buffer; readonly master: string | null }

export type MasterKeys = {
  /** The names of all, the one that wraps first. */
  readonly names: readonly string[]
  readonly wrap: (place: Place, secret: Buffer) => Promise<Wrapped>
  /** Throws `engine_unavailable` where the master key is not here, or its server does not answer. */
  readonly unwrap: (place: Place, wrapped: Wrapped) => Promise<Buffer>
  /** Wraps and unwraps something with each: throws what the first says that does not. */
  readonly check: () => Promise<void>
}

/** None: keys are stored in the clear. */
export const noMasterKeys: MasterKeys = masterKeys([])

type Settings = Pick<Config, 'masterKeys'> & Partial<Pick<Config, 'vaultTokenFile'>>

/**
 * The master keys that the settings name. Throws a `ConfigError` for what is none, which names the entry by its number:
 * a key whose prefix was forgotten looks like the name of a file, and must not be shown.
 */
export function masterKeysOf({ masterKeys: entries, vaultTokenFile }: Settings): MasterKeys {
  const keys = entries.map((entry, n) =>
    entry.startsWith(IN_VAULT)
      ? transitKey(entry.slice(IN_VAULT.length), n + 1, vaultTokenFile)
      : localKey(keyIn(entry, n + 1)),
  )
  mustHaveOwnNames(entries, keys)
  return masterKeys(keys)
}

/** Refuses two keys of one name, because what one has wrapped the other would be asked to open. */
function mustHaveOwnNames(entries: readonly string[], keys: readonly MasterKey[]): void {
  for (const [n, { name }] of keys.entries()) {
    const first = keys.findIndex(key => key.name === name)
    // A local key is named after its bytes: one of the same name is the same key, wherever it is from.
    if (entries[first] === entries[n] || !name.startsWith(IN_VAULT)) continue
    throw new ConfigError(
      `KOGI_MASTER_KEYS: entries ${first + 1} and ${n + 1} are two addresses of keys of one name, ${name}; ` +
        'a key in another Vault needs another name',
    )
  }
}

/** Wraps under the first of some keys, and unwraps under all of them. */
export function masterKeys(keys: readonly MasterKey[]): MasterKeys {
  const byName = new Map(keys.map(key => [key.name, key] as const))
  const [current] = keys
  return {
    names: [...byName.keys()],
    async wrap(place, secret) {
      if (current === undefined) return { secret, master: null }
      return { secret: await current.wrap(bound(place), secret), master: current.name }
    },
    async unwrap(place, { secret, master }) {
      if (master === null) return secret
      const key = byName.get(master)
      if (key) return key.unwrap(bound(place), secret)
      const message = `The master key ${master}, which keys are wrapped under, is not set.`
      throw new KogiError('engine_unavailable', message)
    },
    async check() {
      const [place, secret] = [Buffer.from('check'), randomBytes(KEY_BYTES)]
      for (const { name, wrap, unwrap } of byName.values()) {
        const opened = await unwrap(place, await wrap(place, secret))
        if (!opened.equals(secret)) throw new Error(`the master key ${name} opens other keys than it wraps`)
      }
    },
  }
}

const bound = ({ org, key, of = 'subject key' }: Place) => Buffer.from(canonicalJson([of, org, key]))

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
    const advice = `a key itself stands after ${IN_PLACE}, and its address in Vault after ${IN_VAULT}`
    throw new ConfigError(`KOGI_MASTER_KEYS: entry ${number} names no file that can be read (${code}); ${advice}`)
  }
}
