import { aggregate, type Vocabulary } from '../../kernel/aggregate.ts'
import { moneyText } from '../../record/currencies.ts'
import { type RecordState, record } from '../../record/record.ts'
import { said, THING } from '../../record/said.ts'
import { events, messages, notePassed } from './messages.ts'

const plain = record(messages)

/** A budget remembers the first days of the periods in which more was spent than may be. */
type Budget = RecordState & { readonly passed?: readonly string[] }
type Commands = typeof messages.commands & { readonly notePassed: typeof notePassed }
type Passed = ReturnType<(typeof events)['BudgetPassed']['parse']>

/** What may be spent in each period: read beside what was spent (read-api/wallet/budget.ts). */
export const budget = aggregate<Budget, Commands, Vocabulary>({
  ...plain,
  events,
  commands: { ...messages.commands, notePassed },
  api: { ...plain.api, notePassed: 'internal' },
  initial: plain.initial,
  evolve: {
    ...plain.evolve,
    BudgetPassed: (state: Budget, data) => ({ ...state, passed: [...(state.passed ?? []), (data as Passed).from] }),
  },
  decide: {
    ...plain.decide,
    notePassed(state, passed) {
      if (state.status !== 'present' || state.passed?.includes(passed.from)) return []
      return [{ type: 'BudgetPassed', data: { ...passed, owner: state.owner } }]
    },
  },
  activity: {
    ...plain.activity,
    on: {
      ...plain.activity!.on,
      BudgetPassed(data) {
        const { from, to, amount, actual, currency, places } = data as Passed
        return [
          ...said`noted that more was spent than the budget ${THING} allows from ${from} to ${to}:`,
          ...said` ${moneyText(actual, currency, places)} of ${moneyText(amount, currency, places)}`,
        ]
      },
    },
  },
})
