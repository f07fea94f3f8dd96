/** From a journal to commands of one wallet, decided in memory: nothing is written that could be refused later. */
import { commandIdOf, streamOf, uuidOf } from '../../commands/ids.ts'
import { reversalOf } from '../../commands/imports/reversal.ts'
import { type Posted, standingFor, type WalletState } from '../../commands/imports/wallet-state.ts'
import type { Context } from '../../domain/kernel/aggregate.ts'
import { Rejection } from '../../domain/kernel/errors.ts'
import { commands, EXTERNAL } from '../../domain/wallet/wallet/messages.ts'
import { accountOf, type Wallet, wallet, walletPlacesOf } from '../../domain/wallet/wallet/wallet.ts'
import { book, type Posting, type Rounding } from './booking.ts'
import { type Changes, changesOf, contentOf, type Entry, type OnChange } from './changes.ts'
import { type Currencies, type CurrencyNames, currenciesOf } from './commodities.ts'
import { entryKeys, hasDays, ImportRefused, type Journal, keysWithoutDays, type Place } from './journal.ts'
import { checkEntry } from './limits.ts'

/** The wallet that takes the journal, and how it is opened where it does not exist. */
export type Target = {
  readonly org: string
  readonly wallet: string
  readonly subject: string
  readonly kind: 'personal' | 'portfolio' | 'office' | 'business'
}

export type Options = {
  /** What the journal is called: entries of a journal of another name are none of its business. */
  readonly source: string
  readonly onChange?: OnChange
}

export type Step = {
  readonly command: 'open' | 'openAccount' | 'post'
  readonly body: object
  readonly key: string
  readonly place: Place
}

export type Plan = {
  /** Commands to send, in this order. */
  readonly steps: readonly Step[]
  /** Entries that the wallet has from an earlier import. */
  readonly alreadyThere: number
  /** Transactions without two postings of any money: nothing is booked for them. */
  readonly empty: number
  /** Entries of the wallet that come from elsewhere, or from a transaction that is no more and was not taken back. */
  readonly otherEntries: number
  readonly changes: Changes
  /** Entries of its transactions that were taken back by hand: they stay so. */
  readonly takenBack: readonly Posted[]
  /** Amounts that the journal leaves to be computed and that are finer than their currency. */
  readonly roundings: readonly Rounding[]
  /** The wallet once every step is done. */
  readonly state: Wallet
}

/** Plans the import. Throws `ImportRefused` at the first transaction that cannot be booked. */
export function planImport(
  journal: Journal,
  target: Target,
  before: WalletState,
  given: CurrencyNames,
  { source, onChange }: Options = { source: 'journal' },
): Plan {
  const draft = new Draft(target, before)
  const currencies = currenciesOf(journal, given, currency => walletPlacesOf(before.state, currency))
  const { entries, roundings } = entriesOf(journal, currencies, draft)
  const [first] = journal
  const file = first?.place.file ?? source
  const changes = changesOf(entries, before, { source, onChange, file })
  if (before.state.status === 'none' && first) draft.decide(openStep(target, first.place))
  const takeBack = (old: Posted, place: Place) => {
    const standing = standingFor(old, before)
    if (standing) draft.decide({ ...reversalOf(standing, source), place })
  }
  const places = new Map([...currencies.values()].map(currency => [currency.name, currency.places]))
  for (const entry of entries.filter(({ there }) => !there)) {
    const old = changes.replaced.get(entry)
    for (const posting of entry.postings) draft.open(posting, places.get(posting.currency)!, entry.place)
    draft.decide(entryStep(entry, source, old))
    // The new entry comes first, and names the old one: a run that is cut off between the two is completed by the next.
    if (old) takeBack(old, entry.place)
  }
  for (const old of changes.removed) takeBack(old, { file })
  const alreadyThere = entries.filter(({ there }) => there).length
  return {
    // Accounts come first, so that an import that was cut off has them all.
    steps: [...draft.steps.filter(isOpening), ...draft.steps.filter(step => !isOpening(step))],
    alreadyThere,
    empty: journal.length - entries.length,
    otherEntries: countLive(before) - alreadyThere - changes.replaced.size - changes.removed.length,
    changes,
    takenBack: entries.flatMap(({ there }) => (there && !standingFor(there, before) ? [there] : [])),
    roundings,
    state: draft.state,
  }
}

/** Whether a step takes an entry back. */
export const isReversal = ({ body }: Step): boolean => 'reverses' in body

const isOpening = ({ command }: Step) => command !== 'post'

