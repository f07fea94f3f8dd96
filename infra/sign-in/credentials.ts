/** What users prove who they are with, as rows of the database of the keys. */
import { hash } from 'node:crypto'
import { canonicalJson } from '../../domain/kernel/json.ts'
import type { Sealed } from '../../domain/kernel/schema.ts'
import { type Pool, withTransaction } from '../postgres.ts'

export type Credentials = {
  readonly person: string
  readonly password: string | null
  readonly totp_sealed: Sealed | null
  readonly totp_confirmed: boolean
}

/** Names that people sign in with, and identities of providers, as digests: nobody reads them here. */
export const nameDigest = (kind: 'email' | 'identity', ...parts: readonly string[]): Buffer =>
  hash('sha256', canonicalJson([kind, ...parts]), 'buffer')

/** An address in the one spelling that is looked up. */
export const emailName = (email: string): string => email.trim().normalize('NFC').toLowerCase()

const TAKE_CODE = 'delete from recovery_codes where person = $1 and digest = $2'
const COLUMNS = 'person, password, totp_sealed, totp_confirmed'

export type CredentialRows = ReturnType<typeof credentialRows>

export function credentialRows(pool: Pool) {
  const found = async (text: string, values: unknown[]) => (await pool.query<Credentials>(text, values)).rows[0]
  return {
    byName: (digest: Buffer) =>
      found(`select ${COLUMNS} from sign_in_names left join credentials using (person) where digest = $1`, [digest]),
    of: (person: string) => found(`select ${COLUMNS} from credentials where person = $1`, [person]),
    /** Stores a name for a new user; `false` where it is taken. */
    claim: (person: string, kind: 'email' | 'identity', digest: Buffer, password: string | null) =>
      withTransaction(pool, async connection => {
        const text = 'insert into sign_in_names (digest, person, kind) values ($1, $2, $3) on conflict do nothing'
        const { rowCount } = await connection.query(text, [digest, person, kind])
        if (rowCount !== 1) return false
        const row = `insert into credentials (person, password) values ($1, $2)
          on conflict (person) do update set password = coalesce(excluded.password, credentials.password)`
        await connection.query(row, [person, password])
        return true
      }),
    async release(person: string, digest: Buffer): Promise<void> {
      await pool.query('delete from sign_in_names where person = $1 and digest = $2', [person, digest])
    },
    /** Stores a hash in the place of the one before; `false` where that has changed meanwhile. */
    async changePassword(person: string, password: string, before: string): Promise<boolean> {
      const text = 'update credentials set password = $2 where person = $1 and password = $3'
      return (await pool.query(text, [person, password, before])).rowCount === 1
    },
    /** Takes a recovery code and stores a hash for it, both or neither; `false` where there is no such code. */
    recoverPassword: (person: string, password: string, code: Buffer) =>
      withTransaction(pool, async connection => {
        if ((await connection.query(TAKE_CODE, [person, code])).rowCount !== 1) return false
        await connection.query('update credentials set password = $2 where person = $1', [person, password])
        return true
      }),
    /** Stores the secret of an authenticator that was not confirmed yet; `false` where there is a confirmed one. */
    async beginTotp(person: string, sealed: Sealed): Promise<boolean> {
      const text = `insert into credentials (person, totp_sealed) values ($1, $2) on conflict (person) do update
        set totp_sealed = excluded.totp_sealed, totp_step = 0 where not credentials.totp_confirmed`
      return (await pool.query(text, [person, sealed])).rowCount === 1
    },
    /** Says that a code of a secret was shown; `false` where another one, or none, stands there by now. */
    async confirmTotp(person: string, sealed: Sealed): Promise<boolean> {
      const text = 'update credentials set totp_confirmed = true where person = $1 and totp_sealed = $2::jsonb'
      return (await pool.query(text, [person, sealed])).rowCount === 1
    },
    /** Comes after its event: while the log has an authenticator, a code of it is asked for. */
    async dropTotp(person: string): Promise<void> {
      const text = 'update credentials set totp_sealed = null, totp_confirmed = false, totp_step = 0 where person = $1'
      await pool.query(text, [person])
    },
    /** Takes the step of a code, once: `false` where it, or a later one, was taken before. */
    async takeStep(person: string, step: number): Promise<boolean> {
      const text = 'update credentials set totp_step = $2 where person = $1 and totp_step < $2'
      return (await pool.query(text, [person, step])).rowCount === 1
    },
    setRecoveryCodes: (person: string, digests: readonly Buffer[]) =>
      withTransaction(pool, async connection => {
        await connection.query('delete from recovery_codes where person = $1', [person])
        const text = 'insert into recovery_codes (person, digest) select $1, unnest($2::bytea[])'
        await connection.query(text, [person, digests])
      }),
    /** Takes a recovery code, once. */
    async takeRecoveryCode(person: string, digest: Buffer): Promise<boolean> {
      return (await pool.query(TAKE_CODE, [person, digest])).rowCount === 1
    },
    async hasRecoveryCode(person: string, digest: Buffer): Promise<boolean> {
      const text = 'select 1 from recovery_codes where person = $1 and digest = $2'
      return (await pool.query(text, [person, digest])).rowCount === 1
    },
  }
}

/** Forgets how a user signs in, for good. */
export const forgetCredentials = `with c as (delete from credentials where person = $1),
  n as (delete from sign_in_names where person = $1), r as (delete from recovery_codes where person = $1),
  p as (delete from passkeys where person = $1)
  delete from refresh_tokens where person = $1`
