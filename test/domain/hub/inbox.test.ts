import { expect } from 'chai'
import { inbox } from '../../../domain/hub/inbox/inbox.ts'
import { commands } from '../../../domain/hub/inbox/messages.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const own = { id: CONTEXT.actor }
const email = {
  key: '6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58',
  nonce: 'A'.repeat(16),
  text: 'a'.repeat(24),
  digest: 'D'.repeat(43),
}
const opened = { type: 'InboxOpened', data: {} } as const
const read = (notification: string) => ({ type: 'NotificationRead' as const, data: { notification } })
const readTo = (upTo: bigint) => ({ type: 'NotificationsRead' as const, data: { upTo } })
const preference = (wanted: boolean) => ({ kind: 'mentioned' as const, channel: 'in_app' as const, wanted })
const preferred = (wanted: boolean) => ({
  type: 'NotificationPreferenceChanged' as const,
  data: preference(wanted),
})

describe('inbox', () => {
  const { given } = specFor(inbox)

  it('is opened once, by its user', () => {
    given().when('open', own, own).then(opened)
    given(opened).when('open', own, own).changesNothing()
    given().when('open', own).rejects('inbox_of_another')
  })

  it('marks a notification as read, once', () => {
    given(opened).when('read', { notification: 'a.0' }, own).then(read('a.0'))
    given(opened, read('a.0')).when('read', { notification: 'a.0' }, own).changesNothing()
  })

  it('remembers as many marks as it must, and no more', () => {
    const many = Array.from({ length: 101 }, (_, n) => read(`n.${n}`))
    given(opened, ...many)
      .when('read', { notification: 'n.100' }, own)
      .changesNothing()
    given(opened, ...many)
      .when('read', { notification: 'n.0' }, own)
      .then(read('n.0'))
  })

  it('marks all up to a position, and never fewer', () => {
    given(opened).when('readAll', { up_to: 7n }, own).then(readTo(7n))
    given(opened, readTo(7n)).when('readAll', { up_to: 7n }, own).changesNothing()
    given(opened, readTo(7n)).when('readAll', { up_to: 6n }, own).changesNothing()
  })

  it('turns a kind off on a channel and on again; all are on at first', () => {
    given(opened).when('prefer', preference(true), own).changesNothing()
    given(opened).when('prefer', preference(false), own).then(preferred(false))
    given(opened, preferred(false)).when('prefer', preference(false), own).changesNothing()
    given(opened, preferred(false)).when('prefer', preference(true), own).then(preferred(true))
  })

  it('has an e-mail address, with what its user may read then', () => {
    const permissions = ['center.tasks.read', 'center.tasks.write', 'office.*']
    const set = {
      type: 'InboxEmailSet' as const,
      data: { email, user: own.id, grants: ['center.tasks.read', 'office.*'] },
    }
    const may = { ...own, permissions }
    given(opened).when('setEmail', { email }, may).then(set)
    given(opened, set).when('setEmail', { email }, may).changesNothing()
    given(opened, set)
      .when('setEmail', { email }, own)
      .then({ type: 'InboxEmailSet', data: { email, user: own.id, grants: [] } })
    given(opened, set).when('removeEmail', {}, own).then({ type: 'InboxEmailRemoved', data: {} })
    given(opened).when('removeEmail', {}, own).changesNothing()
  })

  it('has a digest at an hour of a zone, every day or week', () => {
    // Noon UTC on a Saturday.
    const daily = { every: 'day', hour: 8, zone: 'Europe/Berlin' } as const
    const set = { type: 'InboxDigestSet', data: { ...daily, next: '2026-02-01T07:00:00.000Z' } } as const
    const weekly = { every: 'week', weekday: 'FR', hour: 23, zone: 'America/New_York' } as const
    given(opened).when('setDigest', daily, own).then(set)
    given(opened, set).when('setDigest', daily, own).changesNothing()
    given(opened, set)
      .when('setDigest', weekly, own)
      .then({ type: 'InboxDigestSet', data: { ...weekly, next: '2026-02-07T04:00:00.000Z' } })
    given(opened)
      .when('setDigest', { ...daily, zone: 'Moon/Sea' }, own)
      .rejects('inbox_zone_unknown')
    given(opened, set).when('stopDigest', {}, own).then({ type: 'InboxDigestStopped', data: {} })
    given(opened).when('stopDigest', {}, own).changesNothing()
  })

  it('makes a digest once for each time, however late that is', () => {
    const due = '2026-01-29T07:00:00.000Z'
    const daily = { every: 'day', hour: 8, zone: 'Europe/Berlin' } as const
    const set = { type: 'InboxDigestSet', data: { ...daily, next: due } } as const
    const made = { type: 'InboxDigestDue', data: { due, next: '2026-02-01T07:00:00.000Z' } } as const
    given(opened, set).when('sendDigest', { due }).then(made)
    given(opened, set, made).when('sendDigest', { due }).changesNothing()
    given(opened, set, { type: 'InboxDigestStopped', data: {} }).when('sendDigest', { due }).changesNothing()
  })

  it('takes addresses that a program for mail takes', () => {
    const takes = (text: string) => commands.setEmail.safeDecode({ email: text }).success
    for (const good of ['mira@studio.example', 'a+b.c@x.example', 'é@bücher.example'])
      expect(takes(good), good).to.be.true
    const bad = [
      'mira',
      'mira@',
      '@x',
      'a b@x.y',
      'a@x..y',
      'a@b@c',
      'Mira <a@x.y>',
      'a@x.y\nBcc: b@x.y',
      'a@.x',
      'a,b@x',
    ]
    for (const each of bad) expect(takes(each), each).to.be.false
  })

  it('is closed to everybody else', () => {
    given(opened).when('setEmail', { email }).rejects('inbox_of_another')
    given(opened).when('removeEmail', {}).rejects('inbox_of_another')
    given(opened).when('setDigest', { every: 'day', hour: 8, zone: 'UTC' }).rejects('inbox_of_another')
    given(opened).when('stopDigest', {}).rejects('inbox_of_another')
    given(opened).when('read', { notification: 'a.0' }).rejects('inbox_of_another')
    given(opened).when('readAll', { up_to: 7n }).rejects('inbox_of_another')
    given(opened).when('prefer', preference(false)).rejects('inbox_of_another')
  })
})
