import { expect } from 'chai'
import { webhooks } from '../../../projections/apps/webhooks.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const secret = { key: '6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58', nonce: 'A'.repeat(16), text: 'A'.repeat(24) }
const url = 'https://hooks.example/kogi'
const registered = {
  type: 'WebhookRegistered',
  data: { url, types: ['TaskCompleted'], owner: 'mira', grants: ['center.*'], secret },
}
const asked = (data: object) => ({ type: 'WebhookReplayAsked', data })

describe('rows: webhooks', () => {
  const { given } = rowsFor(webhooks)

  it('says where events go and from where on, and nothing of the secret', async () => {
    await given(registered).then({ status: 'active', url, types: ['TaskCompleted'], owner: 'mira', since: 100n })
    const rows = await given(registered, { type: 'WebhookSecretRotated', data: { secret } }).rows()
    expect(Object.keys(rows[0]!)).to.include('secret_rotated_at').and.not.include('secret').and.not.include('grants')
  })
  it('follows changes, pauses and tests', () =>
    given(
      registered,
      { type: 'WebhookChanged', data: { url: `${url}/2`, description: 'shop' } },
      { type: 'WebhookChanged', data: { description: null } },
      { type: 'WebhookPaused', data: {} },
      { type: 'WebhookResumed', data: {} },
      { type: 'WebhookPaused', data: {} },
      { type: 'WebhookTested', data: {} },
    ).then({ status: 'paused', url: `${url}/2`, description: undefined, tested_at: CONTEXT.at, revision: 6n }))
  it('knows up to where all parked deliveries were asked for, and stays once it is removed', () =>
    given(registered, asked({}), asked({ delivery: 'd-1' }), {
      type: 'WebhookRemoved',
      data: {},
    }).then({ status: 'removed', replayed_upto: 101n }))
})
