/** The second factors: codes of an authenticator (TOTP, RFC 6238), each good once, and recovery codes. */
import { randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import type { Keyring } from '../../commands/ports.ts'
import { httpError } from '../http/errors.ts'
import type { CredentialRows, Credentials } from './credentials.ts'
import type { GiveUser } from './give-user.ts'
import { digestOf } from './sessions.ts'

const PERIOD_SECONDS = 30
const SECRET_BYTES = 20
/** Codes of so many periods before and after count too, because clocks differ. */
const DRIFT = 1
const RECOVERY_CODES = 10

/** What a person shows as a second factor. */
export type Shown = { readonly code?: string | undefined; readonly recovery_code?: string | undefined }

/** The settings of authenticators: what all of them take. */
export const totpOf = (secret: Secret, label = '') =>
  new TOTP({ issuer: 'Kogi', label, algorithm: 'SHA1', digits: 6, period: PERIOD_SECONDS, secret })

/** The step of a code at an instant, `undefined` where it is none of the steps that count. */
export function stepOf(totp: TOTP, code: string, atMs: number): number | undefined {
  const delta = totp.validate({ token: code, window: DRIFT, timestamp: atMs })
  return delta === null ? undefined : Math.floor(atMs / 1000 / PERIOD_SECONDS) + delta
}

export type Factors = {
  /** Makes the secret of an authenticator, which counts once a code of it is shown. Throws `conflict`. */
  readonly begin: (user: string, label: string) => Promise<{ readonly secret: string; readonly uri: string }>
  /** Whether a code is one of the authenticator, and was not used before. */
  readonly isCode: (row: Credentials | undefined, code: string) => Promise<boolean>
  /** What was shown as a second factor, by its name in `amr`. Throws `wrong_credentials`, `second_factor_needed`. */
  readonly shown: (row: Credentials, shown: Shown, correlationId: string) => Promise<string>
  /** Takes a recovery code, once. Throws `user_suspended`, and then the code still counts. */
  readonly isRecoveryCode: (user: string, code: string, correlationId: string) => Promise<boolean>
  /** Makes new recovery codes in the place of all before. */
  readonly newRecoveryCodes: (user: string, correlationId: string) => Promise<readonly string[]>
}

type Deps = {
  readonly rows: CredentialRows
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  readonly give: GiveUser
  readonly now?: () => number
}

export function factors({ rows, keyring, give, now = Date.now }: Deps): Factors {
  const isCode: Factors['isCode'] = async (row, code) => {
    if (!row?.totp_sealed || !/^\d{6}$/.test(code)) return false
    const [secret] = await keyring.open(row.person, [row.totp_sealed])
    if (!secret) return false
    const step = stepOf(totpOf(Secret.fromBase32(secret)), code, now())
    return step !== undefined && rows.takeStep(row.person, step)
  }
  const isRecoveryCode: Factors['isRecoveryCode'] = async (user, code, correlationId) => {
    const digest = recoveryDigest(code)
    if (!(await rows.hasRecoveryCode(user, digest))) return false
    // The event first: a code stays where it is refused or fails.
    await give(user, 'useRecoveryCode', {}, correlationId)
    return rows.takeRecoveryCode(user, digest)
  }
  return {
    isCode,
    isRecoveryCode,
    async begin(user, label) {
      const secret = new Secret({ size: SECRET_BYTES })
      const isStored = await rows.beginTotp(user, await keyring.seal(user, user, secret.base32, { makeKey: true }))
      // A fault has left one that the log does not name, or does not name any more.
      if (!isStored) throw httpError('conflict', [], 'Confirm the authenticator that you have once more, or remove it.')
      return { secret: secret.base32, uri: totpOf(secret, label).toString() }
    },
    async shown(row, { code, recovery_code: recoveryCode }, correlationId) {
      if (code !== undefined && row.totp_confirmed && (await isCode(row, code))) return 'otp'
      if (recoveryCode !== undefined && (await isRecoveryCode(row.person, recoveryCode, correlationId))) {
        return 'recovery'
      }
      throw httpError(code === undefined && recoveryCode === undefined ? 'second_factor_needed' : 'wrong_credentials')
    },
    async newRecoveryCodes(user, correlationId) {
      const codes = Array.from({ length: RECOVERY_CODES }, newCode)
      await give(user, 'makeRecoveryCodes', { count: codes.length }, correlationId)
      await rows.setRecoveryCodes(user, codes.map(recoveryDigest))
      return codes
    },
  }
}

/** 80 random bits in Crockford's letters and digits: nobody can guess one, so that no slow hash is needed. */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz'
const newCode = (): string =>
  [...randomBytes(16)]
    .map(byte => LETTERS[byte % 32]!)
    .join('')
    .replace(/(.{4})(?!$)/g, '$1-')

const plainCode = (code: string): string =>
  code.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1')
/** A recovery code as it is stored. */
export const recoveryDigest = (code: string): Buffer => digestOf(plainCode(code))
