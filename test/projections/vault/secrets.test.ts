import { secretLeases } from '../../../projections/vault/secret-leases.ts'
import { secretTimers } from '../../../projections/vault/secret-timers.ts'
import { secrets } from '../../../projections/vault/secrets.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const reason = 'So it is.'
const VALUE = '6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58'
const DUE = '2026-03-02T12:00:00.000Z'
const NEXT = '2026-03-09T12:00:00.000Z'
const about = { environment: 'production', name: 'STRIPE_KEY', owner: 'mira' }
const created = {
  type: 'SecretCreated',
  data: { ...about, version: 1, value: VALUE, rotateDays: 30, readers: ['till'], dueAt: DUE },
}
const changed = {
  type: 'SecretChanged',
  data: { version: 1, description: 'x', rotateDays: null, readers: null, reason },
}
const rotated = { type: 'SecretRotated', data: { version: 2, value: VALUE, dueAt: DUE } }
const reminded = { type: 'SecretRotationDue', data: { version: 1, owner: 'mira', dueAt: DUE, nextAt: NEXT } }
const leased = {
  type: 'SecretLeased',
  data: { lease: 'l', version: 1, value: VALUE, holder: 'till', until: DUE, purpose: 'x' },
}
const destroyed = { type: 'SecretVersionDestroyed', data: { version: 1, value: VALUE, leases: ['l'], reason } }
const removed = { type: 'SecretRemoved', data: { reason } }

describe('rows: secrets', () => {
  it('say what is known of them, and nothing of their values', async () => {
    const { given } = rowsFor(secrets)
    await given(created).then({ ...about, status: 'kept', version: 1, versions: [1], rotate_days: 30, due_at: DUE })
    await given(created, changed).then({ description: 'x', reason })
    await given(created, rotated, destroyed).then({ version: 2, versions: [2], due_at: DUE })
    await given(created, reminded).then({ due_at: NEXT })
    await given(created, removed).then({ status: 'removed', versions: [], reason })
  })

  it('have leases: who has read which version, until when, and what ended that', async () => {
    const { given } = rowsFor(secretLeases)
    await given(created, leased).then({ id: 'l', version: 1, holder: 'till', until: DUE, purpose: 'x' })
    const renewed = { type: 'SecretLeaseRenewed', data: { lease: 'l', until: NEXT } }
    await given(created, leased, renewed).then({ id: 'l', until: NEXT })
    const at = '2026-01-31T12:00:00.000Z'
    const ended = { type: 'SecretLeaseEnded', data: { lease: 'l' } }
    await given(created, leased, ended).then({ id: 'l', ended_at: at })
    await given(created, leased, rotated, destroyed).then({ id: 'l', ended_at: at })
    await given(created, leased, { ...removed, data: { reason, leases: ['l'] } }).then({ id: 'l', ended_at: at })
  })

  it('remind of what is due, until it is rotated or removed', async () => {
    const { given } = rowsFor(secretTimers)
    const timer = (version: number, due_at: string) => ({
      category: 'secret',
      command: 'remind',
      due_at,
      body: { version, due_at },
    })
    await given(created).then(timer(1, DUE))
    await given(created, reminded).then(timer(1, NEXT))
    await given(created, rotated).then(timer(2, DUE))
    await given(created, changed).then()
    await given(created, removed).then()
  })
})
