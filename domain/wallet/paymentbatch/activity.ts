import type { Activity } from '../../kernel/activity.ts'
import { moneyText } from '../../record/currencies.ts'
import { mention, said, THING } from '../../record/said.ts'
import { moved } from '../transfer/activity.ts'
import type { events } from './messages.ts'

export const activity: Activity<typeof events> = {
  on: {
    PaymentBatchRequested: ({ payments, total, currency, places, from }) => [
      ...said`requested the payment batch ${THING}: ${String(payments)} payments,`,
      ...said` ${moneyText(total, currency, places)} from the wallet ${mention('wallet', from)}`,
    ],
    PaymentDue: data => [
      ...said`requested payment ${String(data.payment)} of the payment batch ${THING}: `,
      ...moved(data),
    ],
    PaymentWaiting: ({ payment }) =>
      said`noted that payment ${String(payment)} of the payment batch ${THING} waits for approval`,
    PaymentBatchApprovalAsked: said`asked for approval of the payment batch ${THING}`,
    PaymentBatchApproved: ({ payments }) =>
      said`approved ${String(payments.length)} payments of the payment batch ${THING}`,
    PaymentBatchDeclined: ({ payments }) =>
      said`declined ${String(payments.length)} payments of the payment batch ${THING}`,
    PaymentEnded: ({ payment, outcome, code }) =>
      said`noted the end of payment ${String(payment)} of the payment batch ${THING}: ${textOf(outcome, code)}`,
    PaymentBatchEnded: ({ completed, failed }) =>
      said`completed the payment batch ${THING}: ${String(completed)} payments completed, ${String(failed)} failed`,
  },
}

const textOf = (outcome: string, code: string | undefined): string =>
  `${outcome.replace('_', ' ')}${code === undefined ? '' : ` (${code})`}`
