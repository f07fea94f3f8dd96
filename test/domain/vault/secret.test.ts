import { expect } from 'chai'
import fc from 'fast-check'
import { evolveWith } from '../../../domain/kernel/aggregate.ts'
import { type Secret, secret } from '../../../domain/vault/secret/secret.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const { given } = specFor(secret)
const reason = 'So it is.'
const VALUE = '6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58'
const NEXT = '7f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58'
const DUE = '2026-03-02T12:00:00.000Z'
const about = { environment: 'production', name: 'STRIPE_KEY' }
const data = { ...about, owner: CONTEXT.actor, version: 1, value: VALUE }
const created = { type: 'SecretCreated', data } as const
const dated = { type: 'SecretCreated', data: { ...data, rotateDays: 30, dueAt: DUE } } as const
const rotated = { type: 'SecretRotated', data: { version: 2, value: NEXT } } as const
const UNTIL = '2026-01-31T13:00:00.000Z'
const leaseOf = (version: number, holder: string = CONTEXT.actor) =>
  ({ type: 'SecretLeased', data: { lease: 'l', version, value: VALUE, holder, until: UNTIL } }) as const
const removed = { type: 'SecretRemoved', data: { reason } } as const
const body = { id: 'production.STRIPE_KEY', ...about, value: VALUE }
const renewed = { lease: 'l', seconds: 60 }

