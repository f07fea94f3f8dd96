/** Whether the log leads to the checkpoints that were signed of it. */
import { KogiError } from '../domain/kernel/errors.ts'
import type { Config } from '../infra/config.ts'
import type { commandStore } from '../infra/event-store/command-store.ts'
import { heldBy } from '../infra/notary/anchors.ts'
import { anchorsOf, signersOf } from '../infra/notary/keys.ts'
import { lastSeals, type Seal } from '../infra/notary/seals.ts'
import { openCheckpoint, originOf } from '../projections/notary/checkpoint.ts'
import { leafOf } from '../projections/notary/leaf.ts'
import { type Hash, leafHash, Tree } from '../projections/notary/merkle.ts'
import { type Verifier, verifierOf } from '../projections/notary/note.ts'
import type { EventLog } from '../projections/ports.ts'
import { STATUS } from './failing.ts'
import { fileText } from './log-keys.ts'
import { type OperatorOptions, print } from './operator.ts'
import { progress, table } from './terminal.ts'

type Store = ReturnType<typeof commandStore>
type Known = { readonly config: Config; readonly store: Store }

/** The last seal, the anchors and keys, and what is wrong with checkpoints by themselves. */
export async function standing({ config, store }: Known) {
  const anchors = anchorsOf(config)
  // Before the event store: an anchor gets a checkpoint after that has it.
  const held = await heldBy(anchors)
  const [[seal], signers] = await Promise.all([lastSeals(store, 1), signersOf(config)])
  const verifiers = signers.map(verifierOf)
  const notes = [...(seal ? [{ anchor: EVENT_STORE, note: seal.note }] : []), ...held]
  const faults = notes.flatMap(({ anchor, note }) => faultOf(anchor, note, { verifiers, seal }))
  return { seal, anchors, held, verifiers, faults }
}

const EVENT_STORE = 'the event store'
/** Checkpoints of the event store that are looked at, from the last one back. */
const SEALS_MAX = 10_000
const EVENTS_PER_LIST = 500

/** What is wrong with a checkpoint by itself. */
function faultOf(
  anchor: string,
  note: string,
  { verifiers, seal }: { readonly verifiers: readonly Verifier[]; readonly seal: Seal | undefined },
): readonly string[] {
  try {
    const head = openCheckpoint(note, verifiers)
    if (head.origin !== verifiers[0]?.name) return [`the checkpoint of ${anchor} is of the log ${head.origin}`]
    if (head.size <= (seal?.size ?? 0)) return []
    return [`the checkpoint of ${anchor} has ${head.size} events, and the event store one of ${seal?.size ?? 0}`]
  } catch (error) {
    return [`the checkpoint of ${anchor} says nothing: ${(error as Error).message}`]
  }
}

/** A checkpoint that the log must lead to; `org` where it is that of a part. */
type Target = {
  readonly from: string
  readonly org: string | undefined
  readonly size: number
  readonly root: Hash
  verdict?: 'holds' | 'differs'
}

type Ran = Known & { readonly events: EventLog; readonly options: OperatorOptions }

/** `kogi notary check`: hashes the whole log and compares it with every checkpoint that is known. */
export async function checkLog({ config, store, events, options }: Ran, files: readonly string[]): Promise<void> {
  const { held, verifiers, faults } = await standing({ config, store })
  const seals = await lastSeals(store, SEALS_MAX)
  const given = await Promise.all(files.map(async file => ({ anchor: file, note: await fileText(file) })))
  const notes = [...seals.map(({ note }) => ({ anchor: EVENT_STORE, note })), ...held, ...given]
  const targets = notes.flatMap(({ anchor, note }) =>
    targetOf(anchor, note, { verifiers, origin: config.notaryOrigin }),
  )
  if (targets.length === 0) throw new KogiError('not_sealed', 'There is no checkpoint to compare the log with.')
  const size = await hashLog(events, targets)
  const found = [EVENT_STORE, ...new Set(targets.map(({ from }) => from).filter(from => from !== EVENT_STORE))].flatMap(
    from =>
      summed(
        from,
        targets.filter(target => target.from === from),
      ),
  )
  const isSound = found.every(({ verdict }) => verdict === 'holds') && faults.length === 0
  const rows = found.map(({ from, checkpoints, verdict, detail }) => [from, String(checkpoints), verdict, detail])
  const text = table(['checkpoints of', 'number', 'verdict', 'detail'], rows)
  const words = [`the log has ${size} events`, text, ...faults.map(fault => `broken: ${fault}`)]
  print(options, { ok: isSound, events: size, checkpoints: found, faults }, words.join('\n'))
  if (!isSound) process.exitCode = STATUS.no
}

