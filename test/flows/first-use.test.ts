import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Answer, Client } from '../support/client.ts'

const CALLS_MAX = 40
const DAY_MS = 86_400_000
const day = (fromToday: number) => new Date(Date.now() + fromToday * DAY_MS).toISOString().slice(0, 10)
const TODAY = day(0)
const MONTH_END = new Date(Date.parse(`${TODAY.slice(0, 7)}-01`) - DAY_MS).toISOString().slice(0, 10)

/** What a bank offers for download: 50 lines of the last 100 days, one every second day, every fifth of them income. */
const CSV = [
  'date,description,amount',
  ...Array.from({ length: 50 }, (_, n) => {
    const amount = n % 5 === 0 ? `${900 + n}.50` : `-${10 + n}.${String(n).padStart(2, '0')}`
    return `${day(-100 + 2 * n)},Line ${n},${amount}`
  }),
].join('\n')
const lines = CSV.split('\n')
  .slice(1)
  .map(line => line.split(',') as [string, string, string])
const cents = (amount: string) => BigInt(amount.replace('.', ''))
const balanceOn = (last: string) =>
  lines.reduce((sum, [date, , amount]) => (date <= last ? sum + cents(amount) : sum), 0n)

const PEOPLE = ['mira', 'jonas', 'ada', 'lin']

describe('the first use, as README describes it', function first() {
  this.timeout(60_000)
  let app: App
  let client: Client
  let calls = 0
  let position = ''

  before(async () => {
    app = await startApp()
    client = await app.clientOf('first-use')
  })
  after(() => app?.close())

  const tell = async (method: string, path: string, body: object, status: number): Promise<Answer> => {
    calls += 1
    const answer = await client.call(method, `/api/v1${path}`, { body })
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).to.equal(status)
    position = String(answer.headers['kogi-position'] ?? position)
    return answer
  }
  const ask = async (path: string) => {
    calls += 1
    const { status, body } = await client.call('GET', `/api/v1${path}`, { headers: { 'Kogi-Min-Position': position } })
    expect(status, `${path} ${JSON.stringify(body)}`).to.equal(200)
    return body.data
  }
  const counts = async (list: string, by: string) => {
    const groups: { group: Record<string, string | null>; count: number }[] = await ask(list)
    return Object.fromEntries(groups.map(({ group, count }) => [String(group[by]), count]))
  }

  it('books a CSV, makes, moves and corrects tasks', async () => {
    await tell('POST', '/kwlt/wallets', { id: 'studio', kind: 'business' }, 201)
    await tell(
      'POST',
      '/kwlt/wallets/studio/accounts',
      { account: 'checking', currency: 'EUR', overdraft: 'refused' },
      201,
    )
    await tell('POST', '/kwlt/wallets/studio/accounts', { account: 'loan', currency: 'EUR', overdraft: 'allowed' }, 201)
    const entries = lines.map(([effective_on, description, amount], n) => ({
      command: cents(amount) < 0n ? 'wallet.debit' : 'wallet.credit',
      id: 'studio',
      key: `bank.csv:${n}`,
      body: { account: 'checking', currency: 'EUR', amount: amount.replace(/[-.]/g, ''), description, effective_on },
    }))
    const booked = await tell('POST', '/bulk', { commands: entries }, 200)
    expect(booked.body.data.results.map(({ status }: { status: number }) => status)).to.deep.equal(Array(50).fill(201))
    const loan = { account: 'loan', currency: 'EUR', amount: '250000', counterparty: 'external:bank' }
    await tell('POST', '/kwlt/wallets/studio/debits', loan, 201)

    const tasks = Array.from({ length: 20 }, (_, n) => ({
      command: 'task.create',
      key: `plan:${n}`,
      body: { id: `task-${n}`, name: `Task ${n}`, assignee: PEOPLE[n % 4], due_on: day(n - 10) },
    }))
    const made = await tell('POST', '/bulk', { commands: tasks }, 200)
    expect(made.body.data.results.map(({ status }: { status: number }) => status)).to.deep.equal(Array(20).fill(201))
    await tell('PUT', '/kctr/tasks/task-0/status', { status: 'doing', reason: 'the client answered' }, 200)
    await tell('POST', '/kctr/tasks/task-1/complete', {}, 200)
    await tell('PUT', '/kctr/tasks/task-2/assignee', { assignee: 'jonas' }, 200)
    await tell('PATCH', '/kctr/tasks/task-3', { name: 'Task three', due_on: day(30), reason: 'a slip' }, 200)
    await tell('DELETE', '/kctr/tasks/task-4', { reason: 'made twice' }, 204)
    for (const [name, status] of [
      ['site', 'active'],
      ['logo', 'active'],
      ['font', 'draft'],
    ]) {
      await tell('POST', '/kbfc/items', { id: name, name }, 201)
      if (status !== 'draft') await tell('PUT', `/kbfc/items/${name}/status`, { status }, 200)
    }
  })

  it('answers what a dashboard asks', async () => {
    const statement = '/kwlt/wallets/studio/accounts/checking/statement?currency=EUR&limit=1'
    const { balance: now } = await ask(`${statement}&effective_at=${TODAY}`)
    expect(now).to.equal(String(balanceOn(TODAY)))
    const { balance: then } = await ask(`${statement}&effective_at=${MONTH_END}`)
    expect(then).to.equal(String(balanceOn(MONTH_END)))

    const [worth] = await ask('/kwlt/accounts/summary?by=currency&sum=balance')
    expect(worth).to.deep.include({ group: { currency: 'EUR' }, sums: { balance: String(balanceOn(TODAY) - 250000n) } })

    const open = await counts('/kctr/tasks/summary?by=assignee&completed_at[absent]=true', 'assignee')
    expect(open).to.deep.equal({ mira: 4, jonas: 5, ada: 4, lin: 5 })
    expect(await counts('/kbfc/items/summary?by=status', 'status')).to.deep.equal({ active: 2, draft: 1 })

    const overdue = await ask(`/kctr/tasks?due_on[lt]=${TODAY}&completed_at[absent]=true&sort=due_on`)
    const late = ['task-0', 'task-2', 'task-5', 'task-6', 'task-7', 'task-8', 'task-9']
    expect(overdue.map(({ id }: { id: string }) => id)).to.deep.equal(late)
  })

  it(`takes no more than ${CALLS_MAX} calls`, () => expect(calls).to.be.lessThanOrEqual(CALLS_MAX))
})
