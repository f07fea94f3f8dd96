import { charts } from '../../../projections/wallet/charts.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { second, walletOpened } from './book.ts'

const chartSet = (version: number, account: string) => ({
  type: 'ChartSet',
  data: { version, mode: 'reported', rules: [{ account, type: 'asset' }], reason: `No ${version}` },
})

describe('charts', () => {
  it('has a row for each version', () =>
    rowsFor(charts)
      .given(...[walletOpened, chartSet(1, '*'), chartSet(2, 'a:*')].map((fact, n) => ({ ...fact, at: second(n) })))
      .then(
        { wallet: 'thing-1', version: 1, rules: [{ account: '*', type: 'asset' }], reason: 'No 1', set_at: second(1) },
        { version: 2, mode: 'reported', rules: [{ account: 'a:*', type: 'asset' }], set_by: 'user-1', revision: 2n },
      ))
})
