import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Answer, Client } from '../support/client.ts'

describe('the center, over HTTP', () => {
  let app: App
  let client: Client
  let last = '0'

  before(async () => {
    app = await startApp()
    client = await app.clientOf('atelier')
  })
  after(() => app?.close())

  async function send(method: string, path: string, body?: object): Promise<Answer> {
    const answer = await client.call(method, `/api/v1/kctr${path}`, body === undefined ? {} : { body })
    last = String(answer.headers['kogi-position'] ?? last)
    return answer
  }
  async function done(method: string, path: string, body?: object): Promise<Answer> {
    const answer = await send(method, path, body)
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).to.be.within(200, 299)
    return answer
  }
  async function read(path: string) {
    const { status, body } = await client.call('GET', `/api/v1${path}`, { headers: { 'kogi-min-position': last } })
    expect(status, `${path} ${JSON.stringify(body)}`).to.equal(200)
    return body.data
  }
  async function refused(code: string, method: string, path: string, body?: object): Promise<string> {
    const { status, body: answer } = await send(method, path, body)
    expect([status, answer.error?.code], `${method} ${path}`).to.deep.equal([422, code])
    return JSON.stringify(answer.error)
  }

  it('lets projects and their tasks go the ways of their workflows, by the names of the seeds as well', async () => {
    await done('POST', '/center', { id: 'c', name: 'Atelier', center_type: 'team' })
    await done('POST', '/project', { id: 'app', name: 'App', project_type: 'software', center_id: 'c' })
    const [project] = await read('/kctr/projects?type=software&center=c')
    expect([project.status, project.workflow, project.task_workflow]).to.deep.equal([
      'planned',
      'software',
      'development',
    ])
    const said = await refused('project_status_not_allowed', 'PATCH', '/projects/app', { status: 'released' })
    expect(said).to.include('design')
    await done('PATCH', '/projects/app', { status: 'design' })

    const asked = { name: 'Log in', project_id: 'app', assigned_to: 'mira', due_date: '2026-12-24', estimated_hours: 6 }
    await done('POST', '/tasks', { id: 'login', ...asked, task_type: 'story' })
    expect(await read('/kctr/tasks/login')).to.deep.include({ stage: 'todo', assignee: 'mira', due_on: '2026-12-24' })
    expect(await refused('task_status_not_allowed', 'PUT', '/tasks/login/status', { status: 'testing' })).to.include(
      'in_progress',
    )
    await done('PUT', '/tasks/login/status', { status: 'in_progress' })
    expect(await read('/kctr/tasks/login')).to.deep.include({ stage: 'doing', estimated_hours: 6 })

    await done('POST', '/tasks', { id: 'loose', name: 'Loose', status: 'any words' })
    await done('PUT', '/tasks/loose/status', { status: 'other words' })
    await refused('task_status_not_allowed', 'PATCH', '/tasks/loose', { project: 'app' })
    await done('PATCH', '/tasks/loose', { project: 'app', status: 'open' })
    const template = { id: 'show', name: 'Show', workflow: (await read('/kctr/projects/app')).workflow }
    await done('POST', '/templates', { ...template, task_workflow: 'free' })
    await done('POST', '/projects', { id: 'summer', name: 'Summer', template: 'show' })
    expect(await read('/kctr/projects/summer')).to.include({ workflow: 'software', task_workflow: 'free' })
  })

  it('keeps dependencies without circles, also while many come at once', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await done('POST', '/tasks', { id, name: id, project: 'app' })
    await done('POST', '/tasks/b/dependencies', { depends_on: 'a', lag: 1.5 })
    expect(await read('/kctr/tasks/b/dependencies')).to.deep.include.members([])
    const [found] = await read('/kctr/tasks/b/dependencies')
    expect(found).to.deep.include({ task: 'b', dependency: 'a', type: 'finish_start', lag: 1.5 })
    const { headers } = await done('POST', '/tasks/c/dependencies', { depends_on_task_id: 'b' })
    expect(headers.location).to.equal('/api/v1/kctr/tasks/c/dependencies/b')
    expect(await read('/kctr/tasks/c/dependencies/b')).to.include({ dependency: 'b' })
    expect(await refused('dependency_circular', 'POST', '/tasks/a/dependencies', { dependency: 'c' })).to.include(
      'a → c → b → a',
    )
    await refused('reference_unknown', 'POST', '/tasks/a/dependencies', { dependency: 'nowhere' })

    // Of two that would close a circle together, one is refused, whichever comes first.
    const both = await Promise.all([
      send('POST', '/tasks/a/dependencies', { dependency: 'd' }),
      send('POST', '/tasks/d/dependencies', { dependency: 'c' }),
    ])
    expect(both.map(({ status }) => status).toSorted()).to.deep.equal([201, 422])
    await done('DELETE', '/tasks/c/dependencies/b')
    expect(await read('/kctr/tasks/c/dependencies')).to.deep.equal([])
  })

  it('notifies whom a comment names, and lets its author alone change it', async () => {
    const { body } = await done('POST', '/tasks/login/comments', { text: 'Please look, @jon.' })
    const { comment } = body.data.events[0].data
    const jon = await app.clientOf('atelier', 'team-member', 'jon')
    const wait = { headers: { 'kogi-min-position': last } }
    const told = (await jon.call('GET', '/api/v1/khub/notifications', wait)).body.data
    expect(told.map(({ kind, thing }: Record<string, string>) => [kind, thing])).to.deep.equal([['mentioned', 'login']])
    const foreign = await jon.call('PUT', `/api/v1/kctr/tasks/login/comments/${comment}`, { body: { text: 'x' } })
    expect(foreign.body.error.code).to.equal('task_comment_of_another')
    await done('PUT', `/tasks/login/comments/${comment}`, { text: 'Looked.' })
    expect((await read('/kctr/tasks/login/comments')).map(({ text }: { text: string }) => text)).to.deep.equal([
      'Looked.',
    ])
  })

  it('adds up the time that was worked', async () => {
    for (const minutes of [50, 25]) {
      await done('POST', '/tasks/login/time-entries', {
        minutes,
        worked_on: '2026-11-20',
        rate: '6000',
        currency: 'EUR',
      })
    }
    expect(await read('/kctr/tasks/login')).to.include({ actual_hours: 1.25, minutes: 75 })
    const [{ sums }] = await read('/kctr/time-entries/summary?sum=minutes&task=login')
    expect(sums).to.deep.equal({ minutes: '75' })
    const hours = await read('/kctr/tasks/summary?by=project&sum=estimated_hours&project=app')
    expect(hours[0].sums).to.deep.equal({ estimated_hours: '6' })
  })

  it('says how far key results are, where something was measured', async () => {
    await done('POST', '/plans', {
      id: 'plan',
      name: 'Plan',
      timeframe_start: '2027-01-01',
      timeframe_end: '2027-12-31',
    })
    await done('POST', '/objectives', { id: 'found', plan: 'plan', title: 'People find us' })
    const result = { objective: 'found', title: 'Visitors', start: 20, target: 120 }
    for (const value of [undefined, 10, 45, 500]) await done('POST', '/keyresults', { ...result, value })
    const found = (await read('/kctr/keyresults?sort=created_at')) as { progress?: number; current?: number }[]
    expect(found.map(({ current, progress }) => [current, progress])).to.deep.equal([
      [undefined, undefined],
      [10, 0],
      [45, 0.25],
      [500, 1],
    ])
    expect(await read('/kctr/objectives/found')).to.include({ progress: 0.3125 })
  })

  it('takes tasks into sprints until these are completed', async () => {
    const sprint = { id: 's', project_id: 'app', name: 'First', start_date: '2026-11-16', end_date: '2026-11-27' }
    await done('POST', '/sprints', sprint)
    await done('PUT', '/tasks/login/sprint', { sprint_id: 's' })
    expect((await read('/kctr/tasks?sprint=s')).map(({ id }: { id: string }) => id)).to.deep.equal(['login'])
    await done('POST', '/sprints/s/start')
    await done('POST', '/sprints/s/complete')
    await refused('task_sprint_completed', 'PUT', '/tasks/loose/sprint', { sprint: 's' })
    expect(await read('/kctr/sprints/s')).to.include({ status: 'completed', project: 'app' })
  })

  it('begins anew with what is made again under the id of what was removed', async () => {
    const item = { task: 'a', item_type: 'story' }
    const listed = async (path: string) => (await read(path)).length
    for (const [n, name] of ['First', 'Second'].entries()) {
      await done('POST', '/tasks', { id: 'again', name })
      expect([
        await listed('/kctr/tasks/again/comments'),
        await listed('/kctr/tasks/again/time-entries'),
      ]).to.deep.equal([0, 0])
      const { body } = await done('POST', '/tasks/again/comments', { text: name })
      await done('POST', '/tasks/again/time-entries', { minutes: 10, worked_on: '2026-11-20' })
      await done('POST', '/backlogs', { id: 'ideas', name })
      expect(await listed('/kctr/backlogs/ideas/items')).to.equal(0)
      await done('POST', '/backlogs/ideas/items', item)
      expect(await listed('/kctr/backlogs/ideas/items')).to.equal(1)
      const [summary] = await read('/kctr/tasks/again/time-entries/summary?sum=minutes')
      expect([summary.count, summary.sums.minutes]).to.deep.equal([1, '10'])
      const path = `/kctr/tasks/again/comments/${body.data.events[0].data.comment}`
      expect((await read(path)).text).to.equal(name)
      await done('DELETE', '/tasks/again')
      await done('DELETE', '/backlogs/ideas')
      expect((await client.call('GET', `/api/v1${path}`, { headers: { 'kogi-min-position': last } })).status).to.equal(
        404,
      )
      expect(await listed('/kctr/time-entries?task=again')).to.equal(n + 1)
    }
  })

  it('creates tasks from a table, and says which lines it cannot', async () => {
    const content =
      'id,name,due_date,labels,estimated_hours\r\nx1,"One, first",2026-12-01,a b,2.5\r\nx2,,,,\r\nlogin,Twice,,,\r\n'
    const { body } = await done('POST', '/task-table', { content })
    const { created, refused: not } = body.data
    expect(created).to.equal(1)
    expect(not.map(({ line, code }: { line: number; code: string }) => [line, code])).to.deep.equal([
      [3, 'invalid_body'],
      [4, 'task_already_created'],
    ])
    const made = await read('/kctr/tasks/x1')
    expect(made).to.deep.include({ name: 'One, first', due_on: '2026-12-01', labels: ['a', 'b'], estimated_hours: 2.5 })
    const wrong = await send('POST', '/task-table', { content: 'id,colour\nx3,red\n' })
    expect([wrong.status, wrong.body.error.code]).to.deep.equal([400, 'invalid_body'])
  })

  it('shows what each version of a thing changed, and gives an earlier one back', async () => {
    await done('POST', '/pages', { id: 'how', title: 'How we print', body: 'Ask for a proof.', tags: ['print'] })
    await done('PATCH', '/pages/how', { body: 'Print at once.', tags: [] })
    const { versions, difference } = await read('/kctr/versions/page/how')
    expect(versions.map(({ revision, type }: Record<string, string>) => [revision, type])).to.deep.equal([
      ['0', 'PageAdded'],
      ['1', 'PageChanged'],
    ])
    const changes = { body: { from: 'Ask for a proof.', to: 'Print at once.' }, tags: { from: ['print'], to: [] } }
    expect([versions[1].changes, difference]).to.deep.equal([changes, changes])
    await done('POST', '/versions/page/how/restore', { revision: '0' })
    expect(await read('/kctr/pages/how')).to.deep.include({ body: 'Ask for a proof.', tags: ['print'], revision: '2' })
    expect((await read('/kctr/versions/task/login?from=1')).versions).to.not.be.empty
    for (const [page, revision] of [
      ['nowhere', '0'],
      ['how', '3'],
      ['how', '9223372036854775807'],
    ]) {
      expect((await send('POST', `/versions/page/${page}/restore`, { revision })).status).to.equal(404)
    }
    await done('POST', '/tasks', { id: 'flyer', name: 'Flyer', due_on: '2026-12-01', labels: ['print'] })
    await done('PATCH', '/tasks/flyer', {
      name: 'Flyers',
      due_on: null,
      labels: null,
      assignee: 'mira',
      status: 'sent',
    })
    await done('POST', '/versions/task/flyer/restore', { revision: '0' })
    const back = { name: 'Flyer', due_on: '2026-12-01', labels: ['print'], assignee: 'mira', status: 'sent' }
    expect(await read('/kctr/tasks/flyer')).to.deep.include(back)
    const days = { start_date: '2027-01-04', end_date: '2027-01-15' }
    await done('POST', '/sprints', { id: 'next', name: 'Next', goal: 'All printed.', ...days })
    await done('PATCH', '/sprints/next', { name: 'Later', goal: null, end_date: '2027-01-22' })
    await done('POST', '/versions/sprint/next/restore', { revision: '0' })
    expect(await read('/kctr/sprints/next')).to.deep.include({ name: 'Next', goal: 'All printed.', ...days })
    await done('POST', '/projects', { id: 'stand', name: 'Stand', type: 'event', metadata: { wide: 3 } })
    await done('PATCH', '/projects/stand', { name: 'Stands', metadata: null, status: 'preparation' })
    await done('POST', '/versions/project/stand/restore', { revision: '0' })
    const stand = { name: 'Stand', metadata: { wide: 3 }, status: 'preparation' }
    expect(await read('/kctr/projects/stand')).to.deep.include(stand)
    const guest = await app.clientOf('atelier', 'viewer', 'guest')
    const refusedTo = await guest.call('POST', '/api/v1/kctr/versions/page/how/restore', { body: { revision: '0' } })
    expect([refusedTo.status, refusedTo.body.error.code]).to.deep.equal([403, 'forbidden'])
  })
})
