/** Which master keys open a backup: those that were set when it was made, whatever keys are wrapped under since. */
import path from 'node:path'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { MasterKeys } from '../master-keys.ts'
import { FILES, KEYS, type Manifest } from './format.ts'
import { fileMasterOf } from './item-files.ts'
import { keyMastersOf } from './keys.ts'

/** A file of a backup that holds a key, or keys, which are wrapped under the master key of that name. */
export type Wanted = { readonly file: string; readonly master: string }

/** The master keys that a verified backup wants. */
export async function wantedMasters(folder: string, { files }: Manifest): Promise<readonly Wanted[]> {
  const wanted = [...(await keyMastersOf(path.join(folder, KEYS)))].map(master => ({ file: KEYS, master }))
  const ofFiles = files.some(({ name }) => name === FILES) ? await fileMasterOf(folder) : null
  return ofFiles === null ? wanted : [...wanted, { file: FILES, master: ofFiles }]
}

/** Throws `master_key_missing`, with the names of the master keys that are wanted and are not there. */
export function mustHaveMasters(wanted: readonly Wanted[], { names }: MasterKeys): void {
  const missing = wanted.filter(({ master }) => !names.includes(master))
  if (missing.length === 0) return
  const set = names.length === 0 ? 'names none' : `names ${names.join(', ')}`
  throw new KogiError(
    'master_key_missing',
    `The backup is wrapped under a master key that is not set: KOGI_MASTER_KEYS ${set}.`,
    missing.map(({ file, master }) => ({ field: file, message: `the master key ${master} is wanted` })),
  )
}
