import { aggregate, type Context, type Decide, type EventOf, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { MAX_MINOR_UNITS } from '../../kernel/schema.ts'
import { placesOf } from './currencies.ts'
import { commands, EXTERNAL, events, rejections } from './messages.ts'

type Posting = { readonly account: string; readonly currency: string; readonly amount: bigint }
type Account = Posting & { readonly overdraft: 'refused' | 'allowed' }
type Accounts = Readonly<Record<string, { readonly [currency: string]: Account }>>

export type Wallet =
  | { readonly status: 'none' }
  | { readonly status: 'open'; readonly places: Readonly<Record<string, number>>; readonly accounts: Accounts }
  | { readonly status: 'closed' }
type OpenWallet = Extract<Wallet, { status: 'open' }>

const evolve: Evolve<Wallet, typeof events> = {
  WalletOpened: () => ({ status: 'open', places: {}, accounts: {} }),
  AccountOpened: (wallet, { account, currency, places, overdraft }) => {
    const open = inStatus(wallet, 'open')
    const opened = { account, currency, overdraft, amount: 0n }
    return { ...withAccount(open, opened), places: { ...open.places, [currency]: places } }
  },
  EntryPosted: (wallet, { postings }) =>
    postings.filter(isOwn).reduce(
      (open, posting) => {
        const held = find(open, posting)
        invariant(held, `posting to ${posting.account}, which was never opened in ${posting.currency}`)
        return withAccount(open, { ...held, amount: held.amount + posting.amount })
      },
      inStatus(wallet, 'open'),
    ),
  WalletClosed: () => ({ status: 'closed' }),
}

const CLOSED = ['wallet_closed', 'The wallet is closed and takes no more commands.'] as const

const decide: Decide<Wallet, typeof commands, typeof events> = {
  open(wallet, { owner, holder, kind }, { actor }) {
    if (wallet.status !== 'none') throw rejected('wallet_already_open', 'The wallet exists; choose another id.')
    return [{ type: 'WalletOpened', data: { owner: owner ?? actor, kind, ...(holder && { holder }) } }]
  },
  openAccount(wallet, { account, currency, places, overdraft }) {
    const open = inStatus(wallet, 'open', CLOSED)
    if (account.startsWith(EXTERNAL)) {
      throw rejected('account_is_external', 'External accounts need no opening; choose another name.', { account })
    }
    const known = own(open.places, currency) ?? placesOf(currency)
    if ((known ?? places) === undefined) {
      throw rejected('currency_places_unknown', 'Not an ISO 4217 code: name its decimal `places`.', { currency })
    }
    if (known !== undefined && places !== undefined && places !== known) {
      throw rejected('currency_places_mismatch', 'The currency has other decimal places.', { currency, places: known })
    }
    const existing = find(open, { account, currency })
    if (existing?.overdraft === overdraft) return []
    if (existing) throw rejected('account_already_open', 'The account is open with another policy.', { account })
    return [{ type: 'AccountOpened', data: { account, currency, places: (known ?? places)!, overdraft } }]
  },
  credit: (wallet, { account, currency, amount, counterparty, ...rest }, context) =>
    post(inStatus(wallet, 'open', CLOSED), context, {
      kind: 'credit',
      postings: transfer(counterparty, account, currency, amount),
      ...rest,
    }),
  debit: (wallet, { account, currency, amount, counterparty, ...rest }, context) =>
    post(inStatus(wallet, 'open', CLOSED), context, {
      kind: 'debit',
      postings: transfer(account, counterparty, currency, amount),
      ...rest,
    }),
  post: (wallet, entry, context) => post(inStatus(wallet, 'open', CLOSED), context, { kind: 'journal', ...entry }),
  close(wallet) {
    if (wallet.status === 'closed') return []
    for (const { account, currency, amount } of Object.values(inStatus(wallet, 'open', CLOSED).accounts).flatMap(
      Object.values,
    )) {
      if (amount !== 0n) {
        throw rejected('balance_not_zero', 'Bring every balance to zero first.', { account, currency, balance: amount })
      }
    }
    return [{ type: 'WalletClosed', data: {} }]
  },
}

/** Money: accounts with balances, entries that balance per currency, overdraft by policy. */
export const wallet = aggregate({
  name: 'wallet',
  events,
  commands,
  api: {
    open: ['POST /wallets', 'wallets.write', 'Open a wallet.'],
    openAccount: [
      'POST /wallets/:id/accounts',
      'wallets.write',
      'Open an account in a currency, with its overdraft policy; one account may hold several currencies.',
    ],
    credit: ['POST /wallets/:id/credits', 'entries.write', 'Receive money: into an account, from an external account.'],
    debit: ['POST /wallets/:id/debits', 'entries.write', 'Spend money: from an account, to an external account.'],
    post: [
      'POST /wallets/:id/entries',
      'entries.write',
      'Post an entry of two or more postings that balance in every currency.',
    ],
    close: ['POST /wallets/:id/close', 'wallets.write', 'Close a wallet whose balances are all zero.'],
  },
  rejections,
  initial: { status: 'none' } as Wallet,
  evolve,
  decide,
  stateSchema: 1,
  spellings: { effectiveOn: 'effective_on' },
})

type Draft = Omit<Extract<EventOf<typeof events>, { type: 'EntryPosted' }>['data'], 'entry' | 'effectiveOn'> & {
  readonly effective_on?: string | undefined
}

/** The rules of every entry: balanced per currency, own accounts open, no overdraft where it is refused. */
function post(open: OpenWallet, context: Context, { effective_on, description, ...draft }: Draft) {
  for (const [currency, sum] of totals(draft.postings, posting => posting.currency)) {
    if (sum !== 0n) {
      throw rejected('entry_unbalanced', 'The postings of each currency must add up to zero.', { currency, sum })
    }
  }
  const own = draft.postings.filter(isOwn)
  if (own.length === 0) throw rejected('entry_without_own_account', 'Name at least one account of the wallet.')
  for (const posting of own) mustHave(open, posting)
  for (const [key, change] of totals(own, ({ account, currency }) => JSON.stringify([account, currency]))) {
    const [account, currency] = JSON.parse(key) as [string, string]
    const held = mustHave(open, { account, currency })
    const balance = held.amount + change
    if (balance > MAX_MINOR_UNITS || balance < -MAX_MINOR_UNITS) {
      throw rejected('amount_out_of_range', 'A balance has at most 38 digits.', { account, currency })
    }
    if (change < 0n && balance < 0n && held.overdraft === 'refused') {
      const facts = { account, currency, available: held.amount, needed: -change }
      throw rejected('insufficient_funds', 'The account holds less than the entry takes.', facts)
    }
  }
  const data = {
    ...draft,
    entry: context.newId(0),
    effectiveOn: effective_on ?? context.at.slice(0, 10),
    ...(description !== undefined && { description }),
  }
  return [{ type: 'EntryPosted', data }] as const
}

const isOwn = ({ account }: Pick<Posting, 'account'>) => !account.startsWith(EXTERNAL)

const transfer = (from: string, to: string, currency: string, amount: bigint): Posting[] => [
  { account: to, currency, amount },
  { account: from, currency, amount: -amount },
]

function totals(postings: readonly Posting[], keyOf: (posting: Posting) => string): Map<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const posting of postings) sums.set(keyOf(posting), (sums.get(keyOf(posting)) ?? 0n) + posting.amount)
  return sums
}

function find(open: OpenWallet, { account, currency }: Pick<Posting, 'account' | 'currency'>): Account | undefined {
  return own(own(open.accounts, account) ?? {}, currency)
}

/** A member by a name that a client chose: never something inherited. */
const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

function mustHave(open: OpenWallet, posting: Pick<Posting, 'account' | 'currency'>): Account {
  const held = find(open, posting)
  if (!held) {
    const { account, currency } = posting
    throw rejected('account_not_open', 'Open the account in this currency first.', { account, currency })
  }
  return held
}

const withAccount = (open: OpenWallet, held: Account): OpenWallet => ({
  ...open,
  accounts: { ...open.accounts, [held.account]: { ...own(open.accounts, held.account), [held.currency]: held } },
})
