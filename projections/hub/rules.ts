/** Who is notified of what: a rule is a line. */
import type { z } from 'zod'
import { events as webhook } from '../../domain/apps/webhook/messages.ts'
import { events as accessrequest } from '../../domain/audit/accessrequest/messages.ts'
import { events as task } from '../../domain/center/task/messages.ts'
import type { Kind } from '../../domain/hub/inbox/kinds.ts'
import { events as inbox } from '../../domain/hub/inbox/messages.ts'
import type { EventsOf } from '../../domain/kernel/categories.ts'
import { messages as calendarevent } from '../../domain/office/calendarevent/messages.ts'
import { events as message } from '../../domain/rooms/message/messages.ts'
import { events as secret } from '../../domain/vault/secret/messages.ts'
import { events as budget } from '../../domain/wallet/budget/messages.ts'
import { events as bankimport } from '../../domain/wallet/import/messages.ts'
import { events as paymentbatch } from '../../domain/wallet/paymentbatch/messages.ts'
import { events as transfer } from '../../domain/wallet/transfer/messages.ts'

/** The vocabularies of the events that rules look at, and of the inbox, whose events mark what is read. */
export const vocabularies = {
  task,
  message,
  transfer,
  paymentbatch,
  budget,
  import: bankimport,
  webhook,
  accessrequest,
  secret,
  calendarevent: calendarevent.events,
  inbox,
} as const

/** The categories whose events notify users. */
export const notifyingCategories: readonly string[] = Object.keys(vocabularies).filter(name => name !== 'inbox')

type Events = EventsOf<typeof vocabularies>

/** Notifies the users whom the event names. Of several rules that name a user for one event the first one counts. */
export type Rule<D = never> = { readonly kind: Kind; readonly to: (data: D) => readonly (string | null | undefined)[] }

const rule = <T extends keyof Events & string>(
  type: T,
  kind: Kind,
  to: Rule<z.output<Events[T]>>['to'],
): readonly [T, Rule] => [type, { kind, to }]

/** Rules on events that name who is to be notified. */
export const RULES: readonly (readonly [type: string, rule: Rule])[] = [
  rule('TaskCreated', 'task_assigned', ({ assignee }) => [assignee]),
  rule('TaskCreated', 'mentioned', ({ name, description }) => mentionsIn(name, description)),
  rule('TaskChanged', 'mentioned', ({ name, description, reason }) => mentionsIn(name, description, reason)),
  rule('TaskAssigned', 'task_assigned', ({ to }) => [to]),
  rule('TaskAssigned', 'mentioned', ({ reason }) => mentionsIn(reason)),
  rule('TaskStatusChanged', 'mentioned', ({ reason }) => mentionsIn(reason)),
  rule('TaskCompleted', 'mentioned', ({ reason }) => mentionsIn(reason)),
  rule('TaskCommented', 'mentioned', ({ text }) => mentionsIn(text)),
  rule('TaskCommentChanged', 'mentioned', ({ text }) => mentionsIn(text)),
  rule('MessageSent', 'mentioned', ({ text }) => mentionsIn(text)),
  rule('TaskDue', 'task_due', ({ assignee }) => [assignee]),
  // Approval of the payments of a batch is asked for once.
  rule('TransferApprovalAsked', 'transfer_approval_asked', ({ approvers, batch }) => (batch ? [] : approvers)),
  rule('PaymentBatchApprovalAsked', 'transfer_approval_asked', ({ approvers }) => approvers),
  rule('BudgetPassed', 'budget_passed', ({ owner }) => [owner]),
  rule('AccessRequestReminded', 'access_request_due', ({ handler }) => [handler]),
  rule('SecretRotationDue', 'secret_rotation_due', ({ owner }) => [owner]),
  rule('CalendarEventReminded', 'event_reminder', ({ to }) => to),
  rule('WebhookDisabled', 'webhook_disabled', ({ owner }) => [owner]),
]

/** Things whose end is told to the user who began them: which events begin them, which end them with which kind. */
export const ENDINGS: readonly Ending[] = [
  {
    begins: ['TransferScheduled', 'TransferRequested'],
    ends: {
      TransferCompleted: 'transfer_completed',
      TransferRefused: 'transfer_refused',
      TransferTimedOut: 'transfer_timed_out',
      TransferDeclined: 'transfer_declined',
      TransferCancelled: null,
    },
  },
  { begins: ['PaymentBatchRequested'], ends: { PaymentBatchEnded: 'payments_ended' } },
  // A large file is booked long after its user has turned to other things.
  { begins: ['ImportStarted'], ends: { ImportBooked: 'import_done' }, isOwnNews: true },
]

/** A thing ends once. `null`: an end of which nobody is told. `isOwnNews`: also an end that the user brings about. */
type Ending = {
  readonly begins: readonly (keyof Events & string)[]
  readonly ends: { readonly [T in keyof Events & string]?: Kind | null }
  readonly isOwnNews?: true
}

/** `@name`, at the beginning of a word: a name has no white space, and does not end with a mark of punctuation. */
const MENTION = /(?<=^|[\s(,;])@([\p{L}\p{N}](?:[^\s@,;()]{0,126}[\p{L}\p{N}])?)/gu
const MENTIONS_MAX = 20

export const mentionsIn = (...texts: readonly (string | null | undefined)[]): readonly string[] =>
  texts.flatMap(text => [...(text ?? '').matchAll(MENTION)].map(([, name]) => name!)).slice(0, MENTIONS_MAX)
