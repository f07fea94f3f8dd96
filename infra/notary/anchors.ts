/**
 * Where checkpoints are kept beside the log, out of reach of those who can change it. A file is read again when
 * the notary starts; an address of HTTP is given each checkpoint, as text, by POST.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const POST_TIMEOUT_MS = 5_000
const [PAUSE_MS_MIN, PAUSE_MS_MAX] = [1_000, 60_000]

const isAddress = (anchor: string): boolean => /^https?:\/\//.test(anchor)

/** What an anchor is called in messages: an address by its host, because the rest of it may open something. */
export const anchorName = (anchor: string): string => (isAddress(anchor) ? new URL(anchor).host : anchor)

/** A checkpoint that an anchor holds. */
export type Held = { readonly anchor: string; readonly note: string }

/** Checkpoints that the anchors hold; those of addresses are not asked for. */
export async function heldBy(anchors: readonly string[]): Promise<readonly Held[]> {
  const files = anchors.filter(anchor => !isAddress(anchor))
  const held = await Promise.all(
    files.map(async anchor => {
      try {
        return [{ anchor, note: await readFile(anchor, 'utf8') }]
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
        throw error
      }
    }),
  )
  return held.flat()
}

/** Gives one anchor the latest checkpoint, whenever there is a newer one, and again where it did not take it. */
export class Anchor {
  readonly name: string
  #trouble: Error | undefined
  #wanted: string | undefined
  #working: Promise<void> | undefined
  readonly #signal: AbortSignal

  constructor(name: string, signal: AbortSignal) {
    this.name = name
    this.#signal = signal
  }

  /** Why it did not take the last checkpoint, while it does not. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  give(note: string): void {
    this.#wanted = note
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  async settled(): Promise<void> {
    await this.#working
  }

  async #work(): Promise<void> {
    for (let pauseMs = PAUSE_MS_MIN; this.#wanted !== undefined; ) {
      const note = this.#wanted
      try {
        await (isAddress(this.name) ? post(this.name, note) : write(this.name, note))
        this.#trouble = undefined
        pauseMs = PAUSE_MS_MIN
        if (this.#wanted === note) this.#wanted = undefined
      } catch (error) {
        this.#trouble = error as Error
        if (this.#signal.aborted) return
        await sleep(pauseMs, undefined, { signal: this.#signal }).catch(() => {})
        pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)
      }
    }
  }
}

async function post(address: string, note: string): Promise<void> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    body: note,
    redirect: 'error',
    signal: AbortSignal.timeout(POST_TIMEOUT_MS),
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`${anchorName(address)} answered ${response.status}`)
}

/** A reader sees the file before or after, and never a part of it. */
async function write(file: string, note: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true })
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, note)
  await rename(draft, file)
}
