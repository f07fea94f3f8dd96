/**
 * Exports and imports a store as NDJSON: one event a line in log order, exact to the byte, with its position, time and
 * id. The last line counts and digests the others.
 */
import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { BLOCK_HEADER } from '../log/block.ts'
import { newFrameView, parseFrame } from '../log/frame.ts'
import { TOMBSTONE_REVISION } from '../wire/revisions.ts'
import { Copy, type StoredEvent, storedEvent } from './copy.ts'
import { checkExport, ExportEnd, linesOf } from './export-end.ts'
import { withReader, withStore } from './folder.ts'

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** One event as a line of an export or a backup. */
export type Line = {
  readonly position: number
  readonly stream: string
  /** A tombstone has the revision "tombstone". */
  readonly revision: number | 'tombstone'
  readonly id: string
  readonly type: string
  readonly contentType: 'application/json' | 'application/octet-stream'
  /** 100 ns ticks since 1970. */
  readonly created: string
  /** The bytes as text; those that are no UTF-8 stand in `dataBase64` and `metadataBase64`. */
  readonly data?: string
  readonly dataBase64?: string
  readonly metadata?: string
  readonly metadataBase64?: string
}

/** Writes everything that is stored at this moment, also beside a server, and returns the number of events. */
export function exportEvents(folder: string, file: string): Promise<number> {
  return withReader(folder, async store => {
    const out = createWriteStream(file, { flags: 'wx' })
    await once(out, 'open')
    const view = newFrameView()
    const end = new ExportEnd()
    let count = 0
    for (const { bytes } of store.allBlocks())
      for (let at = BLOCK_HEADER; at < bytes.length; at = view.end) {
        const line = JSON.stringify(lineOf(storedEvent(parseFrame(bytes, at, view))))
        end.add(line)
        if (!out.write(`${line}\n`)) await once(out, 'drain')
        count++
      }
    out.end(`${end.line()}\n`)
    await once(out, 'close')
    return count
  })
}

/**
 * Fills an empty folder from an export and returns the number of events. An export that is missing, cut or changed is
 * refused before anything is made; a line that does not fit is refused with its number, and leaves a folder to be
 * thrown away. An export of a version that wrote no last line is taken when it `isOpenEnded`. `onEvent` is called with
 * each event that was taken.
 */
export async function importEvents(
  folder: string,
  file: string,
  isOpenEnded = false,
  onEvent?: () => void,
): Promise<number> {
  const events = await checkExport(file, isOpenEnded)
  return withStore(folder, { verb: 'import into it', mustExist: false }, async store => {
    if (!store.isEmpty) throw new Error(`The folder ${folder} has events already: import into an empty one`)
    const copy = new Copy(store)
    let count = 0
    for await (const text of linesOf(file)) {
      if (++count > events) break
      try {
        await copy.add(storedOf(JSON.parse(text) as Line))
        onEvent?.()
      } catch (error) {
        throw new Error(`${file}, line ${count}: ${(error as Error).message}`)
      }
    }
    await copy.finish()
    return events
  })
}

function lineOf({ stream, revision, position, created, event }: StoredEvent): Line {
  return {
    position,
    stream,
    revision: revision >= TOMBSTONE_REVISION ? 'tombstone' : revision,
    id: event.id,
    type: event.type.toString('utf8'),
    contentType: event.json ? 'application/json' : 'application/octet-stream',
    created: created.toString('latin1'),
    ...(isUtf8(event.data) ? { data: event.data.toString('utf8') } : { dataBase64: event.data.toString('base64') }),
    ...(isUtf8(event.metadata)
      ? { metadata: event.metadata.toString('utf8') }
      : { metadataBase64: event.metadata.toString('base64') }),
  }
}

function storedOf(line: Line): StoredEvent {
  const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
  if (!isWhole(line.position)) throw new Error('the position is no whole number')
  if (line.revision !== 'tombstone' && !isWhole(line.revision)) throw new Error('the revision is no whole number')
  if (typeof line.stream !== 'string' || line.stream === '') throw new Error('the stream has no name')
  if (typeof line.type !== 'string') throw new Error('the type is no text')
  if (!ID.test(line.id)) throw new Error('the id is no lower-case UUID')
  if (!/^\d{17}$/.test(line.created)) throw new Error('the creation time has not 17 digits')
  const bytes = (text?: string, base64?: string): Buffer =>
    base64 === undefined ? Buffer.from(text ?? '', 'utf8') : Buffer.from(base64, 'base64')
  return {
    stream: line.stream,
    revision: line.revision === 'tombstone' ? TOMBSTONE_REVISION : line.revision,
    position: line.position,
    created: Buffer.from(line.created, 'latin1'),
    event: {
      id: line.id,
      type: Buffer.from(line.type, 'utf8'),
      json: line.contentType === 'application/json',
      metadata: bytes(line.metadata, line.metadataBase64),
      data: bytes(line.data, line.dataBase64),
    },
  }
}
