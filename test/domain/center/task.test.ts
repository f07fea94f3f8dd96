import type { events } from '../../../domain/center/task/messages.ts'
import { COMPLETED } from '../../../domain/center/task/state.ts'
import { task } from '../../../domain/center/task/task.ts'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { specFor } from '../../support/spec.ts'

type Fact = EventOf<typeof events>

const { given } = specFor(task)
type Made = Extract<Fact, { type: 'TaskCreated' }>['data']
const created = (more: Partial<Made> = {}): Fact => ({
  type: 'TaskCreated',
  data: { name: 'Write', status: 'open', ...more },
})
const moved = (from: string, to: string): Fact => ({ type: 'TaskStatusChanged', data: { from, to } })
const assigned = (from: string | null, to: string | null): Fact => ({ type: 'TaskAssigned', data: { from, to } })
const handed = (from: string | null, to: string | null): Fact => ({ type: 'TaskMovedToTeam', data: { from, to } })
const removed: Fact = { type: 'TaskRemoved', data: {} }
const changed = (data: Extract<Fact, { type: 'TaskChanged' }>['data']): Fact => ({ type: 'TaskChanged', data })
const completed = (from = 'open'): Fact => ({ type: 'TaskCompleted', data: { from } })

describe('task', () => {
  describe('create', () => {
    it('keeps all that it is given, but for the id, which is the stream', () => {
      const details = {
        name: 'Write',
        description: 'All of it.',
        type: 'text',
        priority: 'high',
        project: 'book',
        assignee: 'ann',
        team: 'red',
        status: 'triage',
      } as const
      given()
        .when('create', { id: 'task-1', due_on: '2026-03-01', ...details })
        .then({ type: 'TaskCreated', data: { dueOn: '2026-03-01', ...details } })
    })
    it('happens once', () => {
      given(created()).when('create', { name: 'Write', status: 'open' }).rejects('task_already_created')
      given(created(), completed()).when('create', { name: 'Write', status: 'open' }).rejects('task_already_created')
    })
  })

  describe('change status', () => {
    it('says from where to where', () => {
      given(created()).when('changeStatus', { status: 'doing' }).then(moved('open', 'doing'))
      given(created(), moved('open', 'doing')).when('changeStatus', { status: 'open' }).then(moved('doing', 'open'))
    })
    it('changes nothing where it is so', () =>
      given(created()).when('changeStatus', { status: 'open' }).changesNothing())
    it('reopens a completed task', () => {
      given(created(), completed()).when('changeStatus', { status: 'open' }).then(moved(COMPLETED, 'open'))
      given(created(), completed(), moved(COMPLETED, 'open'))
        .when('assign', { assignee: 'ann' })
        .then(assigned(null, 'ann'))
    })
    it('completes a task by the name of that status', () =>
      given(created(), moved('open', COMPLETED)).when('assign', { assignee: 'ann' }).rejects('task_completed'))
  })

  describe('assign', () => {
    it('says from whom to whom', () => {
      given(created()).when('assign', { assignee: 'ann' }).then(assigned(null, 'ann'))
      given(created({ assignee: 'ann' }), assigned('ann', 'bob'))
        .when('assign', { assignee: null })
        .then(assigned('bob', null))
    })
    it('changes nothing where it is so, completed or not', () => {
      given(created()).when('assign', { assignee: null }).changesNothing()
      given(created({ assignee: 'ann' }), completed())
        .when('assign', { assignee: 'ann' })
        .changesNothing()
    })
    it('is over once completed', () =>
      given(created(), completed()).when('assign', { assignee: 'ann' }).rejects('task_completed'))
  })

  describe('move to a team', () => {
    it('says from which to which', () => {
      given(created()).when('moveToTeam', { team: 'red' }).then(handed(null, 'red'))
      given(created({ team: 'red' }))
        .when('moveToTeam', { team: 'blue' })
        .then(handed('red', 'blue'))
      given(created({ team: 'red' }))
        .when('moveToTeam', { team: null })
        .then(handed('red', null))
    })
    it('changes nothing where it is so', () =>
      given(created({ team: 'red' }), completed())
        .when('moveToTeam', { team: 'red' })
        .changesNothing())
    it('is over once completed', () =>
      given(created(), completed()).when('moveToTeam', { team: 'red' }).rejects('task_completed'))
  })

  describe('complete', () => {
    it('says from where', () => {
      given(created()).when('complete', {}).then(completed())
      given(created(), moved('open', 'doing')).when('complete', {}).then(completed('doing'))
    })
    it('is already so the second time', () => {
      given(created(), completed()).when('complete', {}).changesNothing()
      given(created({ status: COMPLETED }))
        .when('complete', {})
        .changesNothing()
    })
  })

  describe('change', () => {
    const full = { description: 'All of it.', type: 'text', priority: 'high', project: 'book' } as const
    it('says only what is another now', () => {
      given(created({ ...full, dueOn: '2026-03-01' }))
        .when('change', { ...full, name: 'Write more', due_on: '2026-03-02' })
        .then(changed({ name: 'Write more', dueOn: '2026-03-02' }))
      given(created(full), changed({ type: null, name: 'X' }))
        .when('change', { name: 'X', type: null, project: 'film' })
        .then(changed({ project: 'film' }))
    })
    it('removes what is null', () => {
      const gone = { description: null, type: null, priority: null, project: null } as const
      given(created({ ...full, dueOn: '2026-03-01' }))
        .when('change', { ...gone, due_on: null })
        .then(changed({ ...gone, dueOn: null }))
    })
    it('changes nothing where all is so', () =>
      given(created({ ...full, assignee: 'ann' }))
        .when('change', {
          ...full,
          name: 'Write',
          status: 'open',
          assignee: 'ann',
          team: null,
          due_on: null,
          reason: 'x',
        })
        .changesNothing())
    it('states each kind of change by itself, with the reason', () =>
      given(created())
        .when('change', { name: 'X', status: 'doing', assignee: 'ann', team: 'red', reason: 'New plan.' })
        .then(
          changed({ name: 'X', reason: 'New plan.' }),
          { type: 'TaskAssigned', data: { from: null, to: 'ann', reason: 'New plan.' } },
          { type: 'TaskMovedToTeam', data: { from: null, to: 'red', reason: 'New plan.' } },
          { type: 'TaskStatusChanged', data: { from: 'open', to: 'doing', reason: 'New plan.' } },
        ))
    it('corrects a completed task, and hands it over only where it reopens it', () => {
      given(created(), completed())
        .when('change', { name: 'X' })
        .then(changed({ name: 'X' }))
      given(created(), completed()).when('change', { assignee: 'ann' }).rejects('task_completed')
      given(created(), completed())
        .when('change', { assignee: 'ann', status: 'open' })
        .then(moved(COMPLETED, 'open'), assigned(null, 'ann'))
      given(created())
        .when('change', { assignee: 'ann', status: COMPLETED })
        .then(assigned(null, 'ann'), moved('open', COMPLETED))
    })
  })

  describe('remove', () => {
    it('says why, where that is said, and is already so the second time', () => {
      given(created()).when('remove', {}).then(removed)
      given(created(), completed())
        .when('remove', { reason: 'A double.' })
        .then({ type: 'TaskRemoved', data: { reason: 'A double.' } })
      given(created(), removed).when('remove', {}).changesNothing()
    })
    it('ends all but a new beginning', () => {
      given(created(), removed).when('change', { name: 'X' }).rejects('task_removed')
      given(created(), removed).when('changeStatus', { status: 'doing' }).rejects('task_removed')
      given(created(), removed).when('complete', {}).rejects('task_removed')
      given(created(), removed).when('create', { name: 'Write', status: 'open' }).then(created())
    })
  })

  it('tells once who has to do it that the day has come, and nobody when it is done or over', () => {
    const dueOn = '2026-01-31'
    const due = (assignee: string | null) => ({ type: 'TaskDue', data: { dueOn, assignee } }) as const
    const made = { type: 'TaskCreated', data: { name: 'Write', status: 'open', dueOn, assignee: 'ann' } } as const
    given(made).when('noteDue', { due_on: dueOn }).then(due('ann'))
    given(made, completed()).when('noteDue', { due_on: dueOn }).then(due(null))
    given(made).when('noteDue', { due_on: '2026-01-30' }).changesNothing()
    given(made).when('noteDue', { due_on: dueOn }, { at: '2026-02-01T00:00:00.000Z' }).then(due(null))
    given(made, removed).when('noteDue', { due_on: dueOn }).changesNothing()
  })

  it('keeps the reason of every change', () => {
    const reason = 'The client asked.'
    given(created())
      .when('changeStatus', { status: 'doing', reason })
      .then({ type: 'TaskStatusChanged', data: { from: 'open', to: 'doing', reason } })
    given(created())
      .when('assign', { assignee: 'ann', reason })
      .then({ type: 'TaskAssigned', data: { from: null, to: 'ann', reason } })
    given(created())
      .when('moveToTeam', { team: 'red', reason })
      .then({ type: 'TaskMovedToTeam', data: { from: null, to: 'red', reason } })
    given(created())
      .when('complete', { reason })
      .then({ type: 'TaskCompleted', data: { from: 'open', reason } })
  })

  it('is told to nobody as due where nothing is left of it', () => {
    const due = created({ assignee: 'ann', dueOn: '2026-01-01' })
    const noted = (assignee: string | null) => ({ type: 'TaskDue', data: { dueOn: '2026-01-01', assignee } }) as const
    const at = { at: '2026-01-01T00:00:01.000Z' }
    for (const [status, assignee] of [
      ['open', 'ann'],
      ['cancelled', null],
      ['delivered', null],
    ] as const) {
      const facts = status === 'open' ? [due] : [due, moved('open', status)]
      given(...facts)
        .when('noteDue', { due_on: '2026-01-01' }, at)
        .then(noted(assignee))
    }
  })

  it('is a part of another task from its beginning, or of none', () => {
    given()
      .when('create', { name: 'Write', status: 'open', parent: 'book' })
      .then(created({ parent: 'book' }))
    given(created({ parent: 'book' }))
      .when('change', { parent: null })
      .then(changed({ parent: null }))
    given(created()).when('change', { parent: 'book' }).rejects('task_parent_fixed')
    given(created(), removed)
      .when('create', { name: 'Write', status: 'open', parent: 'book' })
      .rejects('task_parent_fixed')
  })

  it('is moved to sprints that are not completed', () => {
    const movedTo = (from: string | null, to: string | null) =>
      ({ type: 'TaskMovedToSprint', data: { from, to } }) as const
    given(created()).when('moveToSprint', { sprint: 's1' }).then(movedTo(null, 's1'))
    given(created(), movedTo(null, 's1')).when('moveToSprint', { sprint: null }).then(movedTo('s1', null))
    given(created(), movedTo(null, 's1')).when('moveToSprint', { sprint: 's1' }).changesNothing()
    given(created())
      .when('moveToSprint', { sprint: 's1' }, { seen: { status: 'completed' } })
      .rejects('task_sprint_completed')
  })
})
