import type { z } from 'zod'
import {
  currency,
  date,
  id,
  integer,
  minorUnits,
  object,
  oneOf,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { typeByName } from '../../domain/wallet/wallet/chart.ts'
import { accountKind, accountType, EXTERNAL, limit, minimum } from '../../domain/wallet/wallet/fields.ts'
import { events } from '../../domain/wallet/wallet/messages.ts'
import { addUp } from '../../domain/wallet/wallet/places.ts'
import { existing, type Handler, type Handlers, projection } from '../rows/projection.ts'
import { tableOf } from '../rows/tables.ts'
import { postings } from './postings.ts'
import { wallets } from './wallets.ts'

const row = object({
  org: id('org'),
  wallet: id('wallet'),
  account: text(255),
  currency,
  places: integer(0, 30).meta({
    description:
      'decimal places that `balance`, `held` and `available` are in: they grow to the finest posting or hold',
  }),
  minor_places: integer(0, 30).meta({ description: 'decimal places of amounts of this currency that name none' }),
  overdraft: oneOf('refused', 'allowed'),
  type: accountType,
  kind: accountKind.optional(),
  limit: limit.optional(),
  minimum: minimum.optional(),
  status: oneOf('open', 'frozen', 'closed'),
  balance: minorUnits.meta({ description: 'everything that is booked, whatever day it counts for' }),
  held: minorUnits.meta({ description: 'what open holds set aside' }),
  postings: unsigned64,
  last_on: date.optional().meta({ description: 'the latest day that a posting counts for' }),
  revision: unsigned64,
  opened_at: timestamp,
  updated_at: timestamp,
})

type Row = z.output<typeof row>
type OfAccount = { readonly account: string; readonly currency: string; readonly places?: number | undefined }

/** The event changes columns of the row of the account that it names. */
const changed = <D extends OfAccount>(changes: (data: D, row: Row) => Partial<Row>): Handler<Row, D> => ({
  keys: ({ data: { account, currency }, metadata: { org, id } }) => [{ org, wallet: id, account, currency }],
  fold: (row, event) => {
    const before = existing(row, event)
    const { data, revision, metadata } = event
    return { ...before, ...changes(data, before), revision, updated_at: metadata.at }
  },
})

/** The event changes what is held of an account, by the amount that `change` finds in it. */
const held = <D extends OfAccount>(change: (data: D) => bigint): Handler<Row, D> =>
  changed((data, row) => {
    const { places: unit = row.minor_places } = data
    const { amount, places } = addUp({ amount: row.held, places: row.places }, [{ amount: change(data), places: unit }])
    const balance = addUp({ amount: row.balance, places: row.places }, [{ amount: 0n, places }]).amount
    return { balance, held: amount, places }
  })

/** The type of an account that none was given to. */
const typeOf = ({ account }: Pick<OfAccount, 'account'>) => typeByName(account) ?? 'asset'

const on: Handlers<Row, typeof events> = {
  WalletOpened: null,
  AccountOpened: {
    keys: ({ data: { account, currency }, metadata: { org, id } }) => [{ org, wallet: id, account, currency }],
    fold: (_, { data, metadata: { org, id, at }, revision }) => ({
      org,
      wallet: id,
      ...data,
      type: data.type ?? typeOf(data),
      minor_places: data.places,
      status: 'open',
      balance: 0n,
      held: 0n,
      postings: 0n,
      revision,
      opened_at: at,
      updated_at: at,
    }),
  },
  EntryPosted: {
    keys: ({ data: { postings }, metadata: { org, id } }) =>
      postings
        .filter(({ account }) => !account.startsWith(EXTERNAL))
        .map(({ account, currency }) => ({ org, wallet: id, account, currency })),
    fold: (row, event, key) => {
      const before = existing(row, event)
      const mine = event.data.postings.filter(
        ({ account, currency }) => account === key.account && currency === key.currency,
      )
      const amounts = mine.map(({ amount, places = before.minor_places }) => ({ amount, places }))
      const { amount: balance, places } = addUp({ amount: before.balance, places: before.places }, amounts)
      let { last_on = '' } = before
      for (const { effectiveOn = event.data.effectiveOn } of mine) if (effectiveOn > last_on) last_on = effectiveOn
      return {
        ...before,
        balance,
        places,
        held: addUp({ amount: before.held, places: before.places }, [{ amount: 0n, places }]).amount,
        postings: before.postings + BigInt(mine.length),
        last_on,
        revision: event.revision,
        updated_at: event.metadata.at,
      }
    },
  },
  FundsHeld: held(({ amount }) => amount),
  HoldCaptured: held(({ amount, released }) => -amount - released),
  HoldReleased: held(({ amount }) => -amount),
  WalletChanged: null,
  AccountOverdraftChanged: changed(({ to }) => ({ overdraft: to })),
  AccountChanged: changed(({ account, currency: _, reason: __, type, ...changes }) => ({
    ...(type !== undefined && { type: type ?? typeOf({ account }) }),
    ...Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value ?? undefined])),
  })),
  AccountFrozen: changed(() => ({ status: 'frozen' })),
  AccountUnfrozen: changed(() => ({ status: 'open' })),
  AccountClosed: changed(() => ({ status: 'closed' })),
  AccountReopened: changed(() => ({ status: 'open' })),
  ChartSet: null,
  TransferRulesSet: null,
  AccessGranted: null,
  AccessRevoked: null,
  WalletFrozen: null,
  WalletUnfrozen: null,
  WalletClosed: null,
}

