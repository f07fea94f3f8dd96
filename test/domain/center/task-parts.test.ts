import { expect } from 'chai'
import type { events } from '../../../domain/center/task/messages.ts'
import { amountOf } from '../../../domain/center/task/parts.ts'
import { task } from '../../../domain/center/task/task.ts'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { specFor } from '../../support/spec.ts'

type Fact = EventOf<typeof events>

const { given } = specFor(task)
const ID = '00000000-0000-5000-8000-000000000001'
const made = { newId: () => ID }
const created: Fact = { type: 'TaskCreated', data: { name: 'Write', status: 'open' } }
const items = [
  { item: 'a', text: 'Read', done: false },
  { item: 'b', text: 'Print', done: true },
]
const set = (of: typeof items): Fact => ({ type: 'TaskChecklistSet', data: { items: of } })
const commented: Fact = { type: 'TaskCommented', data: { comment: ID, author: 'user-1', text: 'Good.' } }
const work = { minutes: 90, rate: 6000n, currency: 'EUR' } as const
const logged: Fact = { type: 'TimeLogged', data: { entry: ID, user: 'user-1', workedOn: '2026-01-30', ...work } }
const to = { wallet: 'studio', account: 'checking', kind: 'credit' } as const
const asked = {
  type: 'TimePostingRequested',
  data: {
    entry: ID,
    counterparty: 'external:work',
    ...to,
    amount: 9000n,
    currency: 'EUR',
    description: '90 minutes of user-1 for the task thing-1',
  },
} as const satisfies Fact

describe('parts of a task', () => {
  it('are items of a checklist, each named once', () => {
    given(created).when('setChecklist', { items }).then(set(items))
    given(created, set(items)).when('setChecklist', { items }).changesNothing()
    given(created)
      .when('setChecklist', { items: [...items, items[0]!] })
      .rejects('task_checklist_item_unknown')
    given(created)
      .when('setChecklist', { items: [{ text: 'Read', done: false }] })
      .then(set([{ item: 'made-0', text: 'Read', done: false }]))
    given(created, set(items))
      .when('tick', { item: 'a', done: true })
      .then(set([{ ...items[0]!, done: true }, items[1]!]))
    given(created, set(items)).when('tick', { item: 'b', done: true }).changesNothing()
    given(created).when('tick', { item: 'a', done: true }).rejects('task_checklist_item_unknown')
  })

  it('are comments, which their authors change', () => {
    given(created).when('comment', { text: 'Good.' }, made).then(commented)
    given(created, commented)
      .when('changeComment', { comment: ID, text: 'Fine.' })
      .then({ type: 'TaskCommentChanged', data: { comment: ID, text: 'Fine.' } })
    const other = { actor: 'user-2' }
    given(created, commented)
      .when('changeComment', { comment: ID, text: 'x' }, other)
      .rejects('task_comment_of_another')
    given(created, commented).when('removeComment', { comment: ID }, other).rejects('task_comment_of_another')
    const gone: Fact = { type: 'TaskCommentRemoved', data: { comment: ID } }
    given(created, commented).when('removeComment', { comment: ID }).then(gone)
    given(created, commented, gone).when('removeComment', { comment: ID }).rejects('task_comment_unknown')
  })

  it('are times, corrected until they are posted', () => {
    given(created)
      .when('logTime', { worked_on: '2026-01-30', ...work }, made)
      .then(logged)
    given(created, logged)
      .when('correctTime', { entry: ID, worked_on: '2026-01-30', ...work })
      .changesNothing()
    given(created, logged)
      .when('correctTime', { entry: ID, worked_on: '2026-01-30', minutes: 60 })
      .then({ type: 'TimeCorrected', data: { entry: ID, workedOn: '2026-01-30', minutes: 60, minutesBefore: 90 } })
    given(created, logged)
      .when('removeTime', { entry: ID })
      .then({ type: 'TimeRemoved', data: { entry: ID, minutes: 90 } })
    given(created).when('removeTime', { entry: ID }).rejects('time_entry_unknown')
    given(created, logged, asked).when('removeTime', { entry: ID }).rejects('time_entry_posted')
  })

  it('are posted once, at their rate, and again where the wallet refused it', () => {
    given(created, logged)
      .when('postTime', { entry: ID, ...to })
      .then(asked)
    const free: Fact = { type: 'TimeLogged', data: { entry: ID, user: 'a', workedOn: '2026-01-30', minutes: 90 } }
    given(created, free)
      .when('postTime', { entry: ID, ...to })
      .rejects('time_entry_without_rate')
    given(created, logged, asked)
      .when('recordPosting', { entry: ID })
      .then({ type: 'TimePosted', data: { entry: ID } })
    const refused: Fact = { type: 'TimePostingRefused', data: { entry: ID, code: 'wallet_closed', reason: 'It is.' } }
    given(created, logged, asked)
      .when('refusePosting', { entry: ID, code: 'wallet_closed', reason: 'It is.' })
      .then(refused)
    given(created, logged, asked, refused)
      .when('postTime', { entry: ID, ...to })
      .then(asked)
    const gone: Fact = { type: 'TaskRemoved', data: {} }
    const posted: Fact = { type: 'TimePosted', data: { entry: ID } }
    given(created, logged, asked, gone).when('recordPosting', { entry: ID }).then(posted)
    const again = { name: 'Write', status: 'open' }
    given(created, logged, asked, gone).when('create', again).rejects('task_time_being_posted')
    given(created, logged, asked, gone, posted).when('create', again).then({ type: 'TaskCreated', data: again })
    given(created, logged, asked, gone, posted).when('recordPosting', { entry: ID }).changesNothing()
    given(created, logged, asked, gone).when('askPostingAgain', asked.data).then(asked)
    given(created, logged, asked, posted).when('askPostingAgain', asked.data).changesNothing()
    expect([amountOf(6000n, 90), amountOf(100n, 20), amountOf(1n, 1), amountOf(100n, 21)]).to.deep.equal([
      9000n,
      33n,
      1n,
      35n,
    ])
  })
})
