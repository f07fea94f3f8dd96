import type { z } from 'zod'
import { events } from '../../domain/identity/user/messages.ts'
import { boolean, id, integer, object, oneOf, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const { user, email, verified, by } = events.UserRegistered.shape

const row = object({
  org: id('org'),
  id: id('user'),
  user,
  email,
  verified: verified.meta({ description: 'whether an identity provider has verified the address' }),
  registered_by: by,
  registered_at: timestamp,
  status: oneOf('active', 'suspended'),
  has_password: boolean,
  has_totp: boolean,
  recovery_codes: integer(0, 100).meta({ description: 'recovery codes that were not used' }),
  passkeys: integer(0, 1_000),
  identities: integer(0, 1_000).meta({ description: 'identities of providers that are linked' }),
  signed_in_at: timestamp.optional(),
  reason: events.UserSuspended.shape.reason,
  revision: unsigned64,
  updated_at: timestamp,
})

type Row = z.output<typeof row>

const on: Handlers<Row, typeof events> = {
  UserRegistered: made(({ by, ...data }, at) => ({
    ...data,
    registered_by: by,
    registered_at: at,
    status: 'active',
    has_password: false,
    has_totp: false,
    recovery_codes: 0,
    passkeys: 0,
    identities: 0,
  })),
  PasswordSet: changed(() => ({ has_password: true })),
  RecoveryCodesMade: changed(({ count }) => ({ recovery_codes: count })),
  RecoveryCodeUsed: changed(({ left }) => ({ recovery_codes: left })),
  TotpEnrolled: changed(() => ({ has_totp: true })),
  TotpRemoved: changed(() => ({ has_totp: false })),
  PasskeyAdded: changed((_, { passkeys }) => ({ passkeys: passkeys + 1 })),
  PasskeyRemoved: changed((_, { passkeys }) => ({ passkeys: passkeys - 1 })),
  IdentityLinked: changed((_, { identities }) => ({ identities: identities + 1 })),
  IdentityUnlinked: changed((_, { identities }) => ({ identities: identities - 1 })),
  SessionStarted: changed((_, __, at) => ({ signed_in_at: at })),
  SessionRaised: null,
  SessionEnded: null,
  SessionsEnded: null,
  UserSuspended: changed(({ reason }) => ({ status: 'suspended', reason })),
  UserResumed: changed(({ reason }) => ({ status: 'active', reason })),
}

/** One row in the org of each user: how they can sign in. */
export const users = projection({
  name: 'users',
  service: 'identity',
  version: 1,
  history: true,
  of: { user: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'user',
      many: 'users',
      path: '/users',
      permission: 'organization.read',
      names: [],
      order: ['id'],
      summary: { list: 'The user whose own org this is: one row there, none in the orgs of organizations.' },
    },
  ],
})
