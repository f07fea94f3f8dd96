import { replayProcess } from '../../../commands/processes/apps/replays.ts'
import { processSpec } from '../../support/process-spec.ts'

const secret = { key: '6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58', nonce: 'A'.repeat(16), text: 'A'.repeat(24) }
const registered = {
  type: 'WebhookRegistered',
  data: { url: 'https://hooks.example/', owner: 'mira', grants: [], secret },
}

describe('the process of replays', () => {
  const { given } = processSpec(replayProcess)
  const asked = (data: object) => ({ type: 'WebhookReplayAsked', data })

  it('sends the delivery again that is named', () =>
    given(registered)
      .when(asked({ delivery: 'd-1' }))
      .then(['delivery.replay', 'd-1', { webhook: 'thing-1' }]))
  it('leaves all that are parked to the sender', () => given(registered).when(asked({})).then())
})
