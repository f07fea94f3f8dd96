/** The storage and wire contract of API keys: add, never rename. What a key is stands in no event. */

import { id, integer, list, object, refined, text, timestamp } from '../../kernel/schema.ts'
import { GRANT } from '../../record/grants.ts'
import { reason } from '../../record/reason.ts'
import { personName, subjectName } from '../../record/subject.ts'

const key = id('API key')
const name = text(200).meta({ description: 'what the key is for' })
const scope = refined(
  text(200),
  grant => GRANT.test(grant) && grant !== '*',
  'must be a permission, or one with `*` at the end',
)
const scopes = list(scope, 100, 1).meta({
  description: 'what the key allows, of what its owner may do: `wallet.entries.read`, or `wallet.*`',
})
const owner = subjectName.meta({ description: 'the member as whom it acts' })
const newOwner = personName.meta({ description: 'the member as whom it acts' })
const generation = integer(1, 1_000_000).meta({ description: 'grows with each rotation' })
const why = { reason: reason.optional() }
const expires = timestamp.meta({ description: 'when it ends by itself' })

export const events = {
  ApiKeyMade: object({ key, name, owner, scopes, generation, expiresAt: expires.optional(), ...why }),
  /** The generation before counts until `earlierUntil`. */
  ApiKeyRotated: object({ key, generation, earlierUntil: timestamp, ...why }),
  ApiKeyRevoked: object({ key, owner, ...why }),
} as const

export const commands = {
  make: object({
    key: key.optional(),
    name,
    owner: newOwner.optional(),
    scopes,
    expires_at: expires.optional(),
    reason,
  }).meta({
    examples: [
      {
        key: 'till',
        name: 'The till of the shop',
        scopes: ['wallet.entries.write', 'wallet.accounts.read'],
        expires_at: '2099-01-31T00:00:00.000Z',
        reason: 'The till books what it sells.',
      },
    ],
  }),
  rotate: object({
    key,
    overlap_hours: integer(0, 720)
      .default(24)
      .meta({ description: 'for how long the key before counts as well; 0 ends it at once' }),
    reason,
  }).meta({ examples: [{ key: 'till', overlap_hours: 24, reason: 'Once a quarter.' }] }),
  revoke: object({ key, reason: reason.optional() }).meta({ examples: [{ key: 'till' }] }),
} as const

export const rejections = [
  'key_exists',
  'key_unknown',
  'key_over',
  'key_not_yours',
  'scope_not_yours',
  'key_needs_member',
  'keys_full',
] as const
