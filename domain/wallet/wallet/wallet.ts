import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { membersOf, noneKeyed, withMember } from '../../record/keyed.ts'
import { changedFields } from '../../record/merge.ts'
import { because } from '../../record/reason.ts'
import { CLOSED, grant, payable, revoke, usable, withUser } from './access.ts'
import { activity } from './activity.ts'
import {
  changeAccount,
  closeAccount,
  freezeAccount,
  mustAgree,
  mustBeEmpty,
  reopenAccount,
  unfreezeAccount,
  withClosed,
  withFrozen,
  withTerms,
} from './changes.ts'
import { setChart, typeInChart } from './chart.ts'
import { convert } from './conversion.ts'
import { mustHave, post, transfer } from './entry.ts'
import { capture, hold, noneEnded, release, withHold, withoutHold } from './holds.ts'
import { commands, EXTERNAL, events, rejections } from './messages.ts'
import { reversalOf, reverse, reversedEntry } from './reversals.ts'
import { setTransferRules } from './sending.ts'
import { receive, settle } from './sides.ts'
import { dayOf, find, isOwn, minorPlaces, posted, type Wallet, withAccount } from './state.ts'

export { accountOf, accountsOf, type Wallet, walletPlacesOf } from './state.ts'

const evolve: Evolve<Wallet, typeof events> = {
  WalletOpened: (_, { owner, holder }) => ({
    status: 'open',
    owner,
    ...(holder !== undefined && { holder }),
    places: noneKeyed,
    accounts: noneKeyed,
    holds: noneKeyed,
    ended: noneEnded,
  }),
  AccountOpened: (wallet, { account, currency, places, ...terms }) => {
    const open = inStatus(wallet, 'open')
    const opened = { account, currency, amount: 0n, ...terms }
    return { ...withAccount(open, opened), places: withMember(open.places, currency, places) }
  },
  EntryPosted: (wallet, { postings, effectiveOn }, at) =>
    postings.filter(isOwn).reduce(
      (open, posting) => {
        const held = find(open, posting)
        invariant(held, `posting to ${posting.account}, which was never opened in ${posting.currency}`)
        const days = { on: posting.effectiveOn ?? effectiveOn, today: dayOf(at) }
        return withAccount(open, posted(open, held, posting, days))
      },
      inStatus(wallet, 'open'),
    ),
  FundsHeld: (wallet, data) => withHold(inStatus(wallet, 'open'), data),
  HoldCaptured: (wallet, { hold }) => withoutHold(inStatus(wallet, 'open'), hold, 'captured'),
  HoldReleased: (wallet, { hold }) => withoutHold(inStatus(wallet, 'open'), hold, 'released'),
  WalletChanged(wallet, { holder }) {
    const open = inStatus(wallet, 'open')
    return holder === undefined ? open : { ...open, holder }
  },
  AccountOverdraftChanged(wallet, { to, ...named }) {
    const open = inStatus(wallet, 'open')
    return withAccount(open, { ...find(open, named)!, overdraft: to })
  },
  AccountChanged(wallet, { account, currency, reason: _, ...changes }) {
    const open = inStatus(wallet, 'open')
    return withAccount(open, withTerms(find(open, { account, currency })!, changes))
  },
  AccountFrozen: (wallet, named) => withFrozen(inStatus(wallet, 'open'), named, true),
  AccountUnfrozen: (wallet, named) => withFrozen(inStatus(wallet, 'open'), named, false),
  AccountClosed: (wallet, named) => withClosed(inStatus(wallet, 'open'), named, true),
  AccountReopened: (wallet, named) => withClosed(inStatus(wallet, 'open'), named, false),
  ChartSet: (wallet, { reason: _, ...chart }) => ({ ...inStatus(wallet, 'open'), chart }),
  TransferRulesSet: (wallet, { reason: _, ...transferRules }) => ({ ...inStatus(wallet, 'open'), transferRules }),
  AccessGranted: (wallet, { user, right }) => withUser(inStatus(wallet, 'open'), user, right),
  AccessRevoked: (wallet, { user }) => withUser(inStatus(wallet, 'open'), user, undefined),
  WalletFrozen: wallet => ({ ...inStatus(wallet, 'open'), frozen: true }),
  WalletUnfrozen(wallet) {
    const { frozen: _, ...open } = inStatus(wallet, 'open')
    return open
  },
  WalletClosed: wallet => ({ status: 'closed', owner: inStatus(wallet, 'open').owner }),
}

