/** What the reports make of the sums of accounts: arithmetic alone. A balance above zero is a debit balance. */
import type { AccountSum } from './sums.ts'

type Balanced = AccountSum & { readonly balance: bigint }

const balanced = (sums: readonly AccountSum[]): readonly Balanced[] =>
  sums.map(sum => ({ ...sum, balance: sum.debit - sum.credit }))

/** A row of a report; `side` turns the sign of balances that are read from the credit side. */
const rowOf = ({ wallet, account, currency, places, type, balance }: Balanced, side: 1n | -1n) => ({
  wallet,
  account,
  currency,
  places,
  ...(type && { type }),
  balance: String(side * balance),
})

const rowsOf = (sums: readonly Balanced[], side: 1n | -1n) =>
  sums.filter(({ balance }) => balance !== 0n).map(sum => rowOf(sum, side))

/** The same for each currency, in order: what `make` makes of the balances of one. */
const byCurrency = (sums: readonly Balanced[], make: (own: readonly Balanced[]) => Readonly<Record<string, bigint>>) =>
  [...new Set(sums.map(({ currency }) => currency))].sort().map(currency => {
    const own = sums.filter(sum => sum.currency === currency)
    const amounts = Object.entries(make(own)).map(([name, amount]) => [name, String(amount)])
    return { currency, places: own[0]!.places, ...Object.fromEntries(amounts) }
  })

const total = (sums: readonly Balanced[]): bigint => sums.reduce((sum, { balance }) => sum + balance, 0n)
const debits = (sums: readonly Balanced[]) => sums.filter(({ balance }) => balance > 0n)
const credits = (sums: readonly Balanced[]) => sums.filter(({ balance }) => balance < 0n)

export function trialBalance(sums: readonly AccountSum[]) {
  const all = balanced(sums)
  return {
    totals: byCurrency(all, own => ({
      debit: total(debits(own)),
      credit: -total(credits(own)),
      in_transit: total(own),
    })),
    accounts: all.map(sum => ({
      ...rowOf(sum, 1n),
      debit: String(sum.balance > 0n ? sum.balance : 0n),
      credit: String(sum.balance < 0n ? -sum.balance : 0n),
    })),
  }
}

export function balanceSheet(sums: readonly AccountSum[]) {
  const all = balanced(sums)
  const of = (type: AccountSum['type']) => (own: readonly Balanced[]) => own.filter(sum => sum.type === type)
  return {
    totals: byCurrency(all, own => {
      const [assets, liabilities, equity] = [
        total(of('asset')(own)),
        -total(of('liability')(own)),
        -total(of('equity')(own)),
      ]
      const results = own.filter(({ type }) => type === undefined || type === 'income' || type === 'expense')
      return { assets, liabilities, equity, earnings: -total(results), in_transit: total(own) }
    }),
    assets: rowsOf(of('asset')(all), 1n),
    liabilities: rowsOf(of('liability')(all), -1n),
    equity: rowsOf(of('equity')(all), -1n),
  }
}

/** An account without a type is income where more came from it than went to it, else an expense. */
export function incomeStatement(sums: readonly AccountSum[]) {
  const all = balanced(sums)
  const isIncome = ({ type, balance }: Balanced) => type === 'income' || (type === undefined && balance < 0n)
  const isExpense = ({ type, balance }: Balanced) => type === 'expense' || (type === undefined && balance >= 0n)
  const [income, expenses] = [all.filter(isIncome), all.filter(isExpense)]
  return {
    totals: byCurrency([...income, ...expenses], own => ({
      income: -total(own.filter(isIncome)),
      expenses: total(own.filter(isExpense)),
      unclassified: -total(own.filter(({ type }) => type === undefined)),
      net: -total(own),
    })),
    income: rowsOf(income, -1n),
    expenses: rowsOf(expenses, 1n),
  }
}
