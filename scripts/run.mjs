/** Runs the CLI from its build, and builds it before where a source is newer: what runs is never stale. */
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const ROOT = path.resolve(import.meta.dirname, '..')
const BUILT = path.join(ROOT, 'dist/scripts/kogi.js')
const FOLDERS = ['commands', 'domain', 'infra', 'projections', 'read-api', 'scripts']
const FILES = ['package-lock.json', 'tsconfig.json']

const changedAt = file => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** When a source was last changed, added, renamed or removed; a folder tells the last three. */
function newest() {
  const inside = FOLDERS.flatMap(folder => [
    folder,
    ...readdirSync(path.join(ROOT, folder), { recursive: true }).map(name => path.join(folder, name)),
  ])
  return Math.max(...[...inside, ...FILES].map(file => changedAt(path.join(ROOT, file))))
}

if (newest() > changedAt(BUILT)) {
  process.stderr.write('kogi: the sources are newer than the build, building …\n')
  await import('./build.mjs')
}
await import(pathToFileURL(BUILT).href)
