import { readFile } from 'node:fs/promises'
import { createLocalJWKSet, createRemoteJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { KogiError } from '../../domain/kernel/errors.ts'

/** Least time between two reads of a key set for a key that it does not have, so that keys rotate without a restart. */
const COOLDOWN_MS = 30_000
const CACHE_MAX_AGE_MS = 600_000
const TIMEOUT_MS = 5_000

/** The public keys of a JWKS, in a file or behind a URL. A set that cannot be read is `engine_unavailable`. */
export function createKeySet(source: string, cooldownMs = COOLDOWN_MS): JWTVerifyGetKey {
  const getKey = /^https?:\/\//.test(source) ? remote(source, cooldownMs) : local(source, cooldownMs)
  return async (header, token) => {
    try {
      return await getKey(header, token)
    } catch (error) {
      if (isTokenFault(error)) throw error
      throw new KogiError('engine_unavailable', 'The keys that tokens are checked with cannot be read.', [], {
        cause: error,
      })
    }
  }
}

function remote(url: string, cooldownMs: number): JWTVerifyGetKey {
  const options = { cooldownDuration: cooldownMs, cacheMaxAge: CACHE_MAX_AGE_MS, timeoutDuration: TIMEOUT_MS }
  return createRemoteJWKSet(new URL(url), options)
}

function local(file: string, cooldownMs: number): JWTVerifyGetKey {
  let keys: Promise<JWTVerifyGetKey> | undefined
  let readAt = Number.NEGATIVE_INFINITY
  const read = () => {
    readAt = performance.now()
    keys = readKeys(file)
    keys.catch(() => {
      keys = undefined
    })
    return keys
  }
  return async (header, token) => {
    const known = await (keys ?? read())
    try {
      return await known(header, token)
    } catch (error) {
      const mayHaveChanged = error instanceof errors.JWKSNoMatchingKey && performance.now() - readAt >= cooldownMs
      if (!mayHaveChanged) throw error
      return (await read())(header, token)
    }
  }
}

async function readKeys(file: string): Promise<JWTVerifyGetKey> {
  const text = await readFile(file, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    throw new Error(`KOGI_JWKS names no file that can be read (${code})`)
  })
  return createLocalJWKSet(jsonOf(text))
}

/** What is in a file that is no JSON may be a private key: the parser's message, which quotes it, is not passed on. */
function jsonOf(text: string): JSONWebKeySet {
  try {
    return JSON.parse(text) as JSONWebKeySet
  } catch {
    throw new Error('The file of KOGI_JWKS is no JSON')
  }
}

/** Whether the token is at fault, not the key set: it names no key that the set has, or more than one. */
function isTokenFault(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  )
}