const decide: Decide<Wallet, typeof commands, typeof events> = {
  open(wallet, { owner, holder, kind }, { actor }) {
    if (wallet.status !== 'none') throw rejected('wallet_already_open', 'The wallet exists; choose another id.')
    return [{ type: 'WalletOpened', data: { owner: owner ?? actor, kind, ...(holder && { holder }) } }]
  },
  openAccount(wallet, { account, currency, places, ...terms }) {
    const open = inStatus(wallet, 'open', CLOSED)
    if (account.startsWith(EXTERNAL)) {
      throw rejected('account_is_external', 'External accounts need no opening; choose another name.', { account })
    }
    const known = minorPlaces(open, currency)
    if ((known ?? places) === undefined) {
      throw rejected('currency_places_unknown', 'Not an ISO 4217 code: name its decimal `places`.', { currency })
    }
    if (known !== undefined && places !== undefined && places !== known) {
      throw rejected('currency_places_mismatch', 'The currency has other decimal places.', { currency, places: known })
    }
    const existing = find(open, { account, currency })
    if (existing?.closed) throw rejected('account_closed', 'The account is closed; reopen it.', { account })
    const { overdraft, type, kind, limit, minimum } = { ...existing }
    const other = changedFields({ overdraft, type, kind, limit, minimum }, terms)
    if (existing && Object.keys(other).length === 0) return []
    if (existing) throw rejected('account_already_open', 'The account is open on other terms.', { account })
    mustAgree(terms)
    const byChart = typeInChart(open.chart, { account, currency, type: terms.type })
    const data = { account, currency, places: (known ?? places)!, ...terms, ...(byChart && { type: byChart }) }
    return [{ type: 'AccountOpened', data }]
  },
  credit: (wallet, { account, currency, amount, places, counterparty, ...rest }, context) =>
    post(usable(wallet, context), context, {
      ...rest,
      kind: rest.kind ?? 'credit',
      postings: transfer(counterparty, account, { currency, amount, places }),
    }),
  debit: (wallet, { account, currency, amount, places, counterparty, ...rest }, context) =>
    post(payable(wallet, context), context, {
      ...rest,
      kind: rest.kind ?? 'debit',
      postings: transfer(account, counterparty, { currency, amount, places }),
    }),
  post: (wallet, entry, context) =>
    post(payable(wallet, context), context, { ...entry, kind: entry.kind ?? 'journal' }),
  convert: (wallet, body, context) => convert(payable(wallet, context), body, context),
  reverse: (wallet, body, context) => reverse(payable(wallet, context), body, context),
  hold: (wallet, body, context) => hold(usable(wallet, context), body, context),
  capture: (wallet, body, context) => capture(usable(wallet, context), body, context),
  release: (wallet, body, context) => release(usable(wallet, context), body, context),
  reserve: (wallet, { as, total, ...body }, context) => hold(usable(wallet, context), body, context, { as, total }),
  settle: (wallet, body, context) => settle(usable(wallet, context), body, context),
  receive: (wallet, body, context) => receive(usable(wallet, context), body, context),
  expectAccount(wallet, named) {
    mustHave(inStatus(wallet, 'open', CLOSED), named)
    return []
  },
  change(wallet, { holder, reason }) {
    const { holder: before = null } = inStatus(wallet, 'open', CLOSED)
    const changes = changedFields({ holder: before }, { holder }) as { holder?: typeof before }
    return Object.keys(changes).length === 0
      ? []
      : [{ type: 'WalletChanged', data: { ...changes, ...because(reason) } }]
  },
  changeAccount: (wallet, body, { at }) => changeAccount(inStatus(wallet, 'open', CLOSED), body, dayOf(at)),
  closeAccount: (wallet, body, { at }) => closeAccount(inStatus(wallet, 'open', CLOSED), body, dayOf(at)),
  reopenAccount: (wallet, body) => reopenAccount(inStatus(wallet, 'open', CLOSED), body),
  freezeAccount: (wallet, body) => freezeAccount(inStatus(wallet, 'open', CLOSED), body),
  unfreezeAccount: (wallet, body) => unfreezeAccount(inStatus(wallet, 'open', CLOSED), body),
  setChart: (wallet, body) => setChart(inStatus(wallet, 'open', CLOSED), body),
  setTransferRules: (wallet, body) => setTransferRules(inStatus(wallet, 'open', CLOSED), body),
  grant: (wallet, body, context) => grant(inStatus(wallet, 'open', CLOSED), body, context),
  revoke: (wallet, body, context) => revoke(inStatus(wallet, 'open', CLOSED), body, context),
  freeze: (wallet, { reason }) =>
    inStatus(wallet, 'open', CLOSED).frozen ? [] : [{ type: 'WalletFrozen', data: because(reason) }],
  unfreeze: (wallet, { reason }) =>
    inStatus(wallet, 'open', CLOSED).frozen ? [{ type: 'WalletUnfrozen', data: because(reason) }] : [],
  close(wallet, { reason }, { at }) {
    if (wallet.status === 'closed') return []
    const { frozen, accounts } = inStatus(wallet, 'open', CLOSED)
    if (frozen) throw rejected('wallet_frozen', 'The wallet is frozen: unfreeze it first.')
    for (const account of membersOf(accounts)) mustBeEmpty(account, dayOf(at))
    return [{ type: 'WalletClosed', data: because(reason) }]
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
      'Open an account in a currency, with its type and how low it may fall; one account may hold several currencies.',
      '/wallets/:id/accounts/:account/:currency',
    ],
    credit: [
      'POST /wallets/:id/credits',
      'entries.write',
      'Receive money: into an account, from an external account.',
      '/entries/:entry',
    ],
    debit: [
      'POST /wallets/:id/debits',
      'entries.write',
      'Spend money: from an account, to an external account.',
      '/entries/:entry',
    ],
    post: [
      'POST /wallets/:id/entries',
      'entries.write',
      'Post an entry of two or more postings that balance in every currency.',
      '/entries/:entry',
    ],
    convert: [
      'POST /wallets/:id/conversions',
      'entries.write',
      'Convert money of one currency into another, by a rate; what is rounded is posted.',
      '/entries/:entry',
    ],
    reverse: [
      'POST /wallets/:id/entries/:entry/reverse',
      'entries.write',
      'Take an entry back, whole and once, and post with the same entry what it should have been.',
      '/entries/:entry',
    ],
    hold: [
      'POST /wallets/:id/holds',
      'holds.write',
      'Hold money of an account: set it aside, to be captured or released, once.',
      '/wallets/:id/holds/:hold',
    ],
    capture: [
      'POST /wallets/:id/holds/:hold/capture',
      'holds.write',
      'Capture a hold, or a part of it, by an entry to an external account; the rest is released.',
    ],
    release: ['POST /wallets/:id/holds/:hold/release', 'holds.write', 'Release a hold: the money can be spent again.'],
    change: ['PATCH /wallets/:id', 'wallets.write', 'Rename the holder of a wallet; null removes the name.'],
    changeAccount: [
      'PATCH /wallets/:id/accounts/:account/:currency',
      'wallets.write',
      'Change what an account is and how low it may fall; null takes a type, kind, limit or minimum away.',
    ],
    freezeAccount: [
      'POST /wallets/:id/accounts/:account/:currency/freeze',
      'wallets.write',
      'Freeze an account: no entries and no holds until it is unfrozen; what processes have begun still ends.',
    ],
    unfreezeAccount: [
      'POST /wallets/:id/accounts/:account/:currency/unfreeze',
      'wallets.write',
      'Unfreeze an account.',
    ],
    closeAccount: [
      'POST /wallets/:id/accounts/:account/:currency/close',
      'wallets.write',
      'Close an account whose balance is zero, with nothing held and no entry to come.',
    ],
    reopenAccount: [
      'POST /wallets/:id/accounts/:account/:currency/reopen',
      'wallets.write',
      'Reopen a closed account.',
    ],
    setChart: [
      'PUT /wallets/:id/chart',
      'wallets.write',
      'Set the chart of accounts, as its next version: which accounts may exist and face one another in an entry.',
    ],
    setTransferRules: [
      'PUT /wallets/:id/transfer-rules',
      'wallets.write',
      'Set what may be sent out of a wallet per day and month, and above which amount a second person approves.',
    ],
    reserve: 'internal',
    settle: 'internal',
    receive: 'internal',
    expectAccount: 'internal',
    grant: [
      'POST /wallets/:id/users',
      'users.write',
      'Give a user a right to the wallet; once it names users, only they post to it, and its owner.',
      '/wallets/:id/users/:user',
    ],
    revoke: ['DELETE /wallets/:id/users/:user', 'users.write', 'Take the right to the wallet from a user.'],
    freeze: ['POST /wallets/:id/freeze', 'wallets.write', 'Freeze a wallet: no entries and no holds in any account.'],
    unfreeze: ['POST /wallets/:id/unfreeze', 'wallets.write', 'Unfreeze a wallet.'],
    close: ['POST /wallets/:id/close', 'wallets.write', 'Close a wallet whose balances are all zero.'],
  },
  rejections,
  initial: { status: 'none' } as Wallet,
  evolve,
  decide,
  looksUp: { reverse: reversedEntry },
  once: {
    post: ({ reverses }) => (reverses === undefined ? undefined : reversalOf(reverses)),
    reverse: ({ entry }) => reversalOf(entry),
  },
  stateSchema: 5,
  activity,
  subjectOf: wallet => (wallet.status === 'none' ? undefined : wallet.owner),
  spellings: { effectiveOn: 'effective_on' },
})
