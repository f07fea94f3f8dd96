/** The keys that the notary signs with, and what they are called. */
import { createPrivateKey, generateKeyPair, type KeyObject, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { KogiError } from '../../domain/kernel/errors.ts'
import { witnessFrom } from '../../projections/notary/cosignature.ts'
import type { Signer } from '../../projections/notary/note.ts'
import { type Config, ConfigError } from '../config.ts'
import type { WitnessPlace } from './witnesses.ts'

const generate = promisify(generateKeyPair)

type KeyConfig = Pick<Config, 'env' | 'dataDir' | 'notaryKeys' | 'notaryOrigin'>

/** Where the development key is kept, and the last checkpoint beside it. */
const folderOf = ({ dataDir }: Pick<Config, 'dataDir'>) => path.join(dataDir, 'notary')

/**
 * The signers that the settings name; in development, where none is named, one whose key is made on first use. None in
 * production without a key: then nothing is sealed, and health says so. Throws a `ConfigError` for a file that is no
 * private Ed25519 key.
 */
export async function signersOf(config: KeyConfig): Promise<readonly Signer[]> {
  const { env, notaryKeys, notaryOrigin: name } = config
  if (notaryKeys.length === 0) {
    return env === 'production' ? [] : [{ name, privateKey: await developmentKey(folderOf(config)) }]
  }
  return Promise.all(notaryKeys.map(async (file, n) => ({ name, privateKey: await keyIn(file, `entry ${n + 1}`) })))
}

/** Who signs with the private key in a file. Throws a `KogiError` for a file that has none. */
export async function signerIn(name: string, file: string): Promise<Signer> {
  const key = privateKeyFrom(await readFile(file, 'utf8').catch(() => ''))
  if (key?.asymmetricKeyType === 'ed25519') return { name, privateKey: key }
  const how = 'openssl genpkey -algorithm ed25519'
  throw new KogiError('file_unreadable', `${file} holds no private Ed25519 key in PEM that can be read (${how}).`)
}

/** The anchors that the settings name; in development, where none is named, a file in the data folder. */
export const anchorsOf = (config: Pick<Config, 'env' | 'dataDir' | 'notaryAnchors'>): readonly string[] =>
  config.notaryAnchors.length > 0 || config.env === 'production'
    ? config.notaryAnchors
    : [path.join(folderOf(config), 'checkpoint')]

/** The witnesses that the settings name. */
export const witnessesOf = ({ notaryWitnesses }: Pick<Config, 'notaryWitnesses'>): readonly WitnessPlace[] =>
  notaryWitnesses.map(({ key, url }) => ({ key: witnessFrom(key), url }))

/** `what` stands in errors, and not the name: an entry may be a key by mistake. */
async function keyIn(file: string, what = file): Promise<KeyObject> {
  const text = await readFile(file, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    throw new ConfigError(`KOGI_NOTARY_KEYS: ${what} names no file that can be read (${code})`)
  })
  const key = privateKeyFrom(text)
  if (key?.asymmetricKeyType === 'ed25519') return key
  throw new ConfigError(
    `KOGI_NOTARY_KEYS: ${what} holds no private Ed25519 key in PEM (openssl genpkey -algorithm ed25519)`,
  )
}

function privateKeyFrom(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text)
  } catch {
    return undefined
  }
}

/** Of several processes that start at once one makes the key, and the others take it. */
async function developmentKey(folder: string): Promise<KeyObject> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = path.join(folder, 'signing-key.pem')
  const existing = await readFile(file, 'utf8').catch(() => undefined)
  if (existing !== undefined) return keyIn(file)
  const { privateKey } = await generate('ed25519')
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  try {
    await link(draft, file) // A link is made whole or not at all, and never replaces another process's key.
    return privateKey
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return keyIn(file)
  } finally {
    await rm(draft, { force: true })
  }
}
