/** Checks a backup offline: that it is complete, and that its files are what was written. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { type ErrorDetail, KogiError } from '../../domain/kernel/errors.ts'
import { othersIn } from '../../read-api/audit/left-files.ts'
import { codec, eventTypes } from '../catalogue.ts'
import { migrations } from '../migrations/index.ts'
import { FILES, type Manifest, OWN_FILES, type Part, readManifest } from './format.ts'
import { fileFaults } from './item-files.ts'

const LINE_FEED = 10

/**
 * Reads a whole backup and returns its manifest. Throws `no_backup` where there is none or an unfinished one,
 * `backup_unknown` for one of a later format, and `backup_damaged` with every file at fault: changed, cut, missing, or
 * not one of a backup's files.
 */
export async function verifyBackup(folder: string, onBytes?: (bytes: number) => void): Promise<Manifest> {
  const manifest = await readManifest(folder)
  const problems: ErrorDetail[] = []
  for (const name of (await othersIn(folder, OWN_FILES)).foreign) {
    problems.push({ field: name, message: 'is not in the manifest' })
  }
  for (const part of manifest.files) {
    const message = await faultOf(path.join(folder, part.name), part, onBytes)
    if (message !== undefined) problems.push({ field: part.name, message })
  }
  const isListed = manifest.files.some(({ name }) => name === FILES)
  if (isListed && !problems.some(({ field }) => field === FILES)) problems.push(...(await fileFaults(folder, onBytes)))
  if (problems.length === 0) return manifest
  throw new KogiError('backup_damaged', 'The backup is not what was written.', problems)
}

async function faultOf(file: string, part: Part, onBytes?: (bytes: number) => void): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) return 'is missing'
  if (found.size !== part.bytes) return `has ${found.size} bytes, and ${part.bytes} were written`
  const hash = createHash('sha256')
  let lines = 0
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines++
    onBytes?.(chunk.length)
  }
  if (hash.digest('hex') !== part.sha256) return 'does not match its SHA-256'
  return lines === part.lines ? undefined : `has ${lines} lines, and ${part.lines} were written`
}

/** Throws `backup_unknown` for a backup of a later Kogi, whose events or keys this code may not know. */
export function mustUnderstand({ kogi, schemas, keysMigrations }: Manifest): void {
  const known = new Set(eventTypes)
  const later = [
    ...Object.entries(schemas)
      .filter(([type, schema]) => !known.has(type) || codec.schemaOf(type) < schema)
      .map(([type, schema]) => ({ field: type, message: `schema ${schema} is not known` })),
    ...keysMigrations
      .filter(name => !migrations.keys.some(migration => migration.name === name))
      .map(name => ({ field: name, message: 'this migration is not known' })),
  ]
  if (later.length === 0) return
  throw new KogiError('backup_unknown', `The backup is of Kogi ${kogi}, which has what this version has not.`, later)
}
