/** A certificate and its key in files that are replaced while they are in use. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { ConfigError } from '../config.ts'
import type { Log } from '../log.ts'

type Files = { readonly cert: string; readonly key: string }
type Pair = { readonly cert: string; readonly key: string }

const LOOK_MS = 1_000

/**
 * Reads a certificate and its key, and again whenever a file changes. Two that do not belong together, as they stand
 * between two writes, are not used: those from before go on. Throws a `ConfigError` where the first two cannot be.
 */
export function reloaded(files: Files, log: Pick<Log, 'info' | 'warn'>, use: (pair: Pair) => void) {
  const read = (): Pair => {
    const pair = { cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8') }
    if (new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key))) return pair
    throw new Error('the key is not that of the certificate')
  }
  const first = () => {
    try {
      return read()
    } catch (error) {
      throw new ConfigError(`KOGI_TLS_CERT and KOGI_TLS_KEY cannot be used: ${(error as Error).message}`)
    }
  }
  const pair = first()
  const again = () => {
    try {
      use(read())
      log.info('the certificate was read again')
    } catch (error) {
      log.warn({ err: error }, 'the new certificate cannot be used, that from before goes on')
    }
  }
  const names = [files.cert, files.key]
  for (const name of names) watchFile(name, { interval: LOOK_MS, persistent: false }, again)
  return {
    pair,
    close() {
      for (const name of names) unwatchFile(name, again)
    },
  }
}
