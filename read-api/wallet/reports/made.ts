/** What the reports make of sums: arithmetic alone. A balance above zero is a debit balance. */
import type { AccountSum } from './sums.ts'

/** A row of a report; `side` turns the sign of balances that are read from the credit side. */
const rowOf = ({ wallet, account, currency, places, type, balance }: AccountSum, side: 1n | -1n) => ({
  wallet,
  account,
  currency,
  places,
  ...(type && { type }),
  balance: String(side * balance),
})

const rowsOf = (sums: readonly AccountSum[], side: 1n | -1n) => sums.map(sum => rowOf(sum, side))

/** The same for each currency, in order: what `make` makes of the balances of one. */
function byCurrency(
  sums: readonly AccountSum[],
  make: (own: readonly AccountSum[]) => Readonly<Record<string, bigint>>,
) {
  const found = new Map<string, AccountSum[]>()
  for (const sum of sums) {
    const own = found.get(sum.currency)
    if (own) own.push(sum)
    else found.set(sum.currency, [sum])
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, own]) => {
      const amounts = Object.entries(make(own)).map(([name, amount]) => [name, String(amount)])
      return { currency, places: own[0]!.places, ...Object.fromEntries(amounts) }
    })
}

const total = (sums: readonly AccountSum[]): bigint => sums.reduce((sum, { balance }) => sum + balance, 0n)
const ofType =
  (...types: readonly AccountSum['type'][]) =>
  (sums: readonly AccountSum[]) =>
    sums.filter(({ type }) => types.includes(type))
const [assets, liabilities, equity] = [ofType('asset'), ofType('liability'), ofType('equity')]
const results = ofType('income', 'expense', undefined)

/** An account without a type is income where more came from it than went to it, else an expense. */
const isIncome = ({ type, balance }: AccountSum) => type === 'income' || (type === undefined && balance < 0n)
const income = (sums: readonly AccountSum[]) => results(sums).filter(isIncome)
const expenses = (sums: readonly AccountSum[]) => results(sums).filter(sum => !isIncome(sum))

/** A report: `condition` is SQL of which accounts are its rows, `totals` are made of all sums, `sections` of a page. */
export const trialBalance = {
  condition: 'true',
  totals: (sums: readonly AccountSum[]) =>
    byCurrency(sums, own => ({
      debit: total(own.filter(({ balance }) => balance > 0n)),
      credit: -total(own.filter(({ balance }) => balance < 0n)),
      in_transit: total(own),
    })),
  sections: (sums: readonly AccountSum[]) => ({
    accounts: sums.map(sum => ({
      ...rowOf(sum, 1n),
      debit: String(sum.balance > 0n ? sum.balance : 0n),
      credit: String(sum.balance < 0n ? -sum.balance : 0n),
    })),
  }),
}

export const balanceSheet = {
  condition: `r.balance <> 0 and r.type in ('asset', 'liability', 'equity')`,
  totals: (sums: readonly AccountSum[]) =>
    byCurrency(sums, own => ({
      assets: total(assets(own)),
      liabilities: -total(liabilities(own)),
      equity: -total(equity(own)),
      earnings: -total(results(own)),
      in_transit: total(own),
    })),
  sections: (sums: readonly AccountSum[]) => ({
    assets: rowsOf(assets(sums), 1n),
    liabilities: rowsOf(liabilities(sums), -1n),
    equity: rowsOf(equity(sums), -1n),
  }),
}

export const incomeStatement = {
  condition: `r.balance <> 0 and (r.type is null or r.type in ('income', 'expense'))`,
  totals: (sums: readonly AccountSum[]) =>
    byCurrency(results(sums), own => ({
      income: -total(income(own)),
      expenses: total(expenses(own)),
      unclassified: -total(ofType(undefined)(own)),
      net: -total(own),
    })),
  sections: (sums: readonly AccountSum[]) => ({
    income: rowsOf(income(sums), -1n),
    expenses: rowsOf(expenses(sums), 1n),
  }),
}
