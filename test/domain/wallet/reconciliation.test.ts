import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import type { events } from '../../../domain/wallet/reconciliation/messages.ts'
import { reconciliation } from '../../../domain/wallet/reconciliation/reconciliation.ts'
import { specFor } from '../../support/spec.ts'

type Fact = EventOf<typeof events>

const { given } = specFor(reconciliation)
const of = { wallet: 'studio', account: 'checking', currency: 'EUR' }
const about = { ...of, statement: '2026-03', to: '2026-03-31', opening: 100n, closing: 250n }
const opened: Fact = { type: 'ReconciliationOpened', data: about }
const cleared = (...lines: { entry: string; amount: bigint }[]): Fact => ({
  type: 'EntriesCleared',
  data: { ...of, lines },
})
const explained = (amount: bigint): Fact => ({
  type: 'DifferencesExplained',
  data: { differences: [{ amount, reason: 'Fee in dispute' }] },
})
const finished: Fact = { type: 'ReconciliationFinished', data: {} }
const sale = { entry: 'e1', amount: 200n }
const rent = { entry: 'e2', amount: -45n }

describe('reconciliation', () => {
  it('is opened once for a statement', () => {
    given().when('open', about).then(opened)
    given(opened).when('open', about).rejects('reconciliation_already_opened')
  })
  it('clears entries by what the statement shows, each once', () => {
    given(opened)
      .when('clear', { lines: [sale, rent, sale] })
      .then(cleared(sale, rent))
    given(opened, cleared(sale))
      .when('clear', { lines: [sale, rent] })
      .then(cleared(rent))
    given(opened, cleared(sale))
      .when('clear', { lines: [sale] })
      .changesNothing()
    given(opened, cleared(sale))
      .when('clear', { lines: [{ ...sale, amount: 199n }] })
      .rejects('entry_cleared_otherwise')
  })
  it('takes the mark away again', () => {
    given(opened, cleared(sale, rent))
      .when('unclear', { entries: ['e2', 'e2', 'e9'] })
      .then({ type: 'EntriesUncleared', data: { lines: [rent] } })
    given(opened)
      .when('unclear', { entries: ['e2'] })
      .changesNothing()
  })
  it('is finished when entries and explained differences give the closing balance', () => {
    given(opened, cleared(sale, rent)).when('finish', {}).rejects('difference_unexplained')
    given(opened, cleared(sale, rent), explained(-5n)).when('finish', {}).then(finished)
    given(opened, cleared(sale, rent), explained(-4n)).when('finish', {}).rejects('difference_unexplained')
    given(opened, cleared(sale, rent), explained(-5n), finished).when('finish', {}).changesNothing()
    given(opened, explained(-5n))
      .when('explain', { differences: [{ amount: -5n, reason: 'Fee in dispute' }] })
      .changesNothing()
    given(opened, explained(-5n))
      .when('explain', { differences: [] })
      .then({ type: 'DifferencesExplained', data: { differences: [] } })
  })
  it('changes no more when it is finished, until it is reopened', () => {
    const done = [opened, cleared(sale, rent), explained(-5n), finished]
    given(...done)
      .when('clear', { lines: [{ entry: 'e3', amount: 1n }] })
      .rejects('reconciliation_finished')
    given(...done)
      .when('unclear', { entries: ['e1'] })
      .rejects('reconciliation_finished')
    given(...done)
      .when('explain', { differences: [] })
      .rejects('reconciliation_finished')
    given(...done)
      .when('reopen', {})
      .then({ type: 'ReconciliationReopened', data: {} })
    given(opened).when('reopen', {}).changesNothing()
  })
})
