/** The storage and wire contract of users: add, never rename. No event holds a password, a secret, or their digests. */
import { boolean, id, integer, list, object, oneOf, personal, sealed, text, timestamp } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'
import { subjectName } from '../../record/subject.ts'

const user = subjectName.meta({ description: 'the id of the user, which tokens name as `sub`' })
const session = id('session')
const methods = list(text(32), 10, 1).meta({ description: 'how the user has proved who they are (RFC 8176)' })
const acr = oneOf('aal1', 'aal2').meta({ description: 'by one factor, or by two' })
const org = text(64).meta({ description: 'the organization that the session is for' })
const client = text(200).meta({ description: 'the program, as it calls itself' })
const passkey = id('passkey')
const name = text(200)
const identity = id('identity').meta({ description: 'digest of the issuer and of its name for the user' })
const issuer = text(500).meta({ description: 'the identity provider' })
const password = oneOf('chosen', 'changed', 'recovered').meta({ description: 'how it came about' })
const ended = oneOf('signed_out', 'replaced', 'revoked', 'token_reused')
const allEnded = oneOf('signed_out', 'password_changed', 'password_recovered', 'suspended', 'by_operator')
const why = { reason: reason.optional() }

export const events = {
  UserRegistered: object({
    user,
    email: sealed.optional(),
    verified: boolean,
    by: oneOf('sign_up', 'provider', 'operator'),
  }),
  PasswordSet: object({ how: password }),
  RecoveryCodesMade: object({ count: integer(1, 100) }),
  RecoveryCodeUsed: object({ left: integer(0, 100) }),
  TotpEnrolled: object({}),
  TotpRemoved: object({}),
  PasskeyAdded: object({ passkey, name }),
  PasskeyRemoved: object({ passkey }),
  IdentityLinked: object({ identity, issuer }),
  IdentityUnlinked: object({ identity }),
  SessionStarted: object({ session, org, methods, acr, until: timestamp, client: client.optional() }),
  SessionRaised: object({ session, methods, acr }),
  SessionEnded: object({ session, why: ended }),
  SessionsEnded: object({ why: allEnded }),
  UserSuspended: object({ ...why }),
  UserResumed: object({ ...why }),
} as const

const email = personal('user', text(254).meta({ description: 'the e-mail address that the user signs in with' }))

export const commands = {
  register: object({
    user,
    email: email.optional(),
    verified: boolean,
    by: oneOf('sign_up', 'provider', 'operator'),
  }),
  setPassword: object({ how: password }),
  makeRecoveryCodes: object({ count: integer(1, 100) }),
  useRecoveryCode: object({}),
  enrolTotp: object({}),
  removeTotp: object({}),
  addPasskey: object({ passkey, name }),
  removePasskey: object({ passkey }),
  linkIdentity: object({ identity, issuer }),
  unlinkIdentity: object({ identity }),
  startSession: object({ session, org, methods, acr, until: timestamp, client: client.optional() }),
  raiseSession: object({ session, methods, acr }),
  endSession: object({ session, why: ended }),
  endSessions: object({ why: allEnded }),
  suspend: object({ ...why }),
  resume: object({ ...why }),
} as const

export const rejections = [
  'user_exists',
  'user_unknown',
  'user_suspended',
  'session_over',
  'passkeys_full',
  'passkey_unknown',
  'identity_unknown',
  'factor_is_last',
] as const
