import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { because } from '../../record/reason.ts'
import { mention, said } from '../../record/said.ts'
import { type Flag, mustFit, type Values, withValue } from '../../record/settings.ts'
import { commands, events, rejections } from './messages.ts'

type Announcement = {
  readonly message: string
  readonly severity: 'info' | 'warning'
  readonly from?: string | undefined
  readonly until?: string | undefined
}
type Maintenance = { readonly message: string; readonly since: string; readonly until?: string | undefined }

/** What operators have said of the whole installation. */
export type Platform = {
  readonly status: 'empty' | 'kept'
  readonly values: Values
  readonly flags: Readonly<Record<string, Flag>>
  /** Limits by `quota`, and by `org quota`. */
  readonly quotas: Keyed<number>
  readonly blocked: Keyed<true>
  /** Organizations that have a quota of their own or are blocked. */
  readonly named: number
  readonly maintenance?: Maintenance | undefined
  readonly announcements: Readonly<Record<string, Announcement>>
}

/** The id of the one thing that the installation is. */
const PLATFORM = 'platform'
const NAMED_MAX = 50_000
const LISTED_MAX = 500

const quotaKey = (quota: string, org: string | undefined) => (org === undefined ? quota : `${org} ${quota}`)

/** How much an organization may have, `undefined` where there is no limit. */
export const quotaOf = ({ quotas }: Pick<Platform, 'quotas'>, org: string, quota: string): number | undefined =>
  memberOf(quotas, quotaKey(quota, org)) ?? memberOf(quotas, quota)

const without = <T>(all: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(all).filter(([each]) => each !== name))

const kept = { status: 'kept' } as const

const evolve: Evolve<Platform, typeof events> = {
  PlatformSettingSet: (state, { key, value }) => ({ ...state, ...kept, values: withValue(state.values, key, value) }),
  PlatformSettingUnset: (state, { key }) => ({ ...state, values: withValue(state.values, key, undefined) }),
  PlatformFlagSet: (state, { flag, percent, users }) => ({
    ...state,
    ...kept,
    flags: { ...state.flags, [flag]: { percent, users } },
  }),
  PlatformFlagDropped: (state, { flag }) => ({ ...state, flags: without(state.flags, flag) }),
  QuotaSet(state, { quota, limit, org }) {
    const isNew = memberOf(state.quotas, quotaKey(quota, org)) === undefined
    const quotas = withMember(state.quotas, quotaKey(quota, org), limit)
    return { ...state, ...kept, quotas, named: isNew ? state.named + 1 : state.named }
  },
  QuotaLifted: (state, { quota, org }) => ({
    ...state,
    quotas: withoutMember(state.quotas, quotaKey(quota, org)),
    named: state.named - 1,
  }),
  MaintenanceBegun: (state, { message, until }, since) => ({
    ...state,
    ...kept,
    maintenance: { message, since, until },
  }),
  MaintenanceEnded: state => ({ ...state, maintenance: undefined }),
  AnnouncementMade: (state, { announcement, ...data }) => ({
    ...state,
    ...kept,
    announcements: { ...state.announcements, [announcement]: data },
  }),
  AnnouncementWithdrawn: (state, { announcement }) => ({
    ...state,
    announcements: without(state.announcements, announcement),
  }),
  OrganizationBlocked: (state, { org }) => ({
    ...state,
    ...kept,
    blocked: withMember(state.blocked, org, true),
    named: state.named + 1,
  }),
  OrganizationUnblocked: (state, { org }) => ({
    ...state,
    blocked: withoutMember(state.blocked, org),
    named: state.named - 1,
  }),
}

type Quota = { readonly quota: (typeof commands.setQuota)['_output']['quota']; readonly reason: string; org?: string }

function setQuota({ quotas, named }: Platform, data: Quota & { readonly limit: number }) {
  const before = memberOf(quotas, quotaKey(data.quota, data.org))
  if (before === data.limit) return []
  if (before === undefined) mustHaveRoom(named, NAMED_MAX)
  return [{ type: 'QuotaSet', data } as const]
}
const liftQuota = ({ quotas }: Platform, data: Quota) =>
  memberOf(quotas, quotaKey(data.quota, data.org)) === undefined ? [] : [{ type: 'QuotaLifted', data } as const]

