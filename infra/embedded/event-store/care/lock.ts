/**
 * The lock of a folder, which one process may write. The lock names its owner and is void as soon as that process is
 * gone. A process of another container or machine cannot be looked up: it counts as alive while it touches the lock
 * every second.
 */
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

const LOCK = 'owner.lock'
const ATTEMPTS = 5
/** How often the owner touches the lock. */
const BEAT_MS = 1000
/** How long an owner that cannot be looked up may be silent before it counts as gone. */
const SILENCE_MS_MAX = 10_000
const WATCH_MS = 250
/** How long after the last beat the owner checks, before it writes, that the folder is still its own. */
const DOUBT_MS = 3000

export type Lock = {
  /** Throws when another process has taken the folder, which may happen while this one is suspended. */
  check(): void
  release(): void
}

/** The process that has the lock. */
type Owner = {
  readonly pid: number
  /** When the process started, in the system's own words, because process ids are used again. */
  readonly started: string
  /** Differs each time that the lock is taken. */
  readonly id: string
  /** The boot and the process namespace that the process id belongs to. */
  readonly place: string
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

/** The id of the running process that has the folder. */
export function ownerOf(folder: string): number | undefined {
  const path = join(folder, LOCK)
  const owner = readOwner(path)
  return owner && isAlive(owner, path) ? owner.pid : undefined
}

/** Touches the lock until it is released; a beat that finds another owner throws, which ends the process. */
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

/** Marks the owner as alive; when the folder is gone or the disk fails, the next commit reports it. */
function touch(path: string): void {
  try {
    const now = new Date()
    utimesSync(path, now, now)
  } catch {
    // It is tried again with the next beat.
  }
}

/** Throws unless the owner is gone; watches one that cannot be looked up until it beats or was silent too long. */
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

/** Makes the lock with its content by a hard link; false when there is one already. */
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

/** Moves a dead owner's lock away before it removes it, so that of two processes which do so only one succeeds. */
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

/** The boot and process namespace in which this process's id is valid; other systems than Linux have one. */
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
    // Field 22 of /proc/<pid>/stat, counted from behind the command, whose parentheses may hold any character.
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
