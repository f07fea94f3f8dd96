import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { invariant } from '../../kernel/errors.ts'
import { type Attempts, failed, isNext, requested } from '../../record/attempts.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'

type Requested = Attempts & {
  readonly user: string
  readonly notification?: string | undefined
  readonly upTo: bigint
}

/** A mail waits for its next attempt until one succeeds, it has failed too often, or there is nothing left to tell. */
export type Mail = { readonly status: 'none' } | Requested

const evolve: Evolve<Mail, typeof events> = {
  MailRequested: (_, asked, dueAt) => ({ ...requested(dueAt), ...asked }),
  MailSent: (mail, { attempt }) => ({ ...known(mail), status: 'delivered', attempts: attempt }),
  MailFailed: (mail, failure) => failed(known(mail), failure),
  MailOmitted: mail => ({ ...known(mail), status: 'omitted' }),
}

const decide: Decide<Mail, typeof commands, typeof events> = {
  request: (mail, { id: _, ...asked }) => (mail.status === 'none' ? [{ type: 'MailRequested', data: asked }] : []),
  succeed: (mail, answer) => (isNext(known(mail), answer) ? [{ type: 'MailSent', data: answer }] : []),
  fail: (mail, failure) => (isNext(known(mail), failure) ? [{ type: 'MailFailed', data: failure }] : []),
  omit: (mail, why) => (known(mail).status === 'waiting' ? [{ type: 'MailOmitted', data: why }] : []),
}

/** One e-mail to a user about notifications: a process that the worker drives, one event for each attempt. */
export const mail = aggregate({
  name: 'mail',
  events,
  commands,
  api: { request: 'internal', succeed: 'internal', fail: 'internal', omit: 'internal' },
  rejections,
  initial: { status: 'none' } as Mail,
  evolve,
  decide,
  stateSchema: 1,
  activity,
})

function known(mail: Mail): Requested {
  invariant(mail.status !== 'none', 'an event or command of a mail that was not requested')
  return mail
}
