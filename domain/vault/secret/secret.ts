import { aggregate, type Context, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { covers } from '../../record/grants.ts'
import { because } from '../../record/reason.ts'
import { said, THING } from '../../record/said.ts'
import { laterBy } from '../../time/civil.ts'
import { commands, events, LEASES_MAX, rejections, VERSIONS_MAX } from './messages.ts'

/** A value that is kept. */
type Version = { readonly version: number; readonly value: string }
type Lease = { readonly version: number; readonly holder: string; readonly until: string }

type Kept = {
  readonly status: 'kept'
  readonly description?: string | undefined
  readonly owner: string
  readonly rotateDays?: number | undefined
  readonly readers?: readonly string[] | undefined
  /** The latest version, and when it came. */
  readonly current: number
  readonly since: string
  /** Those that were not destroyed, the latest last. */
  readonly versions: readonly Version[]
  /** Those that may still be open. */
  readonly leases: Readonly<Record<string, Lease>>
  /** When its owner is reminded next. */
  readonly dueAt?: string | undefined
}
export type Secret = { readonly status: 'none' } | Kept | { readonly status: 'removed' }

const DAY_SECONDS = 86_400
/** Days between two reminders of one rotation. */
const AGAIN_DAYS = 7

const kept = (secret: Secret): Kept => inStatus(secret, 'kept')

/** The leases that are open at an instant. */
const openAt = (leases: Kept['leases'], at: string): Kept['leases'] =>
  Object.fromEntries(Object.entries(leases).filter(([, { until }]) => until > at))

const withoutLeases = (leases: Kept['leases'], is: (lease: Lease, id: string) => boolean): Kept['leases'] =>
  Object.fromEntries(Object.entries(leases).filter(([id, lease]) => !is(lease, id)))

const evolve: Evolve<Secret, typeof events> = {
  SecretCreated: (_, { description, owner, rotateDays, readers, version, value, dueAt }, at) => ({
    status: 'kept',
    description,
    owner,
    rotateDays,
    readers,
    current: version,
    since: at,
    versions: [{ version, value }],
    leases: {},
    dueAt,
  }),
  SecretChanged(secret, { description, owner, rotateDays, readers, dueAt }) {
    const before = kept(secret)
    return {
      ...before,
      ...(description !== undefined && { description: description ?? undefined }),
      ...(owner !== undefined && { owner }),
      ...(rotateDays !== undefined && { rotateDays: rotateDays ?? undefined }),
      ...(readers !== undefined && { readers: readers ?? undefined }),
      dueAt,
    }
  },
  SecretRotated(secret, { version, value, dueAt }, at) {
    const before = kept(secret)
    return { ...before, current: version, since: at, versions: [...before.versions, { version, value }], dueAt }
  },
  SecretRotationDue: (secret, { nextAt }) => ({ ...kept(secret), dueAt: nextAt }),
  SecretLeased(secret, { lease, version, holder, until }, at) {
    const before = kept(secret)
    return { ...before, leases: { ...openAt(before.leases, at), [lease]: { version, holder, until } } }
  },
  SecretLeaseRenewed(secret, { lease, until }) {
    const before = kept(secret)
    return { ...before, leases: { ...before.leases, [lease]: { ...before.leases[lease]!, until } } }
  },
  SecretLeaseEnded(secret, { lease }) {
    const before = kept(secret)
    return { ...before, leases: withoutLeases(before.leases, (_, id) => id === lease) }
  },
  SecretVersionDestroyed(secret, { version }) {
    const before = kept(secret)
    return {
      ...before,
      versions: before.versions.filter(each => each.version !== version),
      leases: withoutLeases(before.leases, lease => lease.version === version),
    }
  },
  SecretRemoved: () => ({ status: 'removed' }),
}

/** When a version that came at an instant should be rotated. */
const due = (rotateDays: number | undefined, since: string) =>
  rotateDays === undefined ? {} : { dueAt: laterBy(rotateDays * DAY_SECONDS, since) }

const decide: Decide<Secret, typeof commands, typeof events> = {
  create(secret, { id: _, rotate_days: rotateDays, owner, ...asked }, { actor, at }) {
    if (secret.status !== 'none') {
      throw rejected('secret_exists', 'There is or was a secret of this name in the environment; rotate it, or rename.')
    }
    const days = rotateDays === undefined ? {} : { rotateDays }
    const data = { ...asked, owner: owner ?? actor, version: 1, ...days, ...due(rotateDays, at) }
    return [{ type: 'SecretCreated', data }]
  },
  change(secret, { rotate_days: rotateDays, reason, ...asked }) {
    const before = there(secret)
    const wanted = { ...asked, ...(rotateDays !== undefined && { rotateDays }) }
    const changes = Object.fromEntries(
      Object.entries(wanted).filter(
        ([field, value]) => JSON.stringify(value ?? undefined) !== JSON.stringify(before[field as keyof Kept]),
      ),
    ) as typeof wanted
    if (Object.keys(changes).length === 0) return []
    const days = changes.rotateDays === undefined ? before.rotateDays : (changes.rotateDays ?? undefined)
    const dueAt = days === before.rotateDays ? before.dueAt : due(days, before.since).dueAt
    return [
      {
        type: 'SecretChanged',
        data: { version: before.current, ...changes, ...(dueAt !== undefined && { dueAt }), reason },
      },
    ]
  },
  rotate(secret, { value, reason }, { at }) {
    const { rotateDays, current, versions } = there(secret)
    if (versions.length >= VERSIONS_MAX) {
      throw rejected('versions_full', 'Destroy versions that nobody needs.', { most: VERSIONS_MAX })
    }
    return [
      { type: 'SecretRotated', data: { version: current + 1, value, ...due(rotateDays, at), ...because(reason) } },
    ]
  },
  lease(secret, { version, seconds, purpose }, { actor, at, newId }) {
    const { current, versions, leases, readers } = there(secret)
    if (readers && !readers.includes(actor)) {
      throw rejected('secret_not_yours', 'The secret names who may lease it; an administrator can add you.')
    }
    if (Object.keys(openAt(leases, at)).length >= LEASES_MAX) {
      throw rejected('leases_full', 'End leases that nobody needs.', { most: LEASES_MAX })
    }
    const found = versionOf(versions, version ?? current)
    const until = laterBy(seconds, at)
    const data = { lease: newId(0), ...found, holder: actor, until, ...(purpose !== undefined && { purpose }) }
    return [{ type: 'SecretLeased', data }]
  },
  renewLease(secret, { lease, seconds }, { actor, at }) {
    const { leases, current } = there(secret)
    const open = openAt(leases, at)[lease]
    if (!open) throw rejected('lease_over', 'There is no such lease, or it is over: lease the secret again.')
    if (open.holder !== actor) throw notYours()
    if (open.version !== current) throw rejected('lease_outdated', 'The secret was rotated: lease its present value.')
    return [{ type: 'SecretLeaseRenewed', data: { lease, until: laterBy(seconds, at) } }]
  },
  endLease(secret, { lease }, context) {
    if (secret.status !== 'kept') return []
    const open = openAt(secret.leases, context.at)[lease]
    if (!open) return []
    if (open.holder !== context.actor && !manages(context)) throw notYours()
    return [{ type: 'SecretLeaseEnded', data: { lease } }]
  },
  destroyVersion(secret, { version, force, reason }, { at }) {
    const { current, versions, leases } = there(secret)
    if (version === current) {
      throw rejected('version_current', 'Rotate the secret first, or remove it as a whole.', { version })
    }
    if (version < current && !versions.some(each => each.version === version)) return []
    const found = versionOf(versions, version)
    const ended = mustBeFree(leases, at, force, lease => lease.version === version)
    return [{ type: 'SecretVersionDestroyed', data: { ...found, ...ended, reason } }]
  },
  remove(secret, { force, reason }, { at }) {
    if (secret.status === 'removed') return []
    const ended = mustBeFree(there(secret).leases, at, force, () => true)
    return [{ type: 'SecretRemoved', data: { ...ended, reason } }]
  },
  /** Late timers change nothing. */
  remind(secret, { version, due_at: dueAt }) {
    if (secret.status !== 'kept' || secret.current !== version || secret.dueAt !== dueAt) return []
    const nextAt = laterBy(AGAIN_DAYS * DAY_SECONDS, dueAt)
    return [{ type: 'SecretRotationDue', data: { version, owner: secret.owner, dueAt, nextAt } }]
  },
}

const WRITE = 'secrets.write'
const LEASE = 'leases.write'

/** A secret of an organization in one environment: what it is called, its versions, and who has leased them. */
export const secret = aggregate({
  name: 'secret',
  events,
  commands,
  api: {
    create: 'internal',
    change: ['PATCH /secrets/:id', WRITE, 'Change what is known of a secret: its owner, its readers, its rotation.'],
    rotate: 'internal',
    lease: 'internal',
    renewLease: ['POST /secrets/:id/leases/:lease/renew', LEASE, 'Hold a leased value for longer.'],
    endLease: ['DELETE /secrets/:id/leases/:lease', LEASE, 'Say that a leased value is not used any more.'],
    destroyVersion: 'internal',
    remove: 'internal',
    remind: 'internal',
  },
  rejections,
  initial: { status: 'none' } as Secret,
  evolve,
  decide,
  stateSchema: 1,
  removedBy: ['SecretRemoved'],
  exampleId: 'production.STRIPE_KEY',
  activity: {
    called: 'name',
    on: {
      SecretCreated: said`put the secret ${THING} into the vault`,
      SecretChanged: said`changed what is known of the secret ${THING}`,
      SecretRotated: ({ version }) => said`rotated the secret ${THING} to version ${String(version)}`,
      SecretRotationDue: said`noted that the secret ${THING} should be rotated`,
      SecretLeased: ({ version }) => said`leased version ${String(version)} of the secret ${THING}`,
      SecretLeaseRenewed: said`renewed a lease of the secret ${THING}`,
      SecretLeaseEnded: said`ended a lease of the secret ${THING}`,
      SecretVersionDestroyed: ({ version }) => said`destroyed version ${String(version)} of the secret ${THING}`,
      SecretRemoved: said`removed the secret ${THING}`,
    },
  },
})

function there(secret: Secret): Kept {
  if (secret.status === 'kept') return secret
  throw rejected('secret_removed', 'The secret was removed, and its values were destroyed.')
}

function versionOf(versions: readonly Version[], version: number): Version {
  const found = versions.find(each => each.version === version)
  if (found) return found
  throw rejected('version_unknown', 'There is no such version, or it was destroyed.', { version })
}

/** The leases that end with what is destroyed; refuses where there are any and that is not forced. */
function mustBeFree(leases: Kept['leases'], at: string, force: boolean, is: (lease: Lease) => boolean) {
  const open = Object.entries(openAt(leases, at)).filter(([, lease]) => is(lease))
  if (open.length === 0) return {}
  if (force) return { leases: open.map(([id]) => id) }
  const holders = [...new Set(open.map(([, { holder }]) => holder))].slice(0, 10).join(', ')
  throw rejected('version_leased', 'It is leased: wait, or send `force`.', { leases: open.length, holders })
}

const manages = ({ permissions }: Context) => covers(permissions, 'vault.secrets.write')
const notYours = () => rejected('lease_not_yours', 'A lease is for its holder and for administrators.')
