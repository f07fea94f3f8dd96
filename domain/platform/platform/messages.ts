/** The storage and wire contract of what operators say of the whole installation: add, never rename. */
import { id, integer, list, ORG_ID, object, oneOf, refined, text, timestamp } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'
import { flagName, settingKey, settingValue } from '../../record/settings.ts'
import { personName } from '../../record/subject.ts'

/** What is counted for each organization; 0 allows none. */
export const QUOTAS = ['requests_per_minute', 'requests_per_day'] as const
const LIMIT_MAX = 1_000_000_000

const org = refined(text(64), value => ORG_ID.test(value), 'must be the id of an organization')
const quota = oneOf(...QUOTAS).meta({ description: 'what is counted' })
const limit = integer(0, LIMIT_MAX)
const percent = integer(0, 100).meta({ description: 'share of all users for whom it is on' })
const users = list(personName, 1_000).default([]).meta({ description: 'users for whom it is on in any case' })
const announcement = id('announcement')
const message = text(1_000).meta({ description: 'what users are told' })
const until = timestamp.meta({ description: 'when it is expected to be over' })
const announced = {
  message,
  severity: oneOf('info', 'warning').default('info'),
  from: timestamp.optional().meta({ description: 'when it begins to be shown; at once where it is left out' }),
  until: timestamp.optional().meta({ description: 'when it is shown no more' }),
}

export const events = {
  PlatformSettingSet: object({ key: settingKey, value: settingValue, reason }),
  PlatformSettingUnset: object({ key: settingKey, reason }),
  PlatformFlagSet: object({ flag: flagName, percent, users, reason }),
  PlatformFlagDropped: object({ flag: flagName, reason }),
  /** Of one organization, or of all that have none of their own. */
  QuotaSet: object({ quota, limit, org: org.optional(), reason }),
  QuotaLifted: object({ quota, org: org.optional(), reason }),
  MaintenanceBegun: object({ message, until: until.optional(), reason }),
  MaintenanceEnded: object({ reason: reason.optional() }),
  AnnouncementMade: object({ announcement, ...announced }),
  AnnouncementWithdrawn: object({ announcement }),
  OrganizationBlocked: object({ org, reason }),
  OrganizationUnblocked: object({ org, reason }),
} as const

const why = 'Agreed with the operators.'
export const commands = {
  set: object({ key: settingKey, value: settingValue, reason }).meta({
    examples: [{ key: 'locale', value: 'en', reason: why }],
  }),
  unset: object({ key: settingKey, reason }).meta({ examples: [{ key: 'locale', reason: why }] }),
  setFlag: object({ flag: flagName, percent, users, reason }).meta({
    examples: [{ flag: 'new-dashboard', percent: 5, reason: why }],
  }),
  dropFlag: object({ flag: flagName, reason }).meta({ examples: [{ flag: 'new-dashboard', reason: why }] }),
  setQuota: object({ quota, limit, reason }).meta({
    examples: [{ quota: 'requests_per_minute', limit: 1_000_000, reason: why }],
  }),
  liftQuota: object({ quota, reason }).meta({ examples: [{ quota: 'requests_per_minute', reason: why }] }),
  setQuotaOf: object({ org, quota, limit, reason }).meta({
    examples: [
      {
        org: 'globex',
        quota: 'requests_per_minute',
        limit: 600,
        reason: why,
      },
    ],
  }),
  liftQuotaOf: object({ org, quota, reason }).meta({
    examples: [{ org: 'globex', quota: 'requests_per_minute', reason: why }],
  }),
  beginMaintenance: object({ message, until: until.optional(), reason }).meta({
    examples: [
      {
        message: 'The databases are moved.',
        until: '2099-01-31T00:00:00.000Z',
        reason: why,
      },
    ],
  }),
  endMaintenance: object({ reason: reason.optional() }).meta({ examples: [{}] }),
  announce: object({ announcement, ...announced }).meta({
    examples: [
      {
        announcement: 'move',
        message: 'On Sunday the databases are moved.',
        severity: 'warning',
      },
    ],
  }),
  withdraw: object({ announcement }).meta({ examples: [{ announcement: 'move' }] }),
  block: object({ org, reason }).meta({ examples: [{ org: 'globex', reason: why }] }),
  unblock: object({ org, reason }).meta({ examples: [{ org: 'globex', reason: why }] }),
} as const

export const rejections = [
  'platform_setting_unknown',
  'platform_setting_not_here',
  'platform_setting_invalid',
  'platform_full',
  'announcement_exists',
] as const
