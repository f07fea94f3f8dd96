import { expect } from 'chai'
import { type Platform, platform, quotaOf } from '../../../domain/platform/platform/platform.ts'
import { specFor, stateOf } from '../../support/spec.ts'

const { given } = specFor(platform)
const reason = 'So it is.'
const quota = 'requests_per_minute' as const
const all = { type: 'QuotaSet', data: { quota, limit: 100, reason } } as const
const acme = { type: 'QuotaSet', data: { quota, limit: 5, org: 'acme', reason } } as const
const begun = { type: 'MaintenanceBegun', data: { message: 'Moving.', reason } } as const
const blocked = { type: 'OrganizationBlocked', data: { org: 'acme', reason } } as const
const told = { type: 'AnnouncementMade', data: { announcement: 'a', message: 'x', severity: 'info' } } as const
const flag = { type: 'PlatformFlagSet', data: { flag: 'new', percent: 10, users: [] as string[], reason } } as const
const set = { type: 'PlatformSettingSet', data: { key: 'locale', value: 'de', reason } } as const

describe('platform', () => {
  it('has settings and flags of last resort', () => {
    given().when('set', set.data).then(set)
    given(set).when('set', set.data).changesNothing()
    given(set)
      .when('unset', { key: 'locale', reason })
      .then({ type: 'PlatformSettingUnset', data: { key: 'locale', reason } })
    given().when('unset', { key: 'locale', reason }).changesNothing()
    given().when('set', { key: 'locale', value: '?', reason }).rejects('platform_setting_invalid')
    given().when('setFlag', flag.data).then(flag)
    given(flag)
      .when('dropFlag', { flag: 'new', reason })
      .then({ type: 'PlatformFlagDropped', data: { flag: 'new', reason } })
    given().when('dropFlag', { flag: 'new', reason }).changesNothing()
  })

  it('has quotas, of which that of the organization counts first', () => {
    given().when('setQuota', all.data).then(all)
    given(all).when('setQuotaOf', acme.data).then(acme)
    given(all).when('setQuota', all.data).changesNothing()
    const lifted = { type: 'QuotaLifted', data: { quota, org: 'acme', reason } } as const
    given(all, acme).when('liftQuotaOf', { org: 'acme', quota, reason }).then(lifted)
    given(all).when('liftQuotaOf', { org: 'acme', quota, reason }).changesNothing()
    const limitIn = (...events: object[]) => quotaOf(stateOf(platform, events as never) as Platform, 'acme', quota)
    expect([limitIn(), limitIn(all), limitIn(all, acme), limitIn(all, acme, lifted)]).to.deep.equal([
      undefined,
      100,
      5,
      100,
    ])
  })

  it('begins and ends maintenance, announces, and blocks, each once', () => {
    given().when('beginMaintenance', begun.data).then(begun)
    given(begun).when('beginMaintenance', begun.data).changesNothing()
    given(begun).when('endMaintenance', {}).then({ type: 'MaintenanceEnded', data: {} })
    given().when('endMaintenance', {}).changesNothing()
    given().when('announce', told.data).then(told)
    given(told).when('announce', told.data).rejects('announcement_exists')
    given(told)
      .when('withdraw', { announcement: 'a' })
      .then({ type: 'AnnouncementWithdrawn', data: { announcement: 'a' } })
    given().when('withdraw', { announcement: 'toString' }).changesNothing()
    given().when('block', blocked.data).then(blocked)
    given(blocked).when('block', blocked.data).changesNothing()
    given(blocked).when('unblock', blocked.data).then({ type: 'OrganizationUnblocked', data: blocked.data })
    given().when('unblock', blocked.data).changesNothing()
  })
})
