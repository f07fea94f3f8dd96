import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { KogiError } from '../../domain/kernel/errors.ts'
import { canonicalJson, type Json } from '../../domain/kernel/json.ts'
import type { Signer } from '../../projections/notary/note.ts'
import {
  AuditFault,
  COSIGNED_VERSION,
  EVENTS,
  type FileEntry,
  FORMAT,
  HASHES,
  MANIFEST,
  type Manifest,
  manifestText,
  SCHEMAS,
  SIGNATURE,
  sha256,
} from './bundle.ts'
import { folderSource } from './folder-source.ts'
import type { Content } from './readable/readable.ts'
import { signManifest } from './signature.ts'
import { othersAmong } from './source.ts'
import { type EventContent, type EventOptions, writeEvents } from './write-events.ts'

/** What an export says of the program that made it. */
type About = {
  readonly code: string
  readonly projections: readonly { readonly name: string; readonly version: number }[]
  /** By type of event: its category, the number of its schema, and the JSON Schema of its data. */
  readonly schemas: Json
}

export type BundleOptions = EventOptions & {
  /** The last signed checkpoint of the org, read before `head` was: all of its events are in the export. */
  readonly checkpoint: string | undefined
  /** The last checkpoint of the org that witnesses have cosigned, read before `head` was. */
  readonly cosigned?: string | undefined
  /** Keys that sign the manifest: none where the log has none. */
  readonly signers: readonly Signer[]
  readonly about: About
  /** Writes further files for people into the folder, and returns their names. */
  readonly readable?: ((folder: string, content: Content) => Promise<readonly string[]>) | undefined
  /** Whether they are waited for where read models lag behind; always, where nothing is said. */
  readonly isReadableNeeded?: (() => boolean) | undefined
  readonly now: () => string
}

/** What was written of an org. */
export type Bundle = {
  readonly events: number
  /** Events of the org that are not selected; their headers are there. */
  readonly leftOut?: number
  readonly bytes: number
  readonly head: bigint
  /** Why it has no files for people, where it was to have some. */
  readonly notReadable?: string
  /** All of its files, with the manifest and its signature. */
  readonly files: readonly Pick<FileEntry, 'name' | 'sha256'>[]
}

export type ExportOptions = BundleOptions & {
  /** The folder to make: it appears whole or not at all. */
  readonly out: string
  /** Whether a folder that is already there may be replaced. */
  readonly force?: boolean
}
export type Exported = Omit<Bundle, 'files'> & { readonly folder: string }

/** Streams the events of an org into a new folder. Throws `output_exists` rather than overwrite. */
export async function exportOrg(options: ExportOptions): Promise<Exported> {
  const { force = false } = options
  const out = path.resolve(options.out)
  const exists = await isThere(out)
  if (exists && !force)
    throw new AuditFault('output_exists', `${options.out} exists; choose another folder or --force.`)
  if (exists) await mustBeExport(out, options.out)
  const draft = `${out}.partial-${randomBytes(4).toString('hex')}`
  await mkdir(draft, { recursive: true })
  try {
    const { files: _, ...bundle } = await writeBundle(draft, options)
    await publish(draft, out, exists)
    return { folder: options.out, ...bundle }
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

/** Writes all files of an export into a folder: it can be called again after an end in between, and goes on then. */
export async function writeBundle(folder: string, options: BundleOptions): Promise<Bundle> {
  const { org, head, now, checkpoint = null, cosigned, signers, about } = options
  const { files: events, ...content }: EventContent = await writeEvents(folder, options)
  await write(path.join(folder, SCHEMAS), `${canonicalJson(about.schemas)}\n`)
  const files = [...events, await entryOf(folder, SCHEMAS)]
  const { code, projections } = about
  const versions = projections.map(({ name, version }) => ({ name, version }))
  const [first, ...rest] = signers
  const signed = first !== undefined
  const made = {
    ...FORMAT,
    org,
    made_at: now(),
    checkpoint,
    ...(cosigned && { version: COSIGNED_VERSION, cosigned }),
    ...content,
    code,
    projections: versions,
    signed,
  }
  const { names, notReadable } = await readableOf(folder, { ...made, files }, options)
  for (const name of names) files.push(await entryOf(folder, name))
  const manifest = manifestText({ ...made, files } as Omit<Manifest, 'digest'>)
  const signature = first && signManifest(org, manifest, [first, ...rest])
  await write(path.join(folder, MANIFEST), manifest)
  if (signature) await write(path.join(folder, SIGNATURE), signature)
  const bytes = files.reduce((sum, entry) => sum + entry.bytes, Buffer.byteLength(manifest))
  const leftOut = content.left_out
  const own = { name: MANIFEST, sha256: sha256(manifest) }
  return {
    events: content.events,
    ...(leftOut !== undefined && { leftOut }),
    bytes,
    head,
    ...(notReadable !== undefined && { notReadable }),
    files: [...files, own, ...(signature ? [{ name: SIGNATURE, sha256: sha256(signature) }] : [])],
  }
}

/** Writes the files for people. Where read models lag behind and it may do without, it says why there are none. */
async function readableOf(
  folder: string,
  content: Content,
  { readable, isReadableNeeded = () => true }: BundleOptions,
): Promise<{ readonly names: readonly string[]; readonly notReadable?: string }> {
  try {
    return { names: (await readable?.(folder, content)) ?? [] }
  } catch (error) {
    if (!(error instanceof KogiError && error.code === 'not_yet_visible') || isReadableNeeded()) throw error
    return { names: [], notReadable: error.message }
  }
}

/** What a manifest says of a file that is written. */
async function entryOf(folder: string, name: string): Promise<FileEntry> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path.join(folder, name)) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { name, bytes, sha256: hash.digest('hex') }
}

async function write(place: string, text: string): Promise<void> {
  const file = await open(place, 'w')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

const isThere = (place: string) =>
  stat(place).then(
    () => true,
    () => false,
  )

/** Replacing takes everything in a folder along: it must be an export, and nothing else may be in it. */
async function mustBeExport(folder: string, named: string): Promise<void> {
  const text = await readFile(path.join(folder, MANIFEST), 'utf8').catch(() => undefined)
  const entries = await folderSource(folder)
    .entries()
    .catch(() => [])
  const { foreign } = othersAmong(entries, [MANIFEST, SIGNATURE, EVENTS, HASHES, ...namesIn(text)])
  if (text !== undefined && foreign.length === 0) return
  const why = foreign[0] === undefined ? `has no ${MANIFEST}` : `holds ${foreign[0]}`
  throw new AuditFault('output_not_an_export', `${named} ${why}; only an export is replaced, choose another folder.`)
}

/** The names of files in the text of a manifest, which may be of any form. */
function namesIn(text = ''): readonly string[] {
  try {
    return (JSON.parse(text) as Manifest).files.map(({ name }) => name)
  } catch {
    return []
  }
}

/** Puts the finished folder in its place. The one it replaces is moved aside first, so that its name is never half. */
async function publish(draft: string, out: string, exists: boolean): Promise<void> {
  const aside = `${draft}.replaced`
  if (exists) await rename(out, aside)
  await rename(draft, out)
  if (exists) await rm(aside, { recursive: true, force: true })
}
