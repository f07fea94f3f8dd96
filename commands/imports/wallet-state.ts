/** A wallet as an import finds it: its state, and every entry that was ever posted to it. */
import { evolveWith } from '../../domain/kernel/aggregate.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import type { events } from '../../domain/wallet/wallet/messages.ts'
import { type Wallet, wallet } from '../../domain/wallet/wallet/wallet.ts'
import type { WriteDeps } from '../execute.ts'
import { streamOf } from '../ids.ts'

type EntryData = ReturnType<(typeof events)['EntryPosted']['parse']>

/** An entry of the wallet. */
export type Posted = Omit<EntryData, 'kind' | 'description'> & {
  readonly commandId: string
  /** Its description, empty where it has none. */
  readonly words: string
  /** Whether an import posted it, of this version or of one that noted no source. */
  readonly imported: boolean
}

/** A wallet as folded from its stream. */
export type WalletState = {
  readonly state: Wallet
  /** Entries by the id of the command that posted them. */
  readonly posted: ReadonlyMap<string, Posted>
  /** Ids of entries that an import took back, and of those that stood for them before they were replaced. */
  readonly reversed: ReadonlySet<string>
  /** By the id of an entry that was taken back, by an import or by hand, the entry that did it. */
  readonly takenBackBy: ReadonlyMap<string, Posted>
  /** Position of its last event, 0 where it has none. */
  readonly position: bigint
}

/** The state of a wallet that is not opened yet. */
export const NO_WALLET: WalletState = {
  state: wallet.initial,
  posted: new Map(),
  reversed: new Set(),
  takenBackBy: new Map(),
  position: 0n,
}

/** Adds events to a wallet. */
export function afterEvents(before: WalletState, events: Iterable<DomainEvent>): WalletState {
  let { state, position } = before
  const posted = new Map(before.posted)
  const reversed = new Set(before.reversed)
  const takenBackBy = new Map(before.takenBackBy)
  const byId = new Map([...posted.values()].map(one => [one.entry, one]))
  for (const event of events) {
    const { type, data, metadata } = event
    state = evolveWith(wallet, state, event) as Wallet
    position = event.position
    if (type !== 'EntryPosted') continue
    const { kind, description: words = '', ...entry } = data as EntryData
    // Requests have a role; an import has none.
    const imported = entry.source !== undefined || (kind === 'journal' && metadata.actor.roles.length === 0)
    const one = { ...entry, words, commandId: metadata.commandId, imported }
    posted.set(metadata.commandId, one)
    byId.set(one.entry, one)
    if (one.reverses === undefined) continue
    takenBackBy.set(one.reverses, one)
    if (one.source === undefined) continue
    for (let gone = byId.get(one.reverses); gone; gone = replacedBy(gone, byId)) reversed.add(gone.entry)
  }
  return { state, posted, reversed, takenBackBy, position }
}

/** The entry that an entry took back and stands for, `undefined` where there is none. */
export const replacedBy = (one: Posted, byId: ReadonlyMap<string, Posted>): Posted | undefined =>
  one.takenBack === undefined || one.reverses === undefined ? undefined : byId.get(one.reverses)

/** What stands for an entry by now: itself, what replaced it, or nothing where it was taken back. */
export function standingFor(entry: Posted, { takenBackBy }: Pick<WalletState, 'takenBackBy'>): Posted | undefined {
  for (let now = entry; ; ) {
    const by = takenBackBy.get(now.entry)
    if (!by) return now
    if (by.takenBack === undefined) return undefined
    now = by
  }
}

const PAGE = 4096

/** Reads a wallet's whole stream: its state, and every entry that was posted to it. */
export async function loadWallet(
  deps: Pick<WriteDeps, 'store' | 'codec'>,
  { org, wallet: id }: { readonly org: string; readonly wallet: string },
): Promise<WalletState> {
  return afterEvents(NO_WALLET, await eventsOf(deps, streamOf(org, wallet.name, id)))
}

/** All events of a stream. */
export async function eventsOf(
  { store, codec }: Pick<WriteDeps, 'store' | 'codec'>,
  stream: string,
): Promise<readonly DomainEvent[]> {
  const events: DomainEvent[] = []
  for (let next = 0n; ; ) {
    const page = await store.read(stream, next, PAGE)
    for (const event of page) events.push(codec.decode(event))
    if (page.length < PAGE) return events
    next = page.at(-1)!.revision + 1n
  }
}
