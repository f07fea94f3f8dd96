import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { guards, resources } from '../infra/catalogue.ts'
import { erasedSubjects } from '../infra/erasures/erased.ts'
import { keyNamesOf } from '../infra/erasures/keys.ts'
import { commandStore } from '../infra/event-store/command-store.ts'
import { fileStore } from '../infra/files/open.ts'
import { keyring } from '../infra/keyring.ts'
import { masterKeysOf } from '../infra/master-keys.ts'
import { createPool } from '../infra/postgres.ts'
import { allOf, type PersonDeps } from '../read-api/audit/person.ts'
import { PersonFolder } from '../read-api/audit/person-folder.ts'
import { noSignal } from '../read-api/checkpoint-signal.ts'
import { keepMoments } from '../read-api/moments.ts'
import { followVersions } from '../read-api/versions.ts'
import { STATUS, statusHelp } from './failing.ts'
import { type OperatorOptions, operate, print, type Tools } from './operator.ts'

type Options = OperatorOptions & { readonly org: string; readonly out: string }

const HELP = `
The folder has index.html for the person, data.json for programs (portability), and the bytes of their files. It holds
personal data in the clear: hand it over by a safe way, and remove it.
${statusHelp('the bytes of a file are not there')}

Example:
  $ kogi subject export jon --org acme --out jon-2026`

/** `kogi subject export <subject>`: everything that an organization has of a person. */
export const subjectCommand = () =>
  new Command('subject').description('answer requests of persons about their data').addCommand(
    new Command('export')
      .description('write everything that an organization has of a person to a new folder')
      .argument('<subject>', 'the person, as tokens name them (sub)')
      .requiredOption('--org <id>', 'organization that has the data')
      .requiredOption('--out <folder>', 'a folder that does not exist yet')
      .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
      .option('--json', 'one JSON object instead of text')
      .addHelpText('after', HELP)
      .action((subject: string, options: Options) =>
        operate('subject', options, tools => exportPerson(subject, options, tools)),
      ),
  )

async function exportPerson(subject: string, options: Options, { pool, engines, config, log }: Tools): Promise<void> {
  const { org, out } = options
  const keys = createPool({ url: engines.keysDatabaseUrl, name: 'keys', log, max: 1 })
  const events = commandStore(engines.eventStoreUrl)
  const client = await pool.connect()
  try {
    const { open: unseal } = keyring(keys, { erased: erasedSubjects(events), masters: masterKeysOf(config) })
    const keysOf: PersonDeps['keysOf'] = (...of) => keyNamesOf(keys, ...of)
    const store = { pool, signal: noSignal, versions: followVersions(pool), moments: keepMoments(pool), guards }
    const deps = { ...store, unseal, resources, keysOf, client }
    await mkdir(out).catch(asThere(out))
    const folder = new PersonFolder(out, { org, subject })
    const files = new PersonFiles(fileStore(config), org, path.join(out, 'files'))
    try {
      for await (const list of allOf(deps, { org, subject })) {
        await folder.add(list)
        if (list.kind === 'item_files') await files.add(list.rows as unknown as readonly FileRow[])
      }
      await folder.end()
    } catch (error) {
      await rm(out, { recursive: true, force: true })
      throw error
    } finally {
      await folder.close()
    }
    const { missing, written } = files
    const counts = { ...folder.counts, files: written }
    const said = Object.entries(counts).map(([what, count]) => `${what}: ${count}`)
    const left = missing.length > 0 ? [`bytes that are not there: ${missing.join(', ')}`] : []
    const text = [`${out}: ${said.join(', ')}`, ...left]
    print(options, { subject, org, out, complete: true, missing, ...counts }, text.join('\n'))
    if (missing.length > 0) process.exitCode = STATUS.no
  } finally {
    client.release()
    await Promise.allSettled([keys.end(), events.close()])
  }
}

type FileRow = { readonly id: string; readonly name: string; readonly sha256: string }

/** The bytes of files, each under its number and name. */
class PersonFiles {
  /** Ids of files whose bytes are not there. */
  readonly missing: string[] = []
  written = 0
  readonly #store: ReturnType<typeof fileStore>
  readonly #org: string
  readonly #folder: string
  #number = 0

  constructor(store: ReturnType<typeof fileStore>, org: string, folder: string) {
    this.#store = store
    this.#org = org
    this.#folder = folder
  }

  async add(files: readonly FileRow[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    for (const { id, name, sha256 } of files) {
      this.#number += 1
      const bytes = await this.#store.read(this.#org, sha256)
      // A name has 255 bytes at most, and a letter four.
      const safe = [...name.replaceAll(/[^\p{L}\p{N}._-]/gu, '_')].slice(-60).join('')
      if (!bytes) {
        this.missing.push(id)
        continue
      }
      const place = path.join(this.#folder, `${this.#number}-${safe}`)
      await pipeline(bytes, createWriteStream(place, { mode: 0o600 }))
      this.written += 1
    }
  }
}

const asThere = (folder: string) => (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EEXIST') throw error
  throw new KogiError('folder_exists', `${folder} is there already, and nothing is overwritten: name a new folder.`)
}