describe('secret', () => {
  it('is created once, with a day on which it should be rotated', () => {
    given().when('create', body).then(created)
    given()
      .when('create', { ...body, rotate_days: 30 })
      .then(dated)
    for (const before of [[created], [created, removed]])
      given(...before)
        .when('create', body)
        .rejects('secret_exists')
  })

  it('is rotated: every version has the next number, and the day is counted anew', () => {
    given(created).when('rotate', { value: NEXT }).then(rotated)
    given(dated)
      .when('rotate', { value: NEXT, reason })
      .then({ type: 'SecretRotated', data: { version: 2, value: NEXT, dueAt: DUE, reason } })
    given(created, removed).when('rotate', { value: NEXT }).rejects('secret_removed')
  })

  it('is changed where something is another, and its day follows from the days', () => {
    const same = { owner: CONTEXT.actor, readers: null, rotate_days: null, reason }
    given(created).when('change', same).changesNothing()
    given(created)
      .when('change', { rotate_days: 30, reason })
      .then({ type: 'SecretChanged', data: { version: 1, rotateDays: 30, dueAt: DUE, reason } })
    given(dated)
      .when('change', { rotate_days: null, reason })
      .then({ type: 'SecretChanged', data: { version: 1, rotateDays: null, reason } })
    given(dated)
      .when('change', { description: 'x', reason })
      .then({ type: 'SecretChanged', data: { version: 1, description: 'x', dueAt: DUE, reason } })
  })

  it('is leased by those whom it names, in a version that is kept', () => {
    const lease = { seconds: 3_600 }
    const first = { lease: 'made-0', version: 1, value: VALUE, holder: CONTEXT.actor, until: UNTIL }
    given(created).when('lease', lease).then({ type: 'SecretLeased', data: first })
    given(created, rotated)
      .when('lease', { ...lease, version: 1, purpose: 'x' })
      .then({ type: 'SecretLeased', data: { ...first, purpose: 'x' } })
    given(created)
      .when('lease', { ...lease, version: 2 })
      .rejects('version_unknown')
    const readers = ['till']
    const closed = { type: 'SecretCreated', data: { ...data, readers } } as const
    given(closed).when('lease', lease).rejects('secret_not_yours')
    given(closed)
      .when('lease', lease, { actor: 'till' })
      .then({ type: 'SecretLeased', data: { ...first, holder: 'till' } })
    given(created, removed).when('lease', lease).rejects('secret_removed')
  })

  it('has leases that are renewed by their holder while they are open and of the latest version', () => {
    const until = '2026-01-31T12:01:00.000Z'
    given(created, leaseOf(1))
      .when('renewLease', renewed)
      .then({ type: 'SecretLeaseRenewed', data: { lease: 'l', until } })
    given(created, leaseOf(1)).when('renewLease', renewed, { actor: 'x' }).rejects('lease_not_yours')
    given(created, leaseOf(1), rotated).when('renewLease', renewed).rejects('lease_outdated')
    given(created, leaseOf(1)).when('renewLease', renewed, { at: UNTIL }).rejects('lease_over')
    given(created, leaseOf(1))
      .when('endLease', { lease: 'l' }, { actor: 'x', permissions: [] })
      .rejects('lease_not_yours')
    given(created, leaseOf(1, 'x'))
      .when('endLease', { lease: 'l' }, { permissions: ['vault.*'] })
      .then({ type: 'SecretLeaseEnded', data: { lease: 'l' } })
    given(created).when('endLease', { lease: 'l' }).changesNothing()
  })

  it('loses versions and goes where no lease is open, or where that is forced', () => {
    const one = { version: 1, force: false, reason }
    const destroyed = { type: 'SecretVersionDestroyed', data: { version: 1, value: VALUE, reason } } as const
    given(created).when('destroyVersion', one).rejects('version_current')
    given(created, rotated).when('destroyVersion', one).then(destroyed)
    given(created, rotated, destroyed).when('destroyVersion', one).changesNothing()
    given(created, leaseOf(1), rotated).when('destroyVersion', one).rejects('version_leased')
    given(created, leaseOf(1), rotated).when('destroyVersion', one, { at: UNTIL }).then(destroyed)
    given(created, leaseOf(1), rotated)
      .when('destroyVersion', { ...one, force: true })
      .then({ ...destroyed, data: { ...destroyed.data, leases: ['l'] } })
    given(created, leaseOf(1)).when('remove', { force: false, reason }).rejects('version_leased')
    given(created).when('remove', { force: false, reason }).then(removed)
    given(created, removed).when('remove', { force: false, reason }).changesNothing()
  })

  it('reminds of the rotation that is due, again in a week, and never of one that was done', () => {
    const remind = { version: 1, due_at: DUE }
    const data = { version: 1, owner: CONTEXT.actor, dueAt: DUE, nextAt: '2026-03-09T12:00:00.000Z' }
    const reminded = { type: 'SecretRotationDue', data } as const
    given(dated).when('remind', remind).then(reminded)
    given(dated, reminded).when('remind', remind).changesNothing()
    for (const more of [rotated, removed]) given(dated, more).when('remind', remind).changesNothing()
    given().when('remind', remind).changesNothing()
  })

  it('never leases a value that was destroyed, whatever happened', () => {
    const step = fc.oneof(
      fc.constant(['rotate', {}] as const),
      fc.nat(5).map(version => ['destroyVersion', { version: version + 1, force: true, reason }] as const),
      fc.nat(5).map(version => ['lease', { version: version + 1, seconds: 60 }] as const),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        let state: Secret = evolveWith(secret, secret.initial, {
          ...created,
          metadata: { at: CONTEXT.at },
        } as never) as Secret
        const gone = new Set<string>()
        for (const [n, [name, body]] of steps.entries()) {
          const sent = name === 'rotate' ? { value: `value ${n}` } : body
          let facts: readonly { type: string; data: { value: string } }[] = []
          try {
            facts = secret.decide[name](state, sent as never, { ...CONTEXT, newId: () => `l${n}` } as never) as never
          } catch (error) {
            expect((error as { code: string }).code).to.be.oneOf(['version_unknown', 'version_current'])
          }
          for (const { type, data } of facts) {
            if (type === 'SecretLeased') expect(gone.has(data.value)).to.equal(false)
            if (type === 'SecretVersionDestroyed') gone.add(data.value)
            state = evolveWith(secret, state, { type, data, metadata: { at: CONTEXT.at } } as never) as Secret
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})
