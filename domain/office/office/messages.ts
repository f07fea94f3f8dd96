import { jsonObject, list, object, personal, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

const linked = object({
  service: text(64).meta({ description: 'what the account is with: `github`' }),
  handle: text(255).meta({ description: 'how they are called there' }),
  url: text(2_000).optional(),
})

/** A digital office: the profile of a worker, how they like things, and their accounts elsewhere. */
export const messages = recordMessages({
  one: 'office',
  many: 'offices',
  fields: {
    name: text(255),
    headline: text(255).optional().meta({ description: 'what they do, in one line' }),
    skills: list(text(64), 100).default([]),
    about: personal('owner', text(20_000)).optional(),
    email: personal('owner', text(320)).optional(),
    phone: personal('owner', text(64)).optional(),
    place: personal('owner', text(255)).optional(),
    zone: text(64).optional().meta({ description: 'time zone: Europe/Berlin' }),
    preferences: jsonObject.default({}),
    linked_accounts: list(linked, 50).default([]),
  },
  example: {
    name: 'Mira Okonjo',
    headline: 'Illustrator of maps',
    preferences: { locale: 'de', week_start: 'monday' },
    linked_accounts: [{ service: 'portfolio', handle: 'mira' }],
  },
})
