/** The contact's storage and wire contract: add fields, never rename them. */
import { list, oneOf, personal, ref, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

const sealed = (max: number, description: string) => personal('owner', text(max).meta({ description })).optional()
const LABELLED = 'one a line, each perhaps with a label before it: `work: '

/** A person, an organization or a group in a contact book. What it says of them is sealed under its owner's key. */
export const messages = recordMessages({
  one: 'contact',
  many: 'contacts',
  fields: {
    book: ref('contactbook'),
    kind: oneOf('individual', 'organization', 'group', 'location').default('individual'),
    groups: list(text(64), 50).default([]),
    uid: text(255).optional().meta({ description: 'the UID of its vCard; its id, where there is none' }),
    resource: text(255).optional().meta({ description: 'its name on the CardDAV server, where that is not its UID' }),
    name: personal('owner', text(500)),
    given_name: sealed(255, 'the given name'),
    family_name: sealed(255, 'the family name'),
    nickname: sealed(255, 'how they are called'),
    company: sealed(500, 'the organization that they are of, with its units: `Atlas Ltd; Maps`'),
    job: sealed(255, 'what they do there'),
    emails: sealed(8_000, `e-mail addresses, ${LABELLED}mira@example.org\``),
    phones: sealed(8_000, `telephone numbers, ${LABELLED}+49 30 1234\``),
    addresses: sealed(8_000, 'addresses, one a line: a text, or box;extension;street;place;region;code;country'),
    urls: sealed(8_000, `pages, ${LABELLED}https://example.org\``),
    birthday: sealed(64, 'a day, `1980-03-21`, or without a year, `--03-21`'),
    remarks: sealed(50_000, 'what is worth remembering'),
    more: sealed(300_000, 'what else its vCard says: content lines, unfolded'),
  },
  example: { book: 'contactbook-1', name: 'Ada Lovelace', emails: 'work: ada@example.org', groups: ['engines'] },
})