/** Entries that nothing took back, and that take none back. */
const countLive = ({ posted, reversed }: WalletState) =>
  [...posted.values()].filter(one => !reversed.has(one.entry) && !(one.source && one.reverses)).length

/** What the journal books, and what the wallet has of it. */
function entriesOf(journal: Journal, currencies: Currencies, draft: Draft) {
  const keys = entryKeys(journal)
  const olderKeys = keysWithoutDays(journal)
  const sameButDays = new Map<string, string[]>()
  for (const key of olderKeys) {
    const ids = sameButDays.get(hashOf(key)) ?? []
    ids.push(draft.commandIdOf(key))
    sameButDays.set(hashOf(key), ids)
  }
  const roundings: Rounding[] = []
  const entries = journal.flatMap((transaction, n): readonly Entry[] => {
    const { date, code, description, place } = transaction
    const booking = book(transaction, currencies)
    if (booking.postings.length === 0) return []
    const words = [code && `(${code})`, description].filter(Boolean).join(' ')
    checkEntry(booking.postings, words, place)
    roundings.push(...booking.roundings)
    const withoutDays = hasDays(transaction) ? sameButDays.get(hashOf(olderKeys[n]!))! : []
    return [{ postings: booking.postings, date, words, place, withoutDays, ...draft.find(keys[n]!) }]
  })
  for (const { there, postings, place } of entries) {
    if (!there || contentOf(there.postings) === contentOf(postings)) continue
    const message = 'It was imported before as another entry: use the same --commodity options as then.'
    throw new ImportRefused('idempotency_key_reused', message, place)
  }
  return { entries, roundings }
}

/** A key without its number among equal transactions. */
const hashOf = (key: string) => key.slice(0, key.lastIndexOf(':'))

/** The wallet as the plan unfolds: every step is decided by the wallet's own rules. */
class Draft {
  readonly steps: Step[] = []
  state: Wallet
  readonly #before: WalletState
  readonly #target: Target
  readonly #stream: string
  readonly #at = new Date().toISOString()

  constructor(target: Target, before: WalletState) {
    this.#target = target
    this.#before = before
    this.#stream = streamOf(target.org, wallet.name, target.wallet)
    this.state = before.state
  }

  commandIdOf(key: string): string {
    return commandIdOf(this.#target.org, this.#stream, key)
  }

  /** The entry of a key, or the first key after it whose entry no import has taken back. */
  find(first: string): { readonly key: string; readonly there: Posted | undefined } {
    for (let n = 1; ; n += 1) {
      const key = n === 1 ? first : `${first}:again:${n}`
      const there = this.#before.posted.get(this.commandIdOf(key))
      if (!there || !this.#before.reversed.has(there.entry)) return { key, there }
    }
  }

  decide(step: Step): void {
    const { command, body, key, place } = step
    const { error } = commands[command].safeEncode(body as never)
    if (error) {
      const [{ path }] = error.issues as [(typeof error.issues)[number]]
      throw new ImportRefused('invalid_entry', `No wallet takes this ${path.join('.') || 'entry'}.`, place)
    }
    const { org, wallet: id, subject: actor } = this.#target
    const commandId = this.commandIdOf(key)
    const newId = (n: number) => uuidOf([commandId, 'made', n])
    const context: Context = { id, org, actor, permissions: [], at: this.#at, newId }
    try {
      for (const { type, data } of wallet.decide[command](this.state, body as never, context)) {
        this.state = wallet.evolve[type](this.state, data as never, this.#at)
      }
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      const facts = error.details.map(({ field, message }) => ` ${field} ${message}`).join(',')
      throw new ImportRefused(error.code, `${error.message}${facts}`, place, { cause: error })
    }
    this.steps.push(step)
  }

  /** Opens the account of a posting, where it is one of the wallet's and not open in that currency. */
  open({ account, currency }: Posting, places: number, place: Place): void {
    if (account.startsWith(EXTERNAL) || accountOf(this.state, account, currency)) return
    const body = { account, currency, places, overdraft: 'allowed' } as const
    this.decide({ command: 'openAccount', body, key: `import:account:${uuidOf([account, currency])}`, place })
  }
}

const openStep = ({ subject, kind }: Target, place: Place): Step => ({
  command: 'open',
  body: { owner: subject, kind },
  key: 'import:wallet',
  place,
})

const entryStep = ({ postings, date, words, key, place }: Entry, source: string, old?: Posted): Step => ({
  command: 'post',
  body: {
    postings,
    effective_on: date,
    ...(words && { description: words }),
    source,
    ...(old && { replaces: old.entry }),
  },
  key,
  place,
})
