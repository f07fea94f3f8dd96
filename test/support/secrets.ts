/** What no client names of the secret of the examples. */
import type { Client } from './client.ts'

const PATH = '/api/v1/kbs/secrets/production.STRIPE_KEY'

/** Values of parameters, by operation: the id of a lease, and the number of an earlier version. */
export const secretExamples = (client: () => Client): Readonly<Record<string, () => Promise<string>>> => ({
  async 'secret.renewLease'() {
    return (await client().call('POST', `${PATH}/leases`, { body: {} })).body.data.events[0].data.lease
  },
  async 'secret.destroyVersion'() {
    await client().call('POST', `${PATH}/rotate`, { body: { value: 'x' } })
    return '1'
  },
})
