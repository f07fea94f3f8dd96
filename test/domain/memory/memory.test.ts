import { erasure } from '../../../domain/audit/erasure/erasure.ts'
import { memory } from '../../../domain/memory/memory/memory.ts'
import { specFor, stateOf } from '../../support/spec.ts'

const sealedAs = (digest: string) => ({
  key: '11111111-1111-4111-8111-111111111111',
  nonce: 'n'.repeat(16),
  text: 't'.repeat(30),
  digest: digest.repeat(43),
})
const data = {
  type: 'general',
  text: sealedAs('a'),
  subjects: ['user-1'],
  author: 'user-1',
  tags: ['home'],
  privacy: 'organization' as const,
}
const stored = { type: 'MemoryStored', data } as const
const isPrivate = { type: 'MemoryPrivacySet', data: { privacy: 'private' } } as const
const shared = { type: 'MemoryShared', data: { kind: 'team', with: 'design' } } as const
const archived = { type: 'MemoryArchived', data: {} } as const
const forgotten = { type: 'MemoryForgotten', data: {} } as const
const later = '2026-06-01T00:00:00.000Z'
const body = { type: 'general', text: sealedAs('a'), tags: ['home'], privacy: 'organization' as const }
const nobodyHeld = erasure.initial
const held = stateOf(erasure, [
  { type: 'LegalHoldPlaced', data: { subject: 'user-1', matter: 'case 7', reason: 'The court asked.' } },
])
const link = { type: 'is about', kind: 'project', to: 'p-1' } as const

