import { users } from '../../../projections/identity/users.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const registered = { type: 'UserRegistered', data: { user: 'u-1', verified: true, by: 'provider' } }
const started = { session: 's-1', org: 'u-1', methods: ['pwd'], acr: 'aal1', until: '2099-01-31T00:00:00.000Z' }
const event = (type: string, data: object = {}) => ({ type, data })

describe('rows: users', () => {
  const { given } = rowsFor(users)

  it('say how a user signs in', () =>
    given(
      registered,
      event('PasswordSet', { how: 'chosen' }),
      event('TotpEnrolled'),
      event('RecoveryCodesMade', { count: 10 }),
      event('RecoveryCodeUsed', { left: 9 }),
      event('PasskeyAdded', { passkey: 'p-1', name: 'Laptop' }),
      event('IdentityLinked', { identity: 'i-1', issuer: 'https://login.example' }),
      event('SessionStarted', started),
    ).then({
      user: 'u-1',
      verified: true,
      registered_by: 'provider',
      status: 'active',
      has_password: true,
      has_totp: true,
      recovery_codes: 9,
      passkeys: 1,
      identities: 1,
      revision: 7n,
    }))

  it('lose what was removed, and say who is suspended', () =>
    given(
      registered,
      event('TotpEnrolled'),
      event('TotpRemoved'),
      event('PasskeyAdded', { passkey: 'p-1', name: 'Laptop' }),
      event('PasskeyRemoved', { passkey: 'p-1' }),
      event('IdentityLinked', { identity: 'i-1', issuer: 'https://login.example' }),
      event('IdentityUnlinked', { identity: 'i-1' }),
      event('SessionRaised', { session: 's-1', methods: ['otp'], acr: 'aal2' }),
      event('SessionEnded', { session: 's-1', why: 'signed_out' }),
      event('SessionsEnded', { why: 'signed_out' }),
      event('UserSuspended', { reason: 'Asked to.' }),
    ).then({ has_totp: false, passkeys: 0, identities: 0, status: 'suspended', reason: 'Asked to.' }))

  it('come back', () =>
    given(registered, event('UserSuspended', {}), event('UserResumed', {})).then({ status: 'active' }))
})
