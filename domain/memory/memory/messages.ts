/** The memory's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { id, jsonObject, list, object, oneOf, personal, refined, sealed, text, timestamp } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'
import { ID_MAX, subjectName } from '../../record/subject.ts'

/** Tags, links and shares of one memory: they stand in its state. */
export const TAGS_MAX = 50
export const LINKS_MAX = 200
export const SHARES_MAX = 200
const SUBJECTS_MAX = 20

/** What the seed's clients call the kind of a memory that they do not name. */
const TYPE_DEFAULT = 'general'

/** Not `search`, which is a path of the list. */
const memoryId = refined(
  id('memory'),
  name => name !== 'search' && [...name].length <= ID_MAX,
  `must have at most ${ID_MAX} characters, and not be the word search`,
)

const type = text(64).meta({ description: 'what kind of memory it is: `general`, `causal_models`' })
const source = text(128).meta({ description: 'where it comes from: `slack`, `interview`' })
const session = text(128).meta({ description: 'the conversation, meeting or run that it belongs to' })
const subjects = list(subjectName, SUBJECTS_MAX)
const tags = list(text(64), TAGS_MAX)
const from = timestamp.meta({ description: 'from when on what it says holds; always, where there is none' })
const until = timestamp.meta({ description: 'until when what it says holds; still, where there is none' })
const privacy = oneOf('organization', 'private').meta({
  description:
    '`organization`: everybody who may read memories; `private`: who has stored it, and those that it is shared with',
})
const grantee = {
  kind: oneOf('user', 'team', 'module').meta({
    description: 'a user, a unit of the organization (one of the teams that tokens name), or a module',
  }),
  with: id('grantee').meta({
    description: 'the user, team or module, by its name; the subject of a token of a module is `module:` and its name',
  }),
}
const relation = text(64).meta({ description: 'how the two belong together: `supports`, `is about`' })
/** The kinds of things that a memory can be linked to, beside other memories. */
const LINKED = ['memory', 'project', 'task', 'item', 'wallet', 'note'] as const
const linked = {
  type: relation,
  kind: oneOf(...LINKED).meta({ description: 'what it is linked to' }),
  to: id('thing'),
}
const valid = { validFrom: from.optional(), validTo: until.optional() }
const why = { reason: reason.optional() }

export const events = {
  MemoryStored: object({
    type,
    text: sealed,
    source: source.optional(),
    session: session.optional(),
    /** Whose personal data it is: the erasure of one of them destroys it. */
    subjects,
    author: subjectName,
    ...valid,
    metadata: jsonObject.optional(),
    tags,
    privacy,
    expiresAt: timestamp.optional(),
  }),
  MemoryRevised: object({
    type: type.optional(),
    text: sealed.optional(),
    source: source.nullable().optional(),
    session: session.nullable().optional(),
    validFrom: from.nullable().optional(),
    validTo: until.nullable().optional(),
    metadata: jsonObject.nullable().optional(),
    ...why,
  }),
  MemoryTagged: object({ tags }),
  MemoryUntagged: object({ tags }),
  MemoryLinked: object({ ...linked, ...valid }),
  MemoryUnlinked: object(linked),
  MemoryExpirySet: object({ expiresAt: timestamp.nullable() }),
  MemoryPrivacySet: object({ privacy }),
  MemoryShared: object(grantee),
  MemoryUnshared: object(grantee),
  MemoryArchived: object(why),
  MemoryUnarchived: object({}),
  MemoryExpired: object({ expiresAt: timestamp }),
  MemoryForgotten: object(why),
} as const

const asked = { valid_from: from.optional(), valid_to: until.optional() }
const named = list(text(64), TAGS_MAX, 1)

export const commands = {
  store: object({
    id: memoryId.optional(),
    type: type.default(TYPE_DEFAULT),
    text: personal('author', text(20_000)).meta({ description: 'what is to be remembered' }),
    source: source.optional(),
    session: session.optional(),
    subjects: subjects.optional().meta({
      description:
        'whose personal data it is, as tokens name these persons: the erasure of one of them destroys the memory. ' +
        'The caller, where none is named',
    }),
    ...asked,
    metadata: jsonObject
      .optional()
      .meta({ description: 'stands in the clear, for ever: write nothing personal in it' }),
    tags: tags.default([]),
    privacy: privacy.default('organization'),
    expires_at: timestamp.optional().meta({ description: 'when it is forgotten by itself' }),
  }).meta({
    examples: [
      {
        id: 'memory-1',
        type: 'interview',
        text: 'Mira would rather meet in the morning, and writes invoices on Fridays.',
        source: 'call',
        session: 'call-1',
        tags: ['habits'],
      },
    ],
  }),
  revise: object({
    type: type.optional(),
    text: personal('author', text(20_000)).optional(),
    source: source.nullable().optional(),
    session: session.nullable().optional(),
    valid_from: from.nullable().optional(),
    valid_to: until.nullable().optional(),
    metadata: jsonObject.nullable().optional(),
    ...why,
  }).meta({ examples: [{ text: 'Mira would rather meet in the afternoon.', reason: 'She said so.' }] }),
  tag: object({ tags: named }).meta({ examples: [{ tags: ['mira'] }] }),
  untag: object({ tags: named }).meta({ examples: [{ tags: ['mira'] }] }),
  link: object({ ...linked, ...asked }).meta({
    examples: [{ type: 'is about', kind: 'project', to: 'project-1' }],
  }),
  unlink: object(linked).meta({ examples: [{ type: 'is about', kind: 'project', to: 'project-1' }] }),
  setExpiry: object({
    expires_at: timestamp.nullable().meta({ description: 'when it is forgotten by itself; null: never' }),
  }).meta({ examples: [{ expires_at: '2099-01-31T00:00:00.000Z' }] }),
  setPrivacy: object({ privacy }).meta({ examples: [{ privacy: 'private' }] }),
  share: object(grantee).meta({ examples: [{ kind: 'team', with: 'design' }] }),
  unshare: object(grantee).meta({ examples: [{ kind: 'team', with: 'design' }] }),
  archive: object(why).meta({ examples: [{ reason: 'the project is over' }] }),
  unarchive: object({}),
  expire: object({ expires_at: timestamp }),
  forget: object(why).meta({ examples: [{ reason: 'Mira asked for it.' }] }),
} as const

export const rejections = [
  'memory_already_stored',
  'memory_forgotten',
  'memory_archived',
  'memory_not_yours',
  'memory_full',
  'memory_link_unknown',
  'memory_valid_before',
  'memory_expires_before',
  'memory_held',
] as const
