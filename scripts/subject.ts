import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
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
import { type PersonDeps, personOf } from '../read-api/audit/person.ts'
import { personPage } from '../read-api/audit/person-page.ts'
import { noSignal } from '../read-api/checkpoint-signal.ts'
import { keepMoments } from '../read-api/moments.ts'
import { followVersions } from '../read-api/versions.ts'
import { STATUS, statusHelp } from './failing.ts'
import { type OperatorOptions, operate, print, type Tools } from './operator.ts'

type Options = OperatorOptions & { readonly org: string; readonly out: string }

const HELP = `
The folder has index.html for the person, data.json for programs (portability), and the bytes of their files. It holds
personal data in the clear: hand it over by a safe way, and remove it.
${statusHelp('something has more rows than one export holds, or the bytes of a file are not there')}

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
  try {
    const { open: unseal } = keyring(keys, { erased: erasedSubjects(events), masters: masterKeysOf(config) })
    const keysOf: PersonDeps['keysOf'] = (...of) => keyNamesOf(keys, ...of)
    const store = { pool, signal: noSignal, versions: followVersions(pool), moments: keepMoments(pool), guards }
    const deps: PersonDeps = { ...store, unseal, resources, keysOf }
    const principal = { subject: 'kogi-operator', org, roles: [], permissions: ['*'] }
    const person = await personOf(deps, { principal, signal: new AbortController().signal }, subject)
    await mkdir(out).catch(asThere(out))
    await writeFile(path.join(out, 'data.json'), `${JSON.stringify(person, null, 2)}\n`, { mode: 0o600 })
    await writeFile(path.join(out, 'index.html'), personPage(person), { mode: 0o600 })
    const files = (person.rows.item_files ?? []) as unknown as readonly FileRow[]
    const missing = await writeFiles(fileStore(config), org, path.join(out, 'files'), files)
    const { rows, acts, complete } = person
    const records = Object.values(rows).reduce((sum, list) => sum + list.length, 0)
    const counts = { events: person.events.length, records, acts: acts.length, files: files.length - missing.length }
    const said = Object.entries(counts).map(([what, count]) => `${what}: ${count}`)
    const left = missing.length > 0 ? [`bytes that are not there: ${missing.join(', ')}`] : []
    const text = [`${out}: ${said.join(', ')}`, ...left, ...(complete ? [] : ['there is more than one export holds'])]
    print(options, { subject, org, out, complete, missing, ...counts }, text.join('\n'))
    if (!complete || missing.length > 0) process.exitCode = STATUS.no
  } finally {
    await Promise.allSettled([keys.end(), events.close()])
  }
}

type FileRow = { readonly id: string; readonly name: string; readonly sha256: string }

/** Writes the bytes of files, each under its number and name, and returns the ids of those that are not there. */
async function writeFiles(
  { read }: ReturnType<typeof fileStore>,
  org: string,
  folder: string,
  files: readonly FileRow[],
): Promise<readonly string[]> {
  if (files.length === 0) return []
  await mkdir(folder)
  const missing: string[] = []
  for (const [n, { id, name, sha256 }] of files.entries()) {
    const bytes = await read(org, sha256)
    // A name has 255 bytes at most, and a letter four.
    const safe = [...name.replaceAll(/[^\p{L}\p{N}._-]/gu, '_')].slice(-60).join('')
    if (bytes) await pipeline(bytes, createWriteStream(path.join(folder, `${n + 1}-${safe}`), { mode: 0o600 }))
    else missing.push(id)
  }
  return missing
}

const asThere = (folder: string) => (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EEXIST') throw error
  throw new KogiError('folder_exists', `${folder} is there already, and nothing is overwritten: name a new folder.`)
}
