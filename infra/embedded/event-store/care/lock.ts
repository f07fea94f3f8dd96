import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * A folder is served by one process. The lock names its owner and is void as soon as that process is gone. A process
 * of another container or machine cannot be looked up: it counts as alive while it touches the lock every second.
 */

interface Owner {
  readonly pid: number
  /** When the process started, in the system's own words: a process id alone is used again. */
  readonly started: string
  /** One taking of the lock. */
  readonly id: string
  /** The boot and the process namespace that the process id belongs to. */
  readonly place: string
}

const LOCK = 'owner.lock'
const ATTEMPTS = 5
const BEAT_MS = 1000
const SILENCE_MS_MAX = 10_000
const WATCH_MS = 250
/** After so long without a beat the owner looks whether the folder is still its own, before it writes. */
const DOUBT_MS = 3000

export interface Lock {
  /** Throws when another process has taken the folder, as it may while this one stands still. */
  check(): void
  release(): void
}

/** Takes the folder, or throws naming the process that has it. */
export async function lockFolder(folder: string): Promise<Lock> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, LOCK)
  const id = randomUUID()
  const mine = join(folder, `owner.${id}.tmp`)
  try {
    writeFileSync(mine, JSON.stringify({ pid: process.pid, started: startOf(process.pid), id, place: place() }))
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (created(mine, path)) return heldLock(folder, path, id)
      await checkAbandoned(folder, path)
      discard(path, id)
    }
    throw new Error(`The lock of ${folder} is contested: try again`)
  } finally {
    rmSync(mine, { force: true })
  }
}

/** The running process that has the folder. */
export function ownerOf(folder: string): number | undefined {
  const path = join(folder, LOCK)
  const owner = readOwner(path)
  return owner && isAlive(owner, path) ? owner.pid : undefined
}

/** Beats until it is released; the process ends when the folder is found in other hands. */
function heldLock(folder: string, path: string, id: string): Lock {
  let beatAt = Date.now()
  let lost: Error | undefined
  const look = (): void => {
    const owner = readOwner(path)
    if (owner && owner.id !== id)
      lost = new Error(`Process ${owner.pid} has taken the folder ${folder} from this one, which writes no more`)
    if (lost) throw lost
  }
  const beat = (): void => {
    look()
    touch(path)
    beatAt = Date.now()
  }
  const timer = setInterval(beat, BEAT_MS).unref()
  return {
    check: () => {
      if (lost) throw lost
      if (Date.now() - beatAt > DOUBT_MS) beat()
    },
    release: () => {
      clearInterval(timer)
      if (readOwner(path)?.id === id) rmSync(path, { force: true })
    },
  }
}

/** A lock that cannot be touched is one whose folder is gone, or a disk that says so to the next commit. */
function touch(path: string): void {
  try {
    const now = new Date()
    utimesSync(path, now, now)
  } catch {
    // Tried again with the next beat.
  }
}

/** Throws unless the owner is gone; one that cannot be looked up is watched until it beats or was silent too long. */
async function checkAbandoned(folder: string, path: string): Promise<void> {
  const owner = readOwner(path)
  if (owner === undefined) return
  if (!isElsewhere(owner)) {
    if (!isRunning(owner)) return
    throw new Error(`The folder ${folder} is in use by process ${owner.pid}: stop it, or choose another folder`)
  }
  const first = beatOf(path)
  for (const begin = Date.now(); Date.now() - begin < SILENCE_MS_MAX && isAlive(owner, path); ) {
    await sleep(WATCH_MS)
    if (first !== undefined && beatOf(path) !== first) break
  }
  const last = beatOf(path)
  if (last === undefined || last === first) return
  throw new Error(
    `The folder ${folder} is in use by process ${owner.pid} of another container or machine: ` +
      'stop it, or choose another folder',
  )
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
function discard(path: string, id: string): void {
  const aside = `${path}.${id}.dead`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  const moved = readOwner(aside)
  if (moved && isAlive(moved, aside)) renameSync(aside, path)
  else rmSync(aside, { force: true })
}

function isAlive(owner: Owner, path: string): boolean {
  if (!isElsewhere(owner)) return isRunning(owner)
  return Date.now() - (beatOf(path) ?? 0) < SILENCE_MS_MAX
}

function isElsewhere(owner: Owner): boolean {
  return owner.place !== place()
}

/** When the owner touched the lock last. */
function beatOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}

/** Where this process's id means something; elsewhere than on Linux, one place. */
function place(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return process.platform
  }
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
