import { storedMemories } from '../../../projections/memory/stored-memories.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const sealedAs = (digest: string) => ({
  key: '11111111-1111-4111-8111-111111111111',
  nonce: 'n'.repeat(16),
  text: 't'.repeat(30),
  digest: digest.repeat(43),
})
const stored = {
  type: 'MemoryStored',
  data: {
    type: 'general',
    text: sealedAs('a'),
    subjects: ['mira'],
    author: 'user-1',
    session: 's-1',
    tags: ['home'],
    privacy: 'private',
    expiresAt: '2027-01-01T00:00:00.000Z',
  },
}
const link = { type: 'is about', kind: 'project', to: 'p-1' }
const later = '2026-02-01T08:00:00.000Z'

describe('rows: stored memories', () => {
  const { given } = rowsFor(storedMemories)

  it('has a row for a memory, read by its author', () =>
    given(stored).then({
      id: 'thing-1',
      type: 'general',
      text: sealedAs('a'),
      session: 's-1',
      subjects: ['mira'],
      author: 'user-1',
      tags: ['home'],
      links: [],
      privacy: 'private',
      readers: ['user user-1'],
      state: 'active',
      expires_at: '2027-01-01T00:00:00.000Z',
      stored_at: CONTEXT.at,
      revision: 0n,
    }))
  it('is revised, tagged, linked and archived', () =>
    given(
      stored,
      { type: 'MemoryRevised', data: { text: sealedAs('b'), session: null, validTo: later }, at: later },
      { type: 'MemoryTagged', data: { tags: ['x', 'y'] } },
      { type: 'MemoryUntagged', data: { tags: ['home', 'x'] } },
      { type: 'MemoryLinked', data: { ...link, validFrom: later } },
      { type: 'MemoryLinked', data: link },
      { type: 'MemoryLinked', data: { ...link, to: 'p-2' } },
      { type: 'MemoryUnlinked', data: { ...link, to: 'p-2' } },
      { type: 'MemoryExpirySet', data: { expiresAt: null } },
      { type: 'MemoryArchived', data: {}, at: later },
    ).then({
      text: sealedAs('b'),
      session: undefined,
      valid_to: later,
      tags: ['y'],
      links: [link],
      expires_at: undefined,
      state: 'archived',
      stored_at: CONTEXT.at,
      updated_at: later,
    }))
  it('says who reads it', () =>
    given(
      stored,
      { type: 'MemoryShared', data: { kind: 'team', with: 'design' } },
      { type: 'MemoryShared', data: { kind: 'module', with: 'causal' } },
      { type: 'MemoryUnshared', data: { kind: 'team', with: 'design' } },
      { type: 'MemoryUnshared', data: { kind: 'user', with: 'user-1' } },
      { type: 'MemoryPrivacySet', data: { privacy: 'organization' } },
    ).then({ readers: ['user user-1', 'module causal'], privacy: 'organization' }))
  it('loses the row when it is forgotten', async () => {
    await given(stored, { type: 'MemoryForgotten', data: {} }).then()
    await given(stored, { type: 'MemoryExpired', data: { expiresAt: later } }).then()
  })
})