const decide: Decide<Platform, typeof commands, typeof events> = {
  set({ values }, data) {
    mustFit(data.key, data.value, 'platform', 'platform_')
    return memberOf(values, data.key) === data.value ? [] : [{ type: 'PlatformSettingSet', data }]
  },
  unset: ({ values }, data) =>
    memberOf(values, data.key) === undefined ? [] : [{ type: 'PlatformSettingUnset', data }],
  setFlag({ flags }, data) {
    const before = Object.hasOwn(flags, data.flag) ? flags[data.flag] : undefined
    if (!before) mustHaveRoom(Object.keys(flags).length, LISTED_MAX)
    const isSame = before?.percent === data.percent && before.users.join('\0') === data.users.join('\0')
    return isSame ? [] : [{ type: 'PlatformFlagSet', data }]
  },
  dropFlag: ({ flags }, data) => (Object.hasOwn(flags, data.flag) ? [{ type: 'PlatformFlagDropped', data }] : []),
  setQuota,
  liftQuota,
  setQuotaOf: setQuota,
  liftQuotaOf: liftQuota,
  beginMaintenance({ maintenance }, data) {
    const isSame = maintenance?.message === data.message && maintenance.until === data.until
    return isSame ? [] : [{ type: 'MaintenanceBegun', data }]
  },
  endMaintenance: ({ maintenance }, { reason }) =>
    maintenance ? [{ type: 'MaintenanceEnded', data: because(reason) }] : [],
  announce({ announcements }, data) {
    if (Object.hasOwn(announcements, data.announcement)) {
      throw rejected('announcement_exists', 'There is one of this id: withdraw it, or choose another id.')
    }
    mustHaveRoom(Object.keys(announcements).length, LISTED_MAX)
    return [{ type: 'AnnouncementMade', data }]
  },
  withdraw: ({ announcements }, data) =>
    Object.hasOwn(announcements, data.announcement) ? [{ type: 'AnnouncementWithdrawn', data }] : [],
  block({ blocked, named }, data) {
    if (memberOf(blocked, data.org)) return []
    mustHaveRoom(named, NAMED_MAX)
    return [{ type: 'OrganizationBlocked', data }]
  },
  unblock: ({ blocked }, data) => (memberOf(blocked, data.org) ? [{ type: 'OrganizationUnblocked', data }] : []),
}

/** What operators say of the installation: settings and flags of last resort, quotas, maintenance, announcements. */
export const platform = aggregate({
  name: 'platform',
  only: PLATFORM,
  events,
  commands,
  api: {
    set: ['PUT /platform/settings/:key', 'settings.write', 'Set a setting for all who have set nothing themselves.'],
    unset: ['DELETE /platform/settings/:key', 'settings.write', 'Let the default of a setting count again.'],
    setFlag: ['PUT /platform/flags/:flag', 'settings.write', 'Turn a feature on where organizations say nothing.'],
    dropFlag: ['DELETE /platform/flags/:flag', 'settings.write', 'Drop a flag of the platform.'],
    setQuota: [
      'PUT /platform/quotas/:quota',
      'quotas.write',
      'Limit what organizations without a limit of their own use.',
    ],
    liftQuota: ['DELETE /platform/quotas/:quota', 'quotas.write', 'Lift the limit of all without one of their own.'],
    setQuotaOf: [
      'PUT /platform/organizations/:org/quotas/:quota',
      'quotas.write',
      'Give an organization its own limit.',
    ],
    liftQuotaOf: [
      'DELETE /platform/organizations/:org/quotas/:quota',
      'quotas.write',
      'Let the limit of all count for an organization.',
    ],
    beginMaintenance: [
      'PUT /platform/maintenance',
      'maintenance.write',
      'Begin maintenance: commands answer 503 until it ends, reads go on.',
    ],
    endMaintenance: ['DELETE /platform/maintenance', 'maintenance.write', 'End maintenance.'],
    announce: ['POST /platform/announcements', 'announcements.write', 'Tell all users something.'],
    withdraw: ['DELETE /platform/announcements/:announcement', 'announcements.write', 'Withdraw an announcement.'],
    block: [
      'PUT /platform/organizations/:org/block',
      'organizations.write',
      'Block an organization: its requests are refused until it is unblocked.',
    ],
    unblock: ['DELETE /platform/organizations/:org/block', 'organizations.write', 'Unblock an organization.'],
  },
  rejections,
  initial: {
    status: 'empty',
    values: noneKeyed,
    flags: {},
    quotas: noneKeyed,
    blocked: noneKeyed,
    named: 0,
    announcements: {},
  } as Platform,
  evolve,
  decide,
  stateSchema: 1,
  activity: {
    on: {
      PlatformSettingSet: ({ key }) => said`set the setting ${mention('setting', key)} of the platform`,
      PlatformSettingUnset: ({ key }) => said`removed the setting ${mention('setting', key)} of the platform`,
      PlatformFlagSet: ({ flag }) => said`set the flag ${mention('flag', flag)} of the platform`,
      PlatformFlagDropped: ({ flag }) => said`dropped the flag ${mention('flag', flag)} of the platform`,
      QuotaSet: ({ quota, limit }) => said`set the quota ${mention('quota', quota)} to ${String(limit)}`,
      QuotaLifted: ({ quota }) => said`lifted the quota ${mention('quota', quota)}`,
      MaintenanceBegun: said`started maintenance of ${mention('platform', PLATFORM)}`,
      MaintenanceEnded: said`ended maintenance of ${mention('platform', PLATFORM)}`,
      AnnouncementMade: ({ announcement }) => said`announced ${mention('announcement', announcement)}`,
      AnnouncementWithdrawn: ({ announcement }) =>
        said`withdrew the announcement ${mention('announcement', announcement)}`,
      OrganizationBlocked: ({ org }) => said`blocked the organization ${mention('organization', org)}`,
      OrganizationUnblocked: ({ org }) => said`unblocked the organization ${mention('organization', org)}`,
    },
  },
})

function mustHaveRoom(there: number, most: number): void {
  if (there >= most) throw rejected('platform_full', 'Remove what nobody needs.', { most })
}
