/** What became of transactions that were imported before and that the journal now has otherwise, or no more. */

import { type Posted, standingFor, type WalletState } from '../../commands/imports/wallet-state.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import type { Posting } from './booking.ts'
import { ImportRefused, type Place } from './journal.ts'

/** A transaction as it is to be booked. */
export type Entry = {
  readonly postings: readonly Posting[]
  readonly date: string
  readonly words: string
  readonly place: Place
  /** Key of the command that posts it; the next one where an import took the entry of this one back. */
  readonly key: string
  /** The entry that the wallet has for it. */
  readonly there?: Posted | undefined
  /** Ids of commands that posted it while imports did not keep the days of postings. */
  readonly withoutDays: readonly string[]
}

/** What to do with an entry whose transaction changed: take it back, or leave both. Unset: as far as it is certain. */
export type OnChange = 'reverse' | 'keep' | undefined

export type Changes = {
  /** Entries to take back, and for each the entry that stands for it now. */
  readonly replaced: ReadonlyMap<Entry, Posted>
  /** Entries to take back that nothing replaces, or whose replacement is there already. */
  readonly removed: readonly Posted[]
  /** Entries that stay although this journal has them no more, as far as is known. */
  readonly left: readonly Posted[]
}

/** Finds the changes. Refuses those that are not certain, unless `onChange` says what to do. */
export function changesOf(
  entries: readonly Entry[],
  wallet: WalletState,
  { source, onChange, file }: { readonly source: string; readonly onChange: OnChange; readonly file: string },
): Changes {
  const there = new Set(entries.map(entry => entry.there?.entry))
  const gone = new Set(
    [...wallet.posted.values()].filter(
      one => one.imported && one.reverses === undefined && !there.has(one.entry) && standingFor(one, wallet),
    ),
  )
  // A run that was cut off posted the replacement and did not come to take the first one back.
  const replaced = new Set(entries.map(({ there }) => there?.replaces))
  const superseded = [...gone].filter(({ entry }) => replaced.has(entry))
  for (const one of superseded) gone.delete(one)
  const pairs = pairsOf(entries, gone, wallet, source)
  // Another journal may well have another transaction of that day with the same words.
  const uncertain = [...pairs].find(
    ([entry, old]) => old.source !== source && !entry.withoutDays.includes(old.commandId),
  )
  const ours = [...gone].filter(one => one.source === source)
  const left = [...gone].filter(one => one.source === undefined)
  if (onChange === 'keep') {
    return { replaced: new Map(), removed: superseded, left: [...pairs.values(), ...ours, ...left] }
  }
  if (onChange === undefined && uncertain) throw mayHaveChanged(...uncertain)
  if (onChange === undefined && ours.length > 0) throw isGone(ours, file)
  return { replaced: pairs, removed: [...superseded, ...ours], left }
}

/** New transactions that are imported ones of before, changed. Takes what it pairs out of `gone`. */
function pairsOf(
  entries: readonly Entry[],
  gone: Set<Posted>,
  wallet: WalletState,
  source: string,
): ReadonlyMap<Entry, Posted> {
  const candidates = [...gone].sort((a, b) => Number(b.source === source) - Number(a.source === source))
  const pairs = new Map<Entry, Posted>()
  const fresh = entries.filter(({ there }) => !there)
  const pair = (entry: Entry, old: Posted | undefined) => {
    if (!old || !gone.delete(old)) return
    pairs.set(entry, old)
  }
  for (const entry of fresh) {
    const known = entry.withoutDays.map(id => wallet.posted.get(id)).find(old => old && gone.has(old))
    pair(entry, known)
  }
  // Of one day and the same words, or of one day and the same postings: one of them was edited.
  const alike: readonly ((one: Entry | Posted) => string)[] = [
    one => canonicalJson([dateOf(one), one.words]),
    one => canonicalJson([dateOf(one), contentOf(one.postings)]),
  ]
  for (const likeness of alike) {
    const byLikeness = new Map<string, Posted[]>()
    for (const old of candidates.filter(one => gone.has(one))) {
      const key = likeness(old)
      const others = byLikeness.get(key)
      if (others) others.push(old)
      else byLikeness.set(key, [old])
    }
    for (const entry of fresh.filter(one => !pairs.has(one))) pair(entry, byLikeness.get(likeness(entry))?.shift())
  }
  return pairs
}

const dateOf = (one: Entry | Posted) => ('date' in one ? one.date : one.effectiveOn)

type AnyPosting = {
  readonly account: string
  readonly currency: string
  readonly amount: bigint
  readonly places?: number | undefined
  readonly effectiveOn?: string | undefined
  readonly effective_on?: string | undefined
}

/** What an entry books, in a form that is compared. */
export const contentOf = (postings: readonly AnyPosting[]): string =>
  canonicalJson(
    postings.map(({ account, currency, amount, places = null, effectiveOn = null, effective_on = effectiveOn }) => [
      account,
      currency,
      String(amount),
      places,
      effective_on,
    ]),
  )

/** `2026-06-10 "Reconcile" (entry 1b2c…)` */
export const nameOf = ({ effectiveOn, words, entry }: Posted): string => `${effectiveOn} "${words}" (entry ${entry})`

const WHAT_HELPS =
  'Say --changed reverse to take back what was imported then, or --changed keep to leave it beside what is posted now.'

function mayHaveChanged(entry: Entry, old: Posted): ImportRefused {
  const message = `This transaction is not in the wallet, which has another of that day with ${
    old.words === entry.words ? 'the same words' : 'the same postings'
  }: ${nameOf(old)}. It seems to be the same one, imported ${
    old.source === undefined ? 'before' : `from the journal "${old.source}" before`
  } it was changed. ${WHAT_HELPS}`
  return new ImportRefused('transaction_changed', message, entry.place)
}

const SHOWN_MAX = 5

function isGone(gone: readonly Posted[], file: string): ImportRefused {
  const names = gone.slice(0, SHOWN_MAX).map(nameOf)
  const more = gone.length > SHOWN_MAX ? [`and ${gone.length - SHOWN_MAX} more`] : []
  const message =
    `The wallet has ${gone.length} ${gone.length === 1 ? 'entry' : 'entries'} from this journal that it has no more: ` +
    `${[...names, ...more].join('; ')}. ${WHAT_HELPS} Where this is another journal, name it: --source NAME.`
  return new ImportRefused('transactions_gone', message, { file })
}
