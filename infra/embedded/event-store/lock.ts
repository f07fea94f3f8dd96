import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A folder is served by one process. The lock names its owner and is void as soon as that process is gone. */

interface Owner {
  readonly pid: number
  /** When the process started, in the system's own words: a process id alone is used again. */
  readonly started: string
}

const LOCK = 'owner.lock'
const ATTEMPTS = 5

export interface Lock {
  release(): void
}

/** Takes the folder, or throws naming the process that has it. */
export function lockFolder(folder: string): Lock {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, LOCK)
  const mine = join(folder, `owner.${process.pid}.tmp`)
  writeFileSync(mine, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }))
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (created(mine, path)) return { release: () => rmSync(path, { force: true }) }
      const owner = readOwner(path)
      if (owner && isRunning(owner))
        throw new Error(`The folder ${folder} is in use by process ${owner.pid}: stop it, or choose another folder`)
      discard(path)
    }
    throw new Error(`The lock of ${folder} is contested: try again`)
  } finally {
    rmSync(mine, { force: true })
  }
}

/** The running process that has the folder. */
export function ownerOf(folder: string): number | undefined {
  const owner = readOwner(join(folder, LOCK))
  return owner && isRunning(owner) ? owner.pid : undefined
}

/** A hard link either makes the lock with its content, or finds one there. */
function created(mine: string, path: string): boolean {
  try {
    linkSync(mine, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function readOwner(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner
  } catch {
    return undefined
  }
}

/** Renaming first: of two processes that find the same dead owner, one moves the lock away and the other finds none. */
function discard(path: string): void {
  const aside = `${path}.${process.pid}.dead`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  const moved = readOwner(aside)
  if (moved && isRunning(moved)) renameSync(aside, path)
  else rmSync(aside, { force: true })
}

function isRunning(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return startOf(owner.pid) === owner.started
}

function startOf(pid: number): string {
  try {
    // Field 22 of /proc/<pid>/stat, counted behind the command's closing parenthesis, which may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return startByPs(pid)
  }
}

function startByPs(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'latin1' }).trim()
  } catch {
    return ''
  }
}
