import type { Activity } from '../../kernel/activity.ts'
import { mention, said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  on: {
    ReconciliationOpened: ({ statement, account, wallet }) => [
      ...said`started to reconcile the statement ${statement} of ${account} in the wallet ${mention('wallet', wallet)}`,
      ...said` in ${THING}`,
    ],
    EntriesCleared: ({ lines }) => said`cleared ${String(lines.length)} entries in the reconciliation ${THING}`,
    EntriesUncleared: ({ lines }) =>
      said`removed the mark of ${String(lines.length)} entries in the reconciliation ${THING}`,
    DifferencesExplained: said`explained the differences of the reconciliation ${THING}`,
    ReconciliationFinished: said`finished the reconciliation ${THING}`,
    ReconciliationReopened: said`reopened the reconciliation ${THING}`,
  },
}
