/** The storage and wire contract of secrets: add, never rename. What a secret is stands in no event and no command. */
import { boolean, id, integer, list, object, refined, text, timestamp, uuid } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'
import { personName, subjectName } from '../../record/subject.ts'

/** Values that are kept of one secret at a time. */
export const VERSIONS_MAX = 100
/** Leases of one secret that are open at a time. */
export const LEASES_MAX = 1_000
const ENVIRONMENT = /^[a-z][a-z0-9-]{0,31}$/
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}$/

/** The environment, a dot, and the name. */
export const secretId = id('secret').meta({ examples: ['production.STRIPE_KEY'] })
const environment = refined(
  text(32),
  value => ENVIRONMENT.test(value),
  'must be small letters, digits and -, such as `production`',
).meta({ description: 'where it is for: the same name may have another secret in each environment' })
const name = refined(text(96), value => NAME.test(value), 'must be letters, digits and _ . -, such as `STRIPE_KEY`')
const description = text(500).meta({ description: 'what it opens; everybody who may list secrets reads this' })
const owner = subjectName.meta({ description: 'who is reminded of its rotation' })
const newOwner = personName.meta({ description: 'who is reminded of its rotation; the caller where it is left out' })
const rotateDays = integer(1, 3_650).meta({ description: 'days after which it should be rotated' })
const readers = list(personName, 100, 1).meta({
  description: 'the users who may lease it, of those with the permission; all of these where it is left out',
})
const version = integer(1, 1_000_000).meta({ description: 'grows with each rotation' })
/** Names the row of the database of the keys that holds the encrypted value. */
const value = uuid.meta({ description: 'names the encrypted value; says nothing about it' })
const lease = id('lease')
const leases = list(lease, LEASES_MAX)
const until = timestamp.meta({ description: 'when the lease ends' })
const dueAt = timestamp.meta({ description: 'when it should be rotated' })
const seconds = integer(1, 2_592_000).default(3_600).meta({ description: 'how long the lease lasts, in seconds' })
const purpose = text(200).meta({ description: 'what it is read for, for the access log' })
const force = boolean.default(false).meta({ description: 'also where leases of it are open, which end with it' })

export const events = {
  SecretCreated: object({
    environment,
    name,
    description: description.optional(),
    owner,
    rotateDays: rotateDays.optional(),
    readers: readers.optional(),
    version,
    value,
    dueAt: dueAt.optional(),
  }),
  SecretChanged: object({
    version,
    description: description.nullable().optional(),
    owner: owner.optional(),
    rotateDays: rotateDays.nullable().optional(),
    readers: readers.nullable().optional(),
    /** As it is after the change; absent where it need not be rotated. */
    dueAt: dueAt.optional(),
    reason,
  }),
  SecretRotated: object({ version, value, dueAt: dueAt.optional(), reason: reason.optional() }),
  SecretRotationDue: object({ version, owner, dueAt, nextAt: timestamp }),
  /** The value was shown to the holder. */
  SecretLeased: object({ lease, version, value, holder: subjectName, until, purpose: purpose.optional() }),
  SecretLeaseRenewed: object({ lease, until }),
  SecretLeaseEnded: object({ lease }),
  /** `leases` were open, and end with it. */
  SecretVersionDestroyed: object({ version, value, leases: leases.optional(), reason }),
  SecretRemoved: object({ leases: leases.optional(), reason }),
} as const

/** Fields of commands that no client sends: they name what was encrypted before. */
export const commands = {
  create: object({
    id: secretId,
    environment,
    name,
    description: description.optional(),
    owner: newOwner.optional(),
    rotate_days: rotateDays.optional(),
    readers: readers.optional(),
    value,
  }),
  change: object({
    description: description.nullable().optional(),
    owner: newOwner.optional(),
    rotate_days: rotateDays.nullable().optional(),
    readers: readers.nullable().optional(),
    reason,
  }).meta({ examples: [{ rotate_days: 30, reason: 'The bank asks for it.' }] }),
  rotate: object({ value, reason: reason.optional() }),
  lease: object({ version: version.optional(), seconds, purpose: purpose.optional() }).meta({
    examples: [{ seconds: 600, purpose: 'deployment 42' }],
  }),
  renewLease: object({ lease, seconds }).meta({ examples: [{ lease: 'lease-1', seconds: 600 }] }),
  endLease: object({ lease }).meta({ examples: [{ lease: 'lease-1' }] }),
  destroyVersion: object({ version, force, reason }).meta({
    examples: [{ version: 1, force: true, reason: 'It was seen in a log of the till.' }],
  }),
  remove: object({ force, reason }).meta({ examples: [{ force: true, reason: 'The account was closed.' }] }),
  remind: object({ version, due_at: dueAt }),
} as const

export const rejections = [
  'secret_exists',
  'secret_removed',
  'secret_not_yours',
  'version_unknown',
  'version_current',
  'version_leased',
  'versions_full',
  'leases_full',
  'lease_over',
  'lease_outdated',
  'lease_not_yours',
] as const