describe('memory', () => {
  const { given } = specFor(memory)

  describe('store', () => {
    it('remembers a text of its caller', () => given().when('store', body).then(stored))
    it('is about other persons where it names them, each once', () =>
      given()
        .when('store', { ...body, subjects: ['mira', 'jon', 'mira'], tags: ['home', 'home'] })
        .then({ type: 'MemoryStored', data: { ...data, subjects: ['mira', 'jon'] } }))
    it('keeps for how long it holds, and when it is over', () =>
      given()
        .when('store', { ...body, valid_from: '2026-01-01T00:00:00.000Z', valid_to: later, expires_at: later })
        .then({
          type: 'MemoryStored',
          data: { ...data, validFrom: '2026-01-01T00:00:00.000Z', validTo: later, expiresAt: later },
        }))
    it('refuses an end before the beginning, and a time that is over', () => {
      given()
        .when('store', { ...body, valid_from: later, valid_to: later })
        .rejects('memory_valid_before')
      given()
        .when('store', { ...body, expires_at: '2026-01-31T12:00:00.000Z' })
        .rejects('memory_expires_before')
    })
    it('refuses one that is there, and one that was forgotten, for ever', () => {
      given(stored).when('store', body).rejects('memory_already_stored')
      given(stored, forgotten).when('store', body).rejects('memory_forgotten')
    })
  })

  describe('revise', () => {
    it('says what is other now, null for what is gone', () =>
      given({ ...stored, data: { ...data, session: 's-1' } })
        .when('revise', { text: sealedAs('b'), session: null, type: 'general', reason: 'She said so.' })
        .then({ type: 'MemoryRevised', data: { text: sealedAs('b'), session: null, reason: 'She said so.' } }))
    it('says nothing where all is so already, the text by its digest', () =>
      given(stored)
        .when('revise', { text: { ...sealedAs('a'), nonce: 'm'.repeat(16) } })
        .changesNothing())
    it('refuses what is archived or forgotten', () => {
      given(stored, archived).when('revise', { type: 'x' }).rejects('memory_archived')
      given(stored, forgotten).when('revise', { type: 'x' }).rejects('memory_forgotten')
    })
  })

  describe('tag and untag', () => {
    it('adds what is new', () =>
      given(stored)
        .when('tag', { tags: ['home', 'mira', 'mira'] })
        .then({ type: 'MemoryTagged', data: { tags: ['mira'] } }))
    it('takes off what is there', () => {
      given(stored)
        .when('untag', { tags: ['home', 'x'] })
        .then({ type: 'MemoryUntagged', data: { tags: ['home'] } })
      given(stored)
        .when('untag', { tags: ['x'] })
        .changesNothing()
    })
    it('has room for so many', () =>
      given({ ...stored, data: { ...data, tags: Array.from({ length: 50 }, (_, n) => `t${n}`) } })
        .when('tag', { tags: ['one more'] })
        .rejects('memory_full'))
  })

  describe('link and unlink', () => {
    const linked = { type: 'MemoryLinked', data: link } as const
    it('links to what there is, once', () => {
      given(stored)
        .when('link', link, { seen: { status: 'present' } })
        .then(linked)
      given(stored, linked)
        .when('link', link, { seen: { status: 'present' } })
        .changesNothing()
    })
    it('refuses what is not there, or no more, and itself', () => {
      for (const status of ['none', 'removed', 'forgotten']) {
        given(stored).when('link', link, { seen: { status } }).rejects('memory_link_unknown')
      }
      given(stored)
        .when('link', { ...link, kind: 'memory', to: 'thing-1' }, { seen: { status: 'active' } })
        .rejects('memory_link_unknown')
    })
    it('takes a link away', () => {
      given(stored, linked).when('unlink', link).then({ type: 'MemoryUnlinked', data: link })
      given(stored).when('unlink', link).changesNothing()
    })
  })

  describe('who may', () => {
    const other = { actor: 'jon' }
    it('changes one of the organization: everybody', () =>
      given(stored)
        .when('tag', { tags: ['x'] }, other)
        .then({ type: 'MemoryTagged', data: { tags: ['x'] } }))
    it('changes a private one: its author, those it is shared with, administrators', () => {
      given(stored, isPrivate)
        .when('tag', { tags: ['x'] }, other)
        .rejects('memory_not_yours')
      for (const context of [{}, { ...other, permissions: ['memory.*'] }]) {
        given(stored, isPrivate)
          .when('tag', { tags: ['x'] }, context)
          .then({ type: 'MemoryTagged', data: { tags: ['x'] } })
      }
      given(stored, isPrivate, shared)
        .when('tag', { tags: ['x'] }, { ...other, teams: ['design'] })
        .then({ type: 'MemoryTagged', data: { tags: ['x'] } })
      given(stored, isPrivate, { type: 'MemoryShared', data: { kind: 'module', with: 'causal' } })
        .when('tag', { tags: ['x'] }, { actor: 'module:causal' })
        .then({ type: 'MemoryTagged', data: { tags: ['x'] } })
    })
    it('says who reads it: its author', () => {
      given(stored).when('share', shared.data, other).rejects('memory_not_yours')
      given(stored).when('setPrivacy', { privacy: 'private' }, other).rejects('memory_not_yours')
      given(stored).when('share', shared.data).then(shared)
      given(stored, shared).when('share', shared.data).changesNothing()
      given(stored, shared).when('unshare', shared.data).then({ type: 'MemoryUnshared', data: shared.data })
      given(stored).when('unshare', shared.data).changesNothing()
      given(stored).when('setPrivacy', { privacy: 'private' }).then(isPrivate)
    })
  })

  describe('archive', () => {
    it('keeps it as it is, until it is taken out', () => {
      given(stored).when('archive', {}).then(archived)
      given(stored, archived).when('archive', {}).changesNothing()
      given(stored, archived).when('unarchive', {}).then({ type: 'MemoryUnarchived', data: {} })
      given(stored).when('unarchive', {}).changesNothing()
    })
  })

  describe('forgetting', () => {
    const expiring = { ...stored, data: { ...data, expiresAt: later } }
    const after = { at: later, seen: nobodyHeld }
    it('is once, and for good', () => {
      given(stored)
        .when('forget', { reason: 'asked' }, { seen: nobodyHeld })
        .then({
          type: 'MemoryForgotten',
          data: { reason: 'asked' },
        })
      given(stored, forgotten).when('forget', {}, { seen: nobodyHeld }).changesNothing()
    })
    it('comes by itself when its time is over, unless that was changed', () => {
      given(expiring)
        .when('expire', { expires_at: later }, after)
        .then({
          type: 'MemoryExpired',
          data: { expiresAt: later },
        })
      given(expiring).when('expire', { expires_at: later }, { seen: nobodyHeld }).changesNothing()
      given(expiring, { type: 'MemoryExpirySet', data: { expiresAt: null } })
        .when('expire', { expires_at: later }, after)
        .changesNothing()
      given(stored)
        .when('setExpiry', { expires_at: later })
        .then({ type: 'MemoryExpirySet', data: { expiresAt: later } })
      given(stored).when('setExpiry', { expires_at: null }).changesNothing()
    })
    it('waits while one of its persons is under legal hold', () => {
      given(stored).when('forget', {}, { seen: held }).rejects('memory_held')
      given(expiring).when('expire', { expires_at: later }, { at: later, seen: held }).changesNothing()
    })
  })
})
