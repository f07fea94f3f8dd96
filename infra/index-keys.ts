/** Keys of stored search indexes, one for each org: without it what was stored is unreadable, for good. */
import { randomBytes, randomUUID } from 'node:crypto'
import { type MasterKeys, noMasterKeys } from './master-keys.ts'
import type { Pool } from './postgres.ts'

const SECRET_BYTES = 32

export type IndexKey = { readonly key: string; readonly secret: Buffer }

export type IndexKeys = {
  /** A new key of an org, in place of the one before. Every erasure in the org from now on destroys it. */
  readonly make: (org: string) => Promise<IndexKey>
  /** `undefined` where it was destroyed, or is another one by now. */
  readonly find: (org: string, key: string) => Promise<Buffer | undefined>
  readonly destroy: (org: string) => Promise<void>
}

type Row = { readonly secret: Buffer; readonly master: string | null }

/** Keys in the table `index_keys`, wrapped as those of persons are. */
export function indexKeys(pool: Pick<Pool, 'query'>, masters: MasterKeys = noMasterKeys): IndexKeys {
  return {
    async make(org) {
      const made = { key: randomUUID(), secret: randomBytes(SECRET_BYTES) }
      const { secret, master } = await masters.wrap({ org, key: made.key }, made.secret)
      await pool.query(
        `insert into index_keys (org, key, secret, master) values ($1, $2, $3, $4)
         on conflict (org) do update set key = excluded.key, secret = excluded.secret, master = excluded.master,
           made_at = now()`,
        [org, made.key, secret, master],
      )
      return made
    },
    async find(org, key) {
      const text = 'select secret, master from index_keys where org = $1 and key = $2'
      const [row] = (await pool.query<Row>(text, [org, key])).rows
      return row && masters.unwrap({ org, key }, row)
    },
    destroy: async org => void (await pool.query('delete from index_keys where org = $1', [org])),
  }
}
