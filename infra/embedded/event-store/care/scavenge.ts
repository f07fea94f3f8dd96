/**
 * Removes for good what no reader of a stream can see any more: truncated, expired, deleted. The rest is copied to a
 * new file that takes the old one's place in one rename, so that an interruption leaves the store as it was.
 */
import { renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BLOCK_HEADER } from '../log/block.ts'
import { type FrameView, newFrameView, parseFrame, streamOf } from '../log/frame.ts'
import { isMetastream, isSoftDeleted } from '../log/head.ts'
import { journalPaths } from '../log/journal.ts'
import { readableAt } from '../log/scan.ts'
import { FILE, Store } from '../log/store.ts'
import { TOMBSTONE_REVISION } from '../wire/revisions.ts'
import { Copy, storedEvent } from './copy.ts'
import { withStore } from './folder.ts'

export type Scavenged = {
  readonly kept: number
  readonly removed: number
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/** Scavenges a folder that no server has open. */
export async function scavenge(folder: string): Promise<Scavenged> {
  const path = join(folder, FILE)
  const fresh = `${path}.new`
  return withStore(folder, { verb: 'scavenge it', mustExist: true }, async source => {
    const bytesBefore = statSync(path).size
    await source.flush()
    removeRest(fresh)
    const counts = await copyKept(source, folder, fresh)
    await source.close()
    renameSync(fresh, path)
    // Processes that still read the old file keep its lock file, which readers of the new one must not share.
    rmSync(`${path}-lock`, { force: true })
    removeRest(fresh)
    return { ...counts, bytesBefore, bytesAfter: statSync(path).size }
  })
}

function removeRest(path: string): void {
  for (const rest of [path, `${path}-lock`, ...journalPaths(path)]) rmSync(rest, { force: true })
}

async function copyKept(source: Store, folder: string, fresh: string): Promise<{ kept: number; removed: number }> {
  const target = new Store(folder, { path: fresh })
  try {
    const copy = new Copy(target, source)
    const now = Date.now()
    const view = newFrameView()
    let kept = 0
    let removed = 0
    for (const { bytes } of source.allBlocks())
      for (let at = BLOCK_HEADER; at < bytes.length; at = view.end) {
        parseFrame(bytes, at, view)
        if (isKept(source, view, now)) {
          await copy.add(storedEvent(view))
          kept++
        } else removed++
      }
    await copy.finish(source.state.nextPosition)
    // A stream whose events are all gone still counts on from its last revision.
    await target.takeHeads(source)
    return { kept, removed }
  } finally {
    await target.close()
  }
}

function isKept(store: Store, view: FrameView, now: number): boolean {
  if (view.revision >= TOMBSTONE_REVISION) return true
  const stream = streamOf(view)
  const head = store.head(stream)
  if (head === undefined) return true
  if (head.tombstoned || isSoftDeleted(head)) return false
  return view.revision >= readableAt(store, head, isMetastream(stream), now).first
}
