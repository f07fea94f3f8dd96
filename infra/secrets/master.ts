/** The master keys of secrets: those of personal data, and in development one of its own where there are none. */
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '../config.ts'
import { type MasterKeys, masterKeysOf } from '../master-keys.ts'

type Settings = Pick<Config, 'env' | 'dataDir' | 'masterKeys'> & Partial<Pick<Config, 'vaultTokenFile'>>

/**
 * The master keys that wrap the keys of secrets: those of `KOGI_MASTER_KEYS`. Development without any makes one in
 * `<data>/auth/secrets.key`, which goes on opening what it has wrapped once others are set. Production without any has
 * none, and keeps no secrets. Throws a `ConfigError` for keys that cannot be used.
 */
export function secretMasters({ env, dataDir, masterKeys, vaultTokenFile }: Settings): MasterKeys {
  const file = path.join(dataDir, 'auth', 'secrets.key')
  const isOwn = env !== 'production' && (existsSync(file) || (masterKeys.length === 0 && make(file)))
  return masterKeysOf({ masterKeys: isOwn ? [...masterKeys, file] : masterKeys, vaultTokenFile })
}

/** Makes a key; of several processes that start at once one wins, and the others take its key. */
function make(file: string): true {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
  return true
}
