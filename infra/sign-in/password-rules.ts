/** What may be a password: long enough, and not one that is guessed soon. */
import type { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { httpError } from '../http/errors.ts'

export const PASSWORD_MIN = 8
export const PASSWORD_MAX = 200
/** Characters that are looked at: more cost time, and a password is strong enough by then. */
const LOOKED_AT = 64
/** Guesses of a password that may be one: ten to the eighth, as zxcvbn counts them. */
const SCORE_MIN = 3

let estimator: Promise<ZxcvbnFactory> | undefined

/** The lists of common passwords and names take some memory: they are loaded when the first password is chosen. */
async function load(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory: Factory }, { adjacencyGraphs: graphs, dictionary }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ])
  return new Factory({ dictionary, graphs })
}

/** Throws `password_refused` for a password that is short, common, or made of what is known of the user. */
export async function mustBeStrong(password: string, known: readonly string[]): Promise<void> {
  if ([...password].length < PASSWORD_MIN) throw refused(`has at least ${PASSWORD_MIN} characters`)
  estimator ??= load()
  const words = known.flatMap(each => [each, ...each.split(/[^\p{L}\p{N}]+/u)]).filter(word => word.length > 2)
  const { score } = (await estimator).check(password.normalize('NFC').slice(0, LOOKED_AT), words)
  if (score < SCORE_MIN) throw refused('must not be one that is guessed soon: take several words, or let one be made')
}

const refused = (message: string) => httpError('password_refused', [{ field: 'password', message }])
