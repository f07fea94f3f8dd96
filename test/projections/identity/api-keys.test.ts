import { apiKeys } from '../../../projections/identity/api-keys.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const until = '2099-01-31T00:00:00.000Z'
const made = (key: string) => ({
  type: 'ApiKeyMade',
  data: { key, name: 'Till', owner: 'mira', scopes: ['wallet.*'], generation: 1, expiresAt: until },
})

describe('rows: API keys', () => {
  it('say whose they are, what they allow, and how they stand', () =>
    rowsFor(apiKeys)
      .given(
        made('till'),
        made('other'),
        { type: 'ApiKeyRotated', data: { key: 'till', generation: 2, earlierUntil: until } },
        { type: 'ApiKeyRevoked', data: { key: 'other', owner: 'mira', reason: 'Closed.' } },
      )
      .then(
        { id: 'other', status: 'revoked', reason: 'Closed.', generation: 1 },
        { id: 'till', status: 'active', owner: 'mira', scopes: ['wallet.*'], generation: 2, earlier_until: until },
      ))
})
