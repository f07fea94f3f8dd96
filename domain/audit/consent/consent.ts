import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { mention, said, THING } from '../../record/said.ts'
import { because, commands, events, rejections } from './messages.ts'

export type Consent =
  | { readonly status: 'none' }
  | { readonly status: 'given'; readonly expiresAt?: string | undefined }
  | { readonly status: 'withdrawn' }
  | { readonly status: 'expired' }

const evolve: Evolve<Consent, typeof events> = {
  ConsentGiven: (_, { expiresAt }) => ({ status: 'given', ...(expiresAt && { expiresAt }) }),
  ConsentWithdrawn: () => ({ status: 'withdrawn' }),
  ConsentExpired: () => ({ status: 'expired' }),
}

const decide: Decide<Consent, typeof commands, typeof events> = {
  give(consent, { id: _, expires_at: expiresAt, ...data }, { at }) {
    if (consent.status !== 'none') {
      throw rejected(
        'consent_already_given',
        'This consent was given before: give another one, under an id of its own.',
      )
    }
    if (expiresAt !== undefined && expiresAt <= at) {
      throw rejected('consent_expires_before', 'The consent would have ended already: name a time to come.')
    }
    return [{ type: 'ConsentGiven', data: { ...data, ...(expiresAt && { expiresAt }) } }]
  },
  withdraw(consent, { reason }) {
    if (consent.status === 'withdrawn' || consent.status === 'expired') return []
    inStatus(consent, 'given', ['consent_not_given', 'There is no such consent.'])
    return [{ type: 'ConsentWithdrawn', data: because(reason) }]
  },
  /** Late timers, and those of a consent that was withdrawn meanwhile, change nothing. */
  expire(consent, { expires_at: expiresAt }, { at }) {
    if (consent.status !== 'given' || consent.expiresAt !== expiresAt || at < expiresAt) return []
    return [{ type: 'ConsentExpired', data: { expiresAt } }]
  },
}

/** That a person agreed to one use of their data: until it is withdrawn, or its time is over. */
export const consent = aggregate({
  name: 'consent',
  events,
  commands,
  api: {
    give: ['POST /consents', 'consents.write', 'Record that a person has consented to one use of their data.'],
    withdraw: ['POST /consents/:id/withdraw', 'consents.write', 'Record that a person has withdrawn a consent.'],
    expire: 'internal',
  },
  rejections,
  initial: { status: 'none' } as Consent,
  evolve,
  decide,
  stateSchema: 1,
  activity: {
    on: {
      ConsentGiven: ({ subject, purpose }) => said`recorded the consent of ${mention('inbox', subject)} to ${purpose}`,
      ConsentWithdrawn: said`recorded that the consent ${THING} was withdrawn`,
      ConsentExpired: said`ended the consent ${THING}, whose time is over`,
    },
  },
})
