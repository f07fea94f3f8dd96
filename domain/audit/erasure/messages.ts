/** The storage and wire contract of erasures of personal data, and of legal holds against them: add, never rename. */
import { integer, list, object, oneOf, text } from '../../kernel/schema.ts'
import { ID_MAX, subjectName } from '../../record/subject.ts'

const subject = subjectName.meta({ description: 'whose personal data it is, as tokens name the person' })

/** The grounds of article 17 (1) of the GDPR, in its order, and the law of other places. */
const basis = oneOf(
  'no_longer_needed',
  'consent_withdrawn',
  'objection',
  'unlawful',
  'legal_obligation',
  'child',
  'other_law',
).meta({
  description:
    'the ground: of article 17 (1) of the GDPR (a) `no_longer_needed`, (b) `consent_withdrawn`, (c) `objection`, ' +
    '(d) `unlawful`, (e) `legal_obligation`, (f) `child`; or `other_law`, which the reason names',
})

const reason = text(1000).meta({
  description: 'why, for the audit log, which keeps it for ever: write nothing personal in it',
})

const matter = text(128).meta({ description: 'what the data is held for, as the case or audit is called' })

export const events = {
  SubjectErased: object({ subject, basis, reason }),
  ErasureCompleted: object({
    subject,
    keys: integer(0, 2 ** 31 - 1).meta({
      description: 'keys that were destroyed: that of the person, and those of things with data of the person',
    }),
    files: integer(0, 2 ** 31 - 1).meta({ description: 'files whose bytes were removed' }),
  }),
  LegalHoldPlaced: object({ subject, matter, reason }),
  LegalHoldLifted: object({ subject, matter, reason }),
} as const

export const commands = {
  erase: object({ subject, basis, reason }).meta({
    examples: [{ subject: 'jon', basis: 'consent_withdrawn', reason: 'Request 2026-118, granted on 3 March.' }],
  }),
  complete: object({ erased: list(events.ErasureCompleted, 100, 1) }),
  /** Persons whose data retention rules keep no longer. */
  retire: object({ due: list(object({ subject, reason }), 100, 1) }),
  /** A thing with a key of its own was forgotten. */
  forget: object({ category: text(64), thing: text(ID_MAX), reason }),
  hold: object({ subject, matter, reason }).meta({
    examples: [{ subject: 'mira', matter: 'case 7/2026', reason: 'The court asked to keep everything.' }],
  }),
  lift: object({ subject, matter, reason }).meta({
    examples: [{ subject: 'mira', matter: 'case 7/2026', reason: 'The case is closed.' }],
  }),
} as const

export const rejections = ['erasure_own', 'erasure_of_thing', 'legal_hold', 'erased_already', 'too_many_holds'] as const
