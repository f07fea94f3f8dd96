/** The storage and wire contract of consents: add, never rename. */
import { id, object, text, timestamp } from '../../kernel/schema.ts'
import { because, reason } from '../../record/reason.ts'
import { subjectName } from '../../record/subject.ts'

export { because }

const given = {
  subject: subjectName.meta({ description: 'who has given it, as tokens name the person' }),
  purpose: text(255).meta({ description: 'what the data may be used for', examples: ['newsletter'] }),
  wording: text(255).optional().meta({ description: 'which text was agreed to, by its version or link' }),
  evidence: text(1000).optional().meta({ description: 'how it was given; write nothing personal in it' }),
}

export const events = {
  ConsentGiven: object({ ...given, expiresAt: timestamp.optional() }),
  ConsentWithdrawn: object({ reason: reason.optional() }),
  ConsentExpired: object({ expiresAt: timestamp }),
} as const

export const commands = {
  give: object({
    id: id('consent').optional(),
    ...given,
    expires_at: timestamp.optional().meta({ description: 'when it ends by itself; never, where there is none' }),
  }).meta({
    examples: [
      {
        id: 'consent-1',
        subject: 'mira',
        purpose: 'newsletter',
        wording: 'newsletter of 2026-01',
        evidence: 'Ticked on the form.',
        expires_at: '2099-01-31T00:00:00.000Z',
      },
    ],
  }),
  withdraw: object({ reason: reason.optional() }).meta({ examples: [{ reason: 'Asked by e-mail.' }] }),
  expire: object({ expires_at: timestamp }),
} as const

export const rejections = ['consent_already_given', 'consent_not_given', 'consent_expires_before'] as const
