import { expect } from 'chai'
import { type ApiKey, keybook, keyCounts } from '../../../domain/identity/keybook/keybook.ts'
import { organization } from '../../../domain/identity/organization/organization.ts'
import { CONTEXT, specFor, stateOf } from '../../support/spec.ts'

const { given } = specFor(keybook)
const reason = 'So it is.'
const scopes: string[] = ['wallet.*']
const LATER = '2026-02-01T12:00:00.000Z'
const data = { key: 'made-0', name: 'Till', owner: 'jon', scopes, generation: 1, reason }
const made = { type: 'ApiKeyMade', data } as const
const rotated = { type: 'ApiKeyRotated', data: { key: 'made-0', generation: 2, earlierUntil: LATER, reason } } as const
const revoked = { type: 'ApiKeyRevoked', data: { key: 'made-0', owner: 'jon' } } as const
const seen = stateOf(organization, [
  { type: 'OrganizationFounded', data: { name: 'x', founder: 'mira' } },
  { type: 'MemberAdded', data: { user: 'jon', roles: [] } },
])
const jon = { actor: 'jon', permissions: ['wallet.*'], seen }
const admin = { actor: 'mira', permissions: ['identity.*', 'wallet.*'], seen }
const body = { name: 'Till', scopes, reason }

describe('keybook', () => {
  it('makes keys of active members: their own, or those of others by an administrator', () => {
    given().when('make', body, jon).then(made)
    given()
      .when('make', { ...body, owner: 'jon' }, admin)
      .then(made)
    given()
      .when('make', { ...body, owner: 'mira' }, jon)
      .rejects('key_not_yours')
    given()
      .when('make', { ...body, owner: 'pia' }, admin)
      .rejects('key_needs_member')
    given()
      .when('make', body, { ...jon, seen: organization.initial })
      .rejects('key_needs_member')
    given()
      .when('make', { ...body, expires_at: LATER }, jon)
      .then({ type: 'ApiKeyMade', data: { ...data, expiresAt: LATER } })
    given()
      .when('make', { ...body, expires_at: CONTEXT.at }, jon)
      .rejects('key_over')
  })

  it('allows nothing that its maker may not do, so that a key makes no key that allows more', () => {
    given()
      .when('make', { ...body, scopes: ['wallet.*', 'office.notes.read'] }, jon)
      .rejects('scope_not_yours')
    given()
      .when('make', body, { ...jon, permissions: ['wallet.entries.read', 'identity.keys.write'] })
      .rejects('scope_not_yours')
    given(made)
      .when('rotate', { key: 'made-0', overlap_hours: 0, reason }, { actor: 'jon', permissions: ['identity.*'] })
      .rejects('scope_not_yours')
  })

  it('gives an id once, also after the key was revoked', () => {
    given(made).when('make', body, jon).rejects('key_exists')
    given(made, revoked).when('make', body, jon).rejects('key_exists')
  })

  it('rotates and revokes by the owner and by administrators', () => {
    const turn = { key: 'made-0', overlap_hours: 24, reason }
    given(made).when('rotate', turn, jon).then(rotated)
    given(made).when('rotate', turn, { actor: 'pia' }).rejects('key_not_yours')
    given().when('rotate', turn, admin).rejects('key_unknown')
    given(made, revoked).when('rotate', turn, jon).rejects('key_over')
    given(made).when('revoke', { key: 'made-0' }, admin).then(revoked)
    given(made).when('revoke', { key: 'made-0' }, { actor: 'pia' }).rejects('key_not_yours')
    given(made, revoked).when('revoke', { key: 'made-0' }, jon).changesNothing()
  })

  it('lets a secret count until it is over, and the one before until its overlap is', () => {
    const key = (more: Partial<ApiKey> = {}): ApiKey => ({
      status: 'active',
      owner: 'jon',
      scopes,
      generation: 2,
      earlierUntil: LATER,
      ...more,
    })
    const { at } = CONTEXT
    expect(keyCounts(key(), 2, at)).to.deep.equal({})
    expect(keyCounts(key(), 1, at)).to.deep.equal({ until: LATER })
    expect(keyCounts(key(), 1, LATER)).to.equal(undefined)
    expect(keyCounts(key({ generation: 3 }), 1, at)).to.equal(undefined)
    expect(keyCounts(key(), 3, at)).to.equal(undefined)
    expect(keyCounts(key({ status: 'revoked' }), 2, at)).to.equal(undefined)
    expect(keyCounts(key({ expiresAt: at }), 2, at)).to.equal(undefined)
    expect(keyCounts(key({ expiresAt: '2026-02-01T00:00:00.000Z' }), 1, at)).to.deep.equal({
      until: '2026-02-01T00:00:00.000Z',
    })
  })
})
