import { expect } from 'chai'
import { hasSecondFactor, sessionOf, user } from '../../../domain/identity/user/user.ts'
import { CONTEXT, specFor, stateOf } from '../../support/spec.ts'

const { given } = specFor(user)
const LATER = '2026-03-02T12:00:00.000Z'
const registered = { type: 'UserRegistered', data: { user: 'u-1', verified: false, by: 'sign_up' } } as const
const password = { type: 'PasswordSet', data: { how: 'chosen' } } as const
const started = (session = 's-1', until = LATER) => ({
  type: 'SessionStarted' as const,
  data: { session, org: 'u-1', methods: ['pwd'], acr: 'aal1' as const, until },
})
const added = (passkey: string) => ({ type: 'PasskeyAdded', data: { passkey, name: 'Laptop' } }) as const
const linked = { type: 'IdentityLinked', data: { identity: 'i-1', issuer: 'https://login.example' } } as const
const suspended = { type: 'UserSuspended', data: { reason: 'Asked to.' } } as const
const ended = { type: 'SessionEnded', data: { session: 's-1', why: 'signed_out' } } as const

describe('user', () => {
  it('is registered once, and is nobody before', () => {
    given().when('register', registered.data).then(registered)
    given(registered).when('register', registered.data).rejects('user_exists')
    given().when('setPassword', { how: 'chosen' }).rejects('user_unknown')
    given().when('startSession', started().data).rejects('user_unknown')
    given(registered)
      .when('setPassword', { how: 'changed' })
      .then({ type: 'PasswordSet', data: { how: 'changed' } })
  })

  it('has sessions, which end by themselves, one by one, or together', () => {
    given(registered).when('startSession', started().data).then(started())
    given(registered, started()).when('endSession', ended.data).then(ended)
    given(registered, started(), ended).when('endSession', ended.data).changesNothing()
    const all = { type: 'SessionsEnded', data: { why: 'signed_out' } } as const
    given(registered, started(), started('s-2')).when('endSessions', all.data).then(all)
    given(registered, started(), all).when('endSessions', all.data).changesNothing()
    const raise = { session: 's-1', methods: ['pwd', 'otp'], acr: 'aal2' } as const
    given(registered, started())
      .when('raiseSession', { ...raise, methods: [...raise.methods] })
      .then({ type: 'SessionRaised', data: { ...raise, methods: [...raise.methods] } })
    given(registered, started('s-1', CONTEXT.at))
      .when('raiseSession', { ...raise, methods: [...raise.methods] })
      .rejects('session_over')
    const state = stateOf(user, [registered, started('s-1', CONTEXT.at), started('s-2')])
    expect(state.sessions.map(({ session }) => session)).to.deep.equal(['s-2'])
    expect(sessionOf(state, 's-2', CONTEXT.at)).to.include({ acr: 'aal1', provedAt: CONTEXT.at })
    expect(sessionOf(state, 's-2', LATER)).to.equal(undefined)
  })

  it('has a hundred sessions at most: the oldest makes room', () => {
    const many = Array.from({ length: 100 }, (_, n) => started(`s-${n}`))
    given(registered, ...many)
      .when('startSession', started('new').data)
      .then({ type: 'SessionEnded', data: { session: 's-0', why: 'replaced' } }, started('new'))
  })

  it('has second factors, and keeps a last way to sign in', () => {
    given(registered).when('enrolTotp', {}).then({ type: 'TotpEnrolled', data: {} })
    given(registered, { type: 'TotpEnrolled', data: {} }).when('enrolTotp', {}).changesNothing()
    given(registered, { type: 'TotpEnrolled', data: {} }).when('removeTotp', {}).then({ type: 'TotpRemoved', data: {} })
    given(registered).when('removeTotp', {}).changesNothing()
    given(registered).when('addPasskey', added('p-1').data).then(added('p-1'))
    given(registered, added('p-1')).when('addPasskey', added('p-1').data).changesNothing()
    given(registered, ...Array.from({ length: 20 }, (_, n) => added(`p-${n}`)))
      .when('addPasskey', added('p-20').data)
      .rejects('passkeys_full')
    given(registered, added('p-1')).when('removePasskey', { passkey: 'p-1' }).rejects('factor_is_last')
    given(registered, added('p-1')).when('removePasskey', { passkey: 'p-2' }).rejects('passkey_unknown')
    given(registered, password, added('p-1'))
      .when('removePasskey', { passkey: 'p-1' })
      .then({ type: 'PasskeyRemoved', data: { passkey: 'p-1' } })
    given(registered).when('linkIdentity', linked.data).then(linked)
    given(registered, linked).when('linkIdentity', linked.data).changesNothing()
    given(registered, linked).when('unlinkIdentity', { identity: 'i-1' }).rejects('factor_is_last')
    given(registered, linked).when('unlinkIdentity', { identity: 'i-2' }).rejects('identity_unknown')
    given(registered, password, linked)
      .when('unlinkIdentity', { identity: 'i-1' })
      .then({ type: 'IdentityUnlinked', data: { identity: 'i-1' } })
    expect(hasSecondFactor(stateOf(user, [registered]))).to.equal(false)
    expect(hasSecondFactor(stateOf(user, [registered, added('p-1')]))).to.equal(true)
  })

  it('counts recovery codes', () => {
    const made = { type: 'RecoveryCodesMade', data: { count: 10 } } as const
    given(registered).when('makeRecoveryCodes', { count: 10 }).then(made)
    given(registered, made)
      .when('useRecoveryCode', {})
      .then({ type: 'RecoveryCodeUsed', data: { left: 9 } })
  })

  it('is suspended with all sessions, and does nothing until that ends', () => {
    given(registered, started()).when('suspend', suspended.data).then(suspended)
    given(registered, suspended).when('suspend', suspended.data).changesNothing()
    given(registered, suspended).when('startSession', started().data).rejects('user_suspended')
    given(registered, suspended).when('setPassword', { how: 'changed' }).rejects('user_suspended')
    given(registered, suspended).when('resume', suspended.data).then({ type: 'UserResumed', data: suspended.data })
    given(registered).when('resume', {}).changesNothing()
    given().when('suspend', {}).rejects('user_unknown')
    given().when('resume', {}).rejects('user_unknown')
    expect(stateOf(user, [registered, started(), suspended]).sessions).to.deep.equal([])
  })
})
