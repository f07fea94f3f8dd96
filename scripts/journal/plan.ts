/** From a journal to commands of one wallet, decided in memory: nothing is written that could be refused later. */
import { commandIdOf, fingerprintOf, streamOf, uuidOf } from '../../commands/ids.ts'
import type { Context } from '../../domain/kernel/aggregate.ts'
import { Rejection } from '../../domain/kernel/errors.ts'
import { commands, EXTERNAL } from '../../domain/wallet/wallet/messages.ts'
import { type Wallet, wallet } from '../../domain/wallet/wallet/wallet.ts'
import { type CurrencyNames, currencyNames, currencyPlaces, minorUnitsOf } from './commodities.ts'
import { entryKeys, ImportRefused, isNothing, type Journal, type Place, type Transaction } from './journal.ts'

/** The wallet that takes the journal, and how it is opened where it does not exist. */
export type Target = {
  readonly org: string
  readonly wallet: string
  readonly subject: string
  readonly kind: 'personal' | 'portfolio' | 'office' | 'business'
}

/** A wallet as folded from its stream. */
export type WalletState = {
  readonly state: Wallet
  /** Fingerprint by command id of everything that was ever done to it. */
  readonly done: ReadonlyMap<string, string>
  readonly entries: number
  /** Position of its last event, 0 where it has none. */
  readonly position: bigint
}

/** The state of a wallet that is not opened yet. */
export const NO_WALLET: WalletState = { state: wallet.initial, done: new Map(), entries: 0, position: 0n }

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
  /** Entries of the wallet that come from elsewhere, or from a line that was changed or removed since. */
  readonly otherEntries: number
  /** The wallet once every step is done. */
  readonly state: Wallet
}

type Posting = { readonly account: string; readonly currency: string; readonly amount: bigint }

/** Plans the import. Throws `ImportRefused` at the first transaction that cannot be booked. */
export function planImport(journal: Journal, target: Target, before: WalletState, given: CurrencyNames): Plan {
  const draft = new Draft(target, before)
  const names = currencyNames(journal, given)
  const places = currencyPlaces(journal, names, currency => openedPlaces(before.state, currency))
  const keys = entryKeys(journal)
  const entries = journal.flatMap((transaction, n) => {
    const postings = postingsOf(transaction, names, places)
    return postings.length === 0 ? [] : [entryStep(transaction, postings, keys[n]!)]
  })
  const missing = entries.filter(step => !draft.isDone(step))
  const [first] = journal
  if (before.state.status === 'none' && first) draft.decide(openStep(target, first.place))
  for (const step of missing) {
    for (const posting of step.body.postings) draft.open(posting, places.get(posting.currency)!, step.place)
    draft.decide(step)
  }
  const alreadyThere = entries.length - missing.length
  return {
    // Accounts come first, so that an import that was cut off has them all.
    steps: draft.steps.filter(({ command }) => command !== 'post').concat(missing),
    alreadyThere,
    empty: journal.length - entries.length,
    otherEntries: before.entries - alreadyThere,
    state: draft.state,
  }
}

/** The wallet as the plan unfolds: every step is decided by the wallet's own rules. */
class Draft {
  readonly steps: Step[] = []
  state: Wallet
  readonly #before: WalletState
  readonly #target: Target
  readonly #stream: string

  constructor(target: Target, before: WalletState) {
    this.#target = target
    this.#before = before
    this.#stream = streamOf(target.org, wallet.name, target.wallet)
    this.state = before.state
  }

  isDone({ command, body, key, place }: Step): boolean {
    const fingerprint = this.#before.done.get(commandIdOf(this.#target.org, this.#stream, key))
    if (fingerprint === undefined) return false
    if (fingerprint === fingerprintOf(wallet, command, body)) return true
    const message = 'It was imported before as another entry: use the same --commodity options as then.'
    throw new ImportRefused('idempotency_key_reused', message, place)
  }

  decide(step: Step): void {
    const { command, body, key, place } = step
    const { error } = commands[command].safeEncode(body as never)
    if (error) {
      const [{ path, message }] = error.issues as [(typeof error.issues)[number]]
      throw new ImportRefused('invalid_entry', `${path.join('.') || 'entry'}: ${message}`, place)
    }
    const { org, wallet: id, subject: actor } = this.#target
    const commandId = commandIdOf(org, this.#stream, key)
    const newId = (n: number) => uuidOf([commandId, 'made', n])
    const context: Context = { id, org, actor, at: '1970-01-01T00:00:00.000Z', newId }
    try {
      for (const { type, data } of wallet.decide[command](this.state, body as never, context)) {
        this.state = wallet.evolve[type](this.state, data as never)
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
    if (account.startsWith(EXTERNAL) || isOpen(this.state, account, currency)) return
    const body = { account, currency, places, overdraft: 'allowed' } as const
    this.decide({ command: 'openAccount', body, key: `import:account:${uuidOf([account, currency])}`, place })
  }
}

const isOpen = (state: Wallet, account: string, currency: string): boolean =>
  state.status === 'open' && Object.hasOwn(state.accounts, account) && Object.hasOwn(state.accounts[account]!, currency)

const openedPlaces = (state: Wallet, currency: string): number | undefined =>
  state.status === 'open' && Object.hasOwn(state.places, currency) ? state.places[currency] : undefined

const openStep = ({ subject, kind }: Target, place: Place): Step => ({
  command: 'open',
  body: { owner: subject, kind },
  key: 'import:wallet',
  place,
})

const entryStep = ({ date, code, description, place }: Transaction, postings: readonly Posting[], key: string) => {
  const words = [code && `(${code})`, description].filter(Boolean).join(' ')
  const body = { postings, effective_on: date, ...(words && { description: words }) }
  return { command: 'post', body, key, place } as const
}

/**
 * The postings of a transaction in minor units; none where there is nothing to book. A price moves no money: what is
 * bought and what is paid stand in an external conversion account, so that every account holds what the journal says.
 */
function postingsOf(
  { postings, place }: Transaction,
  names: CurrencyNames,
  places: ReadonlyMap<string, number>,
): readonly Posting[] {
  const booked: Posting[] = []
  for (const { account, kind, amounts } of postings) {
    for (const amount of amounts.filter(one => !isNothing(one))) {
      if (kind === 'virtual' && amount.digits !== 0n) {
        const message = `(${account}) is a virtual posting without another side; a ledger books both sides.`
        throw new ImportRefused('virtual_posting', message, place)
      }
      const currency = names.get(amount.commodity)!
      const minorUnits = minorUnitsOf(amount, currency, places.get(currency)!, place)
      booked.push({ account: account || '(unnamed)', currency, amount: minorUnits })
    }
  }
  if (booked.length < 2 && booked.every(({ amount }) => amount === 0n)) return []
  const priced = postings.some(({ amounts }) => amounts.some(amount => amount.priced))
  return priced ? [...booked, ...conversions(booked)] : booked
}

/** What brings each currency of an exchange to zero, in the account of that exchange. */
function conversions(postings: readonly Posting[]): readonly Posting[] {
  const sums = new Map<string, bigint>()
  for (const { currency, amount } of postings) sums.set(currency, (sums.get(currency) ?? 0n) + amount)
  const open = [...sums].filter(([, sum]) => sum !== 0n).sort(([a], [b]) => (a < b ? -1 : 1))
  const account = `external:conversion:${open.map(([currency]) => currency).join(':')}`
  return open.map(([currency, sum]) => ({ account, currency, amount: -sum }))
}