function targetOf(from: string, note: string, known: { verifiers: readonly Verifier[]; origin: string }): Target[] {
  try {
    const { origin, size, root } = openCheckpoint(note, known.verifiers)
    if (origin === known.origin) return [{ from, org: undefined, size, root }]
    const prefix = originOf(known.origin, '')
    return origin.startsWith(prefix) ? [{ from, org: decodeURIComponent(origin.slice(prefix.length)), size, root }] : []
  } catch {
    return [] // It is among the faults.
  }
}

/** Hashes the log, and says of each target whether it led there; returns the number of events. */
async function hashLog(events: EventLog, targets: readonly Target[]): Promise<number> {
  const trees = new Map<string | undefined, { readonly tree: Tree; readonly bySize: Map<number, Target[]> }>()
  for (const target of [{ org: undefined, size: -1 } as Target, ...targets]) {
    const part = trees.get(target.org) ?? { tree: new Tree(), bySize: new Map() }
    trees.set(target.org, part)
    part.bySize.set(target.size, [...(part.bySize.get(target.size) ?? []), target])
  }
  const judge = (org: string | undefined) => {
    const { tree, bySize } = trees.get(org)!
    for (const target of bySize.get(tree.size) ?? []) {
      target.verdict = target.root.equals(tree.root) ? 'holds' : 'differs'
    }
  }
  for (const org of trees.keys()) judge(org)
  const size = Math.max(...targets.filter(({ org }) => org === undefined).map(target => target.size), 0)
  const bar = progress('hash the log', size, 'events')
  try {
    for await (const list of events.read({ after: 0n, to: await events.head(), max: EVENTS_PER_LIST })) {
      for (const event of list) {
        const leaf = leafHash(leafOf(event))
        for (const org of [undefined, event.metadata.org]) {
          const part = trees.get(org)
          if (!part) continue
          part.tree.add(leaf)
          judge(org)
        }
      }
      bar.advance(list.length)
    }
    bar.finish()
  } finally {
    bar.stop()
  }
  return trees.get(undefined)!.tree.size
}

/** The verdict on all checkpoints of one place: the first one that the log does not lead to says where it differs. */
function summed(from: string, targets: readonly Target[]) {
  const sorted = targets.toSorted((a, b) => a.size - b.size)
  const wrong = sorted.find(({ verdict }) => verdict !== 'holds')
  const last = sorted.at(-1)
  if (!last) return []
  const held = sorted.findLast(
    ({ verdict, size }) => verdict === 'holds' && size < (wrong?.size ?? Number.POSITIVE_INFINITY),
  )
  const upTo = held ? `the first ${held.size} events are those that were signed` : 'no checkpoint holds'
  const detail = !wrong
    ? `all ${last.size} events are those that were signed`
    : wrong.verdict === 'differs'
      ? `${upTo}, the first ${wrong.size} are not`
      : `${upTo}, and the log has fewer than ${wrong.size}`
  const verdict = wrong ? (wrong.verdict ?? 'missing') : 'holds'
  return [{ from, checkpoints: sorted.length, verdict, detail }]
}
