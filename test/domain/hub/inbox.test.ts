import { inbox } from '../../../domain/hub/inbox/inbox.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const own = { id: CONTEXT.actor }
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

  it('is closed to everybody else', () => {
    given(opened).when('read', { notification: 'a.0' }).rejects('inbox_of_another')
    given(opened).when('readAll', { up_to: 7n }).rejects('inbox_of_another')
    given(opened).when('prefer', preference(false)).rejects('inbox_of_another')
  })
})