/** One row per account and currency of a wallet: what a member sees on the wallet page. */
export const balances = projection({
  name: 'balances',
  service: 'wallet',
  version: 6,
  history: true,
  of: { wallet: events },
  row,
  key: ['org', 'wallet', 'account', 'currency'],
  on,
  computed: {
    available: {
      schema: minorUnits.meta({
        description:
          'what can be spent today (a day in UTC): `balance` without the credits of later days, without what is ' +
          'held and without `minimum`, and with `limit`; debits of later days are set aside at once. With `as_of`, ' +
          'on the day of that time, or of the last event up to that position',
      }),
      of: [postings],
      isDaily: true,
      sql: (row, today, then) => `${row}.balance - ${row}.held
        + (coalesce(${row}."limit", 0) - coalesce(${row}.minimum, 0))
          * ('1e' || (${row}.places - ${row}.minor_places))::numeric
        - case when ${row}.last_on > ${today} then coalesce((
        select sum(p.amount * ('1e' || (${row}.places - coalesce(p.places, ${row}.minor_places)))::numeric)
        from ${tableOf(postings)} p where p.org = ${row}.org and p.wallet = ${row}.wallet
          and p.account = ${row}.account and p.currency = ${row}.currency and p.effective_on > ${today}
          and p.amount > 0${then === undefined ? '' : ` and p.position <= ${then}::bigint`}), 0) else 0 end`,
    },
  },
  reads: [
    {
      one: 'wallet account',
      many: 'wallet accounts',
      path: '/wallets/:id/accounts',
      permission: 'accounts.read',
      parents: { id: 'wallet' },
      within: wallets,
      names: ['account', 'currency'],
      order: ['account', 'currency'],
      filters: ['account', 'currency'],
      walked: ['type', 'kind', 'status'],
      groups: ['currency', 'places', 'overdraft', 'type', 'kind', 'status'],
      sums: ['balance', 'held', 'postings'],
      places: { balance: 'places', held: 'places' },
      summary: {
        list: 'The accounts of a wallet with their balances, one row for each currency.',
        get: 'An account of a wallet in one currency, with its balance.',
      },
    },
    {
      one: 'account',
      many: 'accounts',
      path: '/accounts',
      permission: 'accounts.read',
      names: [],
      order: ['wallet', 'account', 'currency'],
      filters: ['wallet', 'currency'],
      walked: ['account', 'type', 'kind', 'status'],
      groups: ['wallet', 'currency', 'places', 'overdraft', 'type', 'kind', 'status'],
      sums: ['balance', 'held', 'postings'],
      places: { balance: 'places', held: 'places' },
      summary: { list: 'The balances of all wallets.' },
    },
  ],
})
