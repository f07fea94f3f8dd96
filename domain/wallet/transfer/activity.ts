import type { Activity } from '../../kernel/activity.ts'
import { moneyText } from '../../record/currencies.ts'
import { mention, said, THING } from '../../record/said.ts'
import type { events } from './messages.ts'
import type { Movement } from './movement.ts'

type MovedAmount = Pick<Movement, 'amount' | 'currency' | 'places' | 'from' | 'to'>

/** What moves from where to where. */
export const moved = ({ amount, currency, places, from, to }: MovedAmount) =>
  said`${moneyText(amount, currency, places)} from the wallet ${mention('wallet', from)} to ${mention('wallet', to)}`

export const activity: Activity<typeof events> = {
  on: {
    TransferScheduled: data => [...said`scheduled the transfer ${THING} for ${data.dueAt}: `, ...moved(data)],
    TransferRequested: data => [...said`requested the transfer ${THING}: `, ...moved(data)],
    TransferApprovalAsked: said`asked for approval of the transfer ${THING}`,
    TransferApproved: said`approved the transfer ${THING}`,
    TransferDeclined: said`declined the transfer ${THING}`,
    TransferHeld: ({ amount, currency, places, from }) => [
      ...said`held ${moneyText(amount, currency, places)} in the wallet ${mention('wallet', from)}`,
      ...said` for the transfer ${THING}`,
    ],
    TransferHeldInVain: ({ from }) =>
      said`released in the wallet ${mention('wallet', from)} what was held too late for the transfer ${THING}`,
    TransferCompleted: said`completed the transfer ${THING}`,
    TransferRefused: ({ code }) => said`refused the transfer ${THING} (${code})`,
    TransferTimedOut: said`gave up the transfer ${THING}, because its time was over`,
    TransferCancelled: said`cancelled the transfer ${THING}`,
  },
}
