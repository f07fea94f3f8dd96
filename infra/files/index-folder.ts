/** Search indexes in a folder of one machine: a cache, sealed under keys that every erasure of their org destroys. */
import { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { canonicalJson } from '../../domain/kernel/json.ts'
import type { IndexStore } from '../../projections/memory/stored-index.ts'
import type { IndexKey, IndexKeys } from '../index-keys.ts'

const ALGORITHM = 'aes-256-gcm'
/** A file is the id of its key, a nonce, a tag, and what is sealed. */
const KEY_BYTES = 36
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = KEY_BYTES + NONCE_BYTES + TAG_BYTES

/** Keeps one file for each org below a folder. */
export function indexFolder(folder: string, keys: IndexKeys): IndexStore {
  const placeOf = (org: string) => path.join(folder, createHash('sha256').update(org).digest('hex'))
  return {
    async read(org) {
      const bytes = await readFile(placeOf(org)).catch(error => {
        if ((error as { code?: unknown }).code === 'ENOENT') return undefined
        throw error
      })
      if (!bytes || bytes.length < HEAD_BYTES) return undefined
      const key = bytes.toString('latin1', 0, KEY_BYTES)
      const secret = UUID.test(key) ? await keys.find(org, key) : undefined
      return secret && opened(org, { key, secret }, bytes)
    },
    async begin(org) {
      const key = await keys.make(org)
      return parts => written(folder, placeOf(org), sealed(org, key, parts))
    },
    async remove(org) {
      await keys.destroy(org)
      await rm(placeOf(org), { force: true })
    },
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const bound = (org: string, key: string) => Buffer.from(canonicalJson([org, key, 'index']))

function sealed(org: string, { key, secret }: IndexKey, parts: readonly Buffer[]): readonly Buffer[] {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, secret, nonce).setAAD(bound(org, key))
  const texts = [...parts.map(part => cipher.update(part)), cipher.final()]
  return [Buffer.from(key, 'latin1'), nonce, cipher.getAuthTag(), ...texts]
}

/** `undefined` where the file is damaged, or of another org. */
function opened(org: string, { key, secret }: IndexKey, bytes: Buffer): Buffer | undefined {
  const [nonce, tag] = [
    bytes.subarray(KEY_BYTES, KEY_BYTES + NONCE_BYTES),
    bytes.subarray(HEAD_BYTES - TAG_BYTES, HEAD_BYTES),
  ]
  const decipher = createDecipheriv(ALGORITHM, secret, nonce).setAAD(bound(org, key))
  decipher.setAuthTag(tag)
  const text = decipher.update(bytes.subarray(HEAD_BYTES))
  try {
    decipher.final()
    return text
  } catch {
    return undefined
  }
}

async function written(folder: string, place: string, parts: readonly Buffer[]): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const temporary = path.join(folder, `${randomUUID()}.tmp`)
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      for (const part of parts) await handle.appendFile(part)
    } finally {
      await handle.close()
    }
    await rename(temporary, place)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
