/**
 * Makes a backup of a system at work.
 *
 * The order of the steps is what makes it whole: the end of the log is asked for first, then the events up to it are
 * read, then the keys. A command stores the key of its subject before it appends its events, so that every key that an
 * event of the backup needs is among those that are read afterwards; a key that was destroyed meanwhile is destroyed in
 * the backup too. The bytes of files are read after their events as well. The manifest is written last, and then the
 * folder takes its name: an interrupted backup has neither.
 */
import { mkdir, mkdtemp, open, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { EventStoreDBClient } from '@eventstore/db-client'
import { KogiError } from '../../domain/kernel/errors.ts'
import { codec, domainStreamPrefixes, eventTypes, projections } from '../catalogue.ts'
import { type Config, EMBEDDED, publicSettings } from '../config.ts'
import { ExportEnd } from '../embedded/event-store/care/export-end.ts'
import type { Line } from '../embedded/event-store/care/transfer.ts'
import type { EngineUrls } from '../engines.ts'
import { fileStore } from '../files/open.ts'
import { masterKeysOf } from '../master-keys.ts'
import type { Pool } from '../postgres.ts'
import { VERSION } from '../version.ts'
import { endOfLog, eventLines } from './event-lines.ts'
import { EVENTS, FORMAT, KEYS, kindOf, MANIFEST, type Manifest, manifestText, SETTINGS } from './format.ts'
import { type NamedFiles, noteFile, writeFiles } from './item-files.ts'
import { readKeys } from './keys.ts'
import { PartWriter } from './part-writer.ts'
import { syncFolder } from './sync.ts'

export type BackupOptions = {
  readonly folder: string
  readonly config: Config
  readonly urls: EngineUrls
  /** The database of the keys. */
  readonly keys: Pool
  readonly signal?: AbortSignal
  /** Called once with the position that the backup will cover, then with the position of each event that is written. */
  readonly onEnd?: (position: bigint) => void
  readonly onEvent?: (position: number) => void
}

/** Makes a backup and returns its manifest. Throws `backup_exists` where the folder is there already. */
export async function makeBackup(options: BackupOptions): Promise<Manifest> {
  const { folder, config, keys } = options
  await mustNotExist(folder)
  await mkdir(path.dirname(path.resolve(folder)), { recursive: true })
  const draft = await mkdtemp(`${path.resolve(folder)}.unfinished-`)
  try {
    const log = await writeEvents(draft, options)
    options.signal?.throwIfAborted()
    const found = await writeKeyFile(draft, keys, log.named)
    const stored = await writeFiles(draft, fileStore(config), log.files, masterKeysOf(config), options.signal)
    const settings = await PartWriter.open(draft, SETTINGS)
    settings.line(JSON.stringify(publicSettings(config)))
    const manifest: Manifest = {
      format: FORMAT,
      kogi: VERSION,
      node: process.version,
      madeAt: new Date().toISOString(),
      store: config.eventStoreUrl === EMBEDDED ? 'embedded' : 'named',
      position: String(log.end),
      lastDomainPosition: String(log.lastDomain),
      events: log.counts,
      keys: found.keys,
      itemFiles: stored.itemFiles,
      keysMigrations: [...found.migrations],
      schemas: Object.fromEntries(eventTypes.map(type => [type, codec.schemaOf(type)])),
      projections: Object.fromEntries(projections.map(({ name, version }) => [name, version])),
      files: [log.part, found.part, await settings.finish(), stored.part],
    }
    options.signal?.throwIfAborted()
    await writeManifest(draft, manifest)
    await mustNotExist(folder)
    await rename(draft, folder)
    await syncFolder(path.dirname(path.resolve(folder)))
    return manifest
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

async function mustNotExist(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => undefined)) === undefined) return
  throw new KogiError(
    'backup_exists',
    `${folder} is there already, and a backup overwrites nothing: name a new folder.`,
  )
}

async function writeEvents(draft: string, { urls, signal, onEnd, onEvent }: BackupOptions) {
  const client = EventStoreDBClient.connectionString(urls.eventStoreUrl)
  const writer = await PartWriter.open(draft, EVENTS)
  try {
    const end = await endOfLog(client)
    onEnd?.(end)
    const counts = { domain: 0, refusals: 0, skips: 0, derived: 0, other: 0 }
    const named = new Set<string>()
    const files: NamedFiles = new Map()
    const lines = new ExportEnd()
    let lastDomain = 0
    for await (const event of eventLines(client, end, signal)) {
      const kind = kindOf(event.stream, domainStreamPrefixes)
      counts[kind]++
      if (kind === 'domain') lastDomain = event.position
      noteKeys(event, named)
      if (kind === 'domain') noteFile(event, files)
      const line = JSON.stringify(event)
      lines.add(line)
      const full = writer.line(line)
      if (full) await full
      onEvent?.(event.position)
    }
    writer.line(lines.line())
    return { end, lastDomain, counts, named, files, part: await writer.finish() }
  } catch (error) {
    await writer.close().catch(() => {})
    throw error
  } finally {
    await client.dispose()
  }
}

/** A sealed text begins with the id of its key (`infra/keyring.ts`). */
const SEALED = /"key":"([0-9a-f-]{36})","nonce":"/g

/** Notes the keys under which an event's personal data is sealed. */
function noteKeys({ data }: Line, named: Set<string>): void {
  if (data?.includes('"nonce"')) for (const [, key] of data.matchAll(SEALED)) named.add(key!)
}

async function writeKeyFile(draft: string, pool: Pool, named: ReadonlySet<string>) {
  const writer = await PartWriter.open(draft, KEYS)
  const missing = new Set(named)
  let all = 0
  let erased = 0
  try {
    const migrations = await readKeys(pool, (key, line) => {
      if (key) {
        missing.delete(key.key)
        all++
        if (key.secret === null) erased++
      }
      return writer.line(line)
    })
    return { migrations, keys: { all, erased, missing: [...missing].sort() }, part: await writer.finish() }
  } catch (error) {
    await writer.close().catch(() => {})
    throw error
  }
}

async function writeManifest(draft: string, manifest: Manifest): Promise<void> {
  const file = await open(path.join(draft, MANIFEST), 'wx', 0o600)
  try {
    await file.writeFile(manifestText(manifest))
    await file.sync()
  } finally {
    await file.close()
  }
  await syncFolder(draft)
}
