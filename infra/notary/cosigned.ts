/**
 * The last checkpoint of each tree that witnesses have cosigned, in a stream of its own beside the domain events: the
 * note with the log's signatures and the lines of the witnesses.
 */
import { randomUUID } from 'node:crypto'
import { uuidOf } from '../../commands/ids.ts'
import type { EventStore } from '../../commands/ports.ts'
import { statedHead } from '../../projections/notary/checkpoint.ts'
import type { Cosignature } from '../../projections/notary/cosignature.ts'

/** `tree` is an org, or empty for the whole log. */
const streamOf = (tree: string) => `notary-cosigned-${uuidOf(['cosigned', tree])}`

type Streams = Pick<EventStore, 'readDerived' | 'appendDerived' | 'keepLast'>

/** The last checkpoint of a tree that a witness has cosigned; `undefined` where it has none. */
export async function lastCosigned(store: Pick<EventStore, 'readDerived'>, tree: string): Promise<string | undefined> {
  const [last] = await store.readDerived(streamOf(tree), 'backwards', 1)
  return last && (last.data as { readonly note: string }).note
}

/** Whether a checkpoint is a later one of the same log: a log of another name begins anew. */
function isLater(before: string, note: string): boolean {
  const [kept, given] = [statedHead(before), statedHead(note)]
  return kept.origin === given.origin && kept.size > given.size
}

/** Gathers the cosignatures of the checkpoints of each tree, and keeps what is there of the latest. */
export function cosignedNotes(store: Streams, onKept: (tree: string, note: string) => Promise<void>) {
  const latest = new Map<string, string>()
  let turn = Promise.resolve()
  const keep = async (tree: string, note: string, { name, line }: Cosignature) => {
    const before = latest.get(tree) ?? (await lastCosigned(store, tree))
    const isSame = before?.startsWith(note) === true
    if (before !== undefined && !isSame && isLater(before, note)) return
    const others = isSame ? before.slice(note.length).split(/(?<=\n)/) : []
    const cosigned = note + others.filter(other => !other.startsWith(`— ${name} `)).join('') + line
    if (before === undefined) await store.keepLast(streamOf(tree), 1)
    await store.appendDerived(streamOf(tree), [
      { id: randomUUID(), type: 'CheckpointCosigned', data: { tree, note: cosigned }, metadata: {} },
    ])
    latest.set(tree, cosigned)
    await onKept(tree, cosigned)
  }
  return (tree: string, note: string, cosignature: Cosignature): Promise<void> => {
    const kept = turn.then(() => keep(tree, note, cosignature))
    turn = kept.catch(() => {})
    return kept
  }
}
