/** Passwords: what may be one, and their hashes (argon2id, RFC 9106) as PHC strings. */
import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { httpError } from '../http/errors.ts'

/** The cost of a hash: memory in KiB, passes, lanes. */
export type HashCost = { readonly memoryKib: number; readonly passes: number; readonly lanes: number }

/** Hashes that are made at once: each takes its memory and a thread. More wait, and too many are refused. */
const AT_ONCE = 2
const WAITING_MAX = 200

export type Passwords = {
  readonly hash: (password: string) => Promise<string>
  /**
   * Whether a password is the one of a hash. Where there is no hash, as much is worked for nothing, so that the time
   * does not say that there is none.
   */
  readonly isRight: (stored: string | undefined, password: string) => Promise<boolean>
  /** Whether a hash was made at another cost than the one that is set. */
  readonly isOld: (stored: string) => boolean
}

export function passwords({ memoryKib, passes, lanes }: HashCost): Passwords {
  const options = { memoryCost: memoryKib, timeCost: passes, parallelism: lanes }
  const taken = turns()
  const make = (password: string) => taken(() => hash(password.normalize('NFC'), options))
  let dummy: Promise<string> | undefined
  return {
    hash: make,
    async isRight(stored, password) {
      dummy ??= hash(randomBytes(16).toString('hex'), options)
      const against = stored ?? (await dummy)
      const isSame = await taken(() => verify(against, password.normalize('NFC')))
      return isSame && stored !== undefined
    },
    isOld: stored => !stored.startsWith(`$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$`),
  }
}

/** Lets a few work at once. */
function turns() {
  let working = 0
  const waiting: (() => void)[] = []
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (working >= AT_ONCE) {
      if (waiting.length >= WAITING_MAX) throw httpError('too_many_requests')
      await new Promise<void>(resolve => waiting.push(resolve))
    } else working += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else working -= 1
    }
  }
}
