/** How soon every list and every view of the briefcase and the center answers, in an org of 100,000 tasks. */
import { randomUUID } from 'node:crypto'
import { resources } from '../../infra/catalogue.ts'
import { filtersOf } from '../../read-api/filters.ts'
import type { Resource } from '../../read-api/resource.ts'
import { cpuSeconds } from './cpu.ts'
import { alone, type Figure, median, type Timing } from './figure.ts'
import { startPortfolio, TASKS } from './portfolio.ts'
import { taskId } from './portfolio-log.ts'

/** Times that the first page of a list is asked for, its other questions and a view, after some that do not count. */
const FIRST_ROUNDS = 20
const ROUNDS = 3
const VIEW_ROUNDS = 10
const WARM_UP = 2
const ROUNDS_MIN = 3
/** Once the rounds of a question took so long they end early. */
const LONG_MS = 1_000
/** Once the questions of one list took so long each is asked once. */
const LIST_MS = 1_500
const CHANGES = 10
/** What is promised, in milliseconds: 95 of 100 pages of lists, and a plan after a change. */
const LIST_TARGET = 20
const CHANGE_TARGET = 200

type Row = Readonly<Record<string, unknown>>
type Page = { readonly data: readonly Row[]; readonly pagination?: { readonly next?: string } }
type Ask = (path: string) => Promise<Page>
/** How a caller asks, what that is called, and how many CPU seconds answers have taken so far. */
type Caller = { readonly ask: Ask; readonly whose: string; readonly cpu: () => number }

/** Median, 95th percentile and CPU over HTTP, for an administrator and for a member who may not read private items. */
export async function centerBench(): Promise<Figure[]> {
  const portfolio = await startPortfolio()
  try {
    const { events, projectedSeconds, pids } = portfolio
    const cpu = () => cpuSeconds(pids)
    const admin = await portfolio.tokenOf('person-0', 'organization-admin')
    const member = await portfolio.tokenOf('person-7', 'team-member')
    const all = { ask: asking(portfolio.reads, admin), whose: '', cpu }
    const own = { ask: asking(portfolio.reads, member), whose: ' by a member', cpu }
    return [
      alone(`projection of ${TASKS} tasks, ${events} events`, projectedSeconds, 's'),
      ...(await listFigures(all, resourcesHere)),
      ...(await viewFigures(all, [...VIEWS, ...VIEWS_OF_PRIVATE])),
      ...(await listFigures(own, resourcesHere.filter(isGuarded))),
      ...(await viewFigures(own, VIEWS_OF_PRIVATE)),
      ...(await changeFigures(portfolio, admin, cpu)),
      await tableFigure(all.ask),
    ]
  } finally {
    await portfolio.close()
  }
}

const resourcesHere = resources.filter(({ tag }) => tag === 'kbfc' || tag === 'kctr')
const isGuarded = ({ projection }: Resource) => projection.readers !== undefined

const asking =
  (url: string, token: string): Ask =>
  async path => {
    const answer = await fetch(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}: ${text}`)
    return answer.headers.get('content-type')!.startsWith('application/json') ? JSON.parse(text) : { data: [] }
  }

/** Milliseconds of each round: fewer rounds where they take long. */
async function timesOf(rounds: number, work: () => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = []
  const end = performance.now() + LONG_MS
  for (let n = 0; n < rounds; n += 1) {
    const begun = performance.now()
    await work()
    times.push(performance.now() - begun)
    if (times.length >= ROUNDS_MIN && performance.now() > end) break
  }
  return times
}

async function repeat(times: number, work: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < times; n += 1) await work()
}

const p95 = (times: readonly number[]) => times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1]!

/** The figure of answers that took so long, and so many CPU seconds together. */
function timed(name: string, times: readonly number[], seconds: number, more: Partial<Timing> = {}): Figure {
  process.stderr.write(`  ${process.uptime().toFixed()} s: ${name}\n`)
  const timing = {
    asked: times.length,
    p50: median(times),
    cpu: (seconds * 1_000) / times.length,
    target: null,
    ...more,
  }
  return { ...alone(name, p95(times), 'ms'), timing }
}

/** Of each list: the times over all its questions, the slowest question, and a page deep in it against the first. */
async function listFigures({ ask, whose, cpu }: Caller, lists: readonly Resource[]): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const resource of lists) {
    const path = pathOf(resource)
    const questions = await questionsOf(ask, resource, path)
    await repeat(WARM_UP, () => ask(path))
    const end = performance.now() + LIST_MS
    const before = cpu()
    const first = await timesOf(FIRST_ROUNDS, () => ask(path))
    const asked = [{ question: '', times: first }]
    for (const question of questions) {
      const rounds = performance.now() < end ? ROUNDS : 1
      asked.push({ question, times: await timesOf(rounds, () => ask(`${path}?${question}`)) })
    }
    const times = asked.flatMap(each => each.times)
    const slowest = asked.toSorted((a, b) => median(b.times) - median(a.times))[0]!
    const deep = asked.find(({ question }) => question.startsWith('after='))
    const more = {
      target: LIST_TARGET,
      slowest: `${shown(slowest.question)}: ${median(slowest.times).toFixed(1)}`,
      ...(deep && { deep: median(deep.times) / median(first) }),
    }
    figures.push(timed(`GET ${path}${whose}`, times, cpu() - before, more))
  }
  return figures
}

/** Cursors are long. */
const shown = (question: string) => question.replace(/after=[^&]+/, 'after=…')

/** The path of a list, in a thing that has much of it. */
function pathOf({ path }: Resource): string {
  const names = { items: 'item-0', tasks: taskId(500), backlogs: 'backlog-1' }
  return path.replace(/\/(items|tasks|backlogs)\/:\w+/, (_, of: keyof typeof names) => `/${of}/${names[of]}`)
}

/** Every filter by a value that rows have, every order, each of them in the middle too, and a summary by each group. */
async function questionsOf(ask: Ask, resource: Resource, path: string): Promise<readonly string[]> {
  const { projection, filters, walked, order } = resource
  const [counted] = (await ask(`${path}/summary`)).data as readonly { count: number }[]
  const half = Math.floor((counted?.count ?? 0) / 2)
  const middle = await middleOf(ask, path, half, '')
  const sample = [...(await ask(`${path}?limit=50`)).data, ...(middle.rows ?? [])]
  const questions = middle.after === undefined ? [] : [`after=${middle.after}`]
  for (const { parameter } of filtersOf(projection, [...filters, ...walked])) {
    const [, column, form] = /^([^[]+)(?:\[(\w+)\])?$/.exec(parameter.name)!
    const value = sample.map(row => row[column!]).find(each => each !== undefined && each !== null)
    const text = form === 'absent' ? 'true' : valueIn(value, form)
    if (text === undefined) continue
    questions.push(`${parameter.name}=${encodeURIComponent(text)}`)
  }
  const isSorted = (column: string) => !Array.isArray(sample.find(row => row[column] !== undefined)?.[column])
  for (const column of [...new Set([order[0]!, ...filters])].filter(isSorted)) {
    for (const sort of [column, `-${column}`]) {
      questions.push(`sort=${sort}`)
      const deep = await middleOf(ask, path, half, `sort=${sort}`)
      if (deep.after !== undefined) questions.push(`sort=${sort}&after=${deep.after}`)
    }
  }
  return questions
}

/** A value as a filter has it: lists are asked for one of their elements, a beginning has three letters. */
function valueIn(value: unknown, form: string | undefined): string | undefined {
  const one = Array.isArray(value) ? value[0] : value
  if (one === undefined || one === null || typeof one === 'object') return undefined
  return form === 'prefix' ? String(one).slice(0, 3) : String(one).replaceAll(',', '\\,')
}

type Middle = { readonly after?: string; readonly rows?: readonly Row[] }

/** Rows in the middle of a list, and the cursor behind which others stand; nothing for a list of a few rows. */
async function middleOf(ask: Ask, path: string, offset: number, question: string): Promise<Middle> {
  if (offset < 100) return {}
  const { data, pagination } = await ask(`${path}?${question}&limit=20&offset=${offset}`)
  return { rows: data, ...(pagination?.next !== undefined && { after: pagination.next }) }
}

/** Questions that are no list, as the pages of an app ask them. */
const VIEWS = [
  '/kctr/tasks/summary?by=status,assignee&limit=1000',
  '/kctr/tasks/summary?by=stage',
  '/kctr/tasks/summary?by=due_on:month&sum=estimated_hours',
  '/kctr/tasks?total=true',
  '/kctr/tasks?offset=50000',
  '/kctr/tasks?due_on[lt]=TODAY&stage=todo,doing&sort=due_on',
  '/kctr/tasks?due_on[lt]=TODAY&stage=todo,doing',
  '/kctr/tasks?stage=cancelled',
  '/kctr/tasks?project=project-1&stage=todo',
  '/kctr/projects/project-0/plan',
  '/kctr/projects/project-0/plan?left=true&level=true',
  '/kctr/projects/project-1/analytics',
  '/kctr/projects/project-1/velocity',
  '/kctr/sprints/sprint-1-3/burndown',
  '/kctr/operations',
  '/kctr/operations?assignee=person-7',
  '/kctr/tactics',
  '/kctr/workload',
  '/kctr/workload?project=project-1',
  '/kctr/cycle-times',
  '/kctr/forecast',
  '/kctr/forecast?team=team-3',
  '/kctr/flow',
  '/kctr/flow?project=project-1',
  '/kctr/risk-matrix',
  '/kctr/calendar?assignee=person-7',
  '/kctr/calendar?project=project-1',
  '/kctr/task-table?project=project-1',
  '/kctr/task-table',
  '/kctr/versions/task/task-000500',
  '/khub/activity',
]
/** Those whose answers depend on who may read private items. */
const VIEWS_OF_PRIVATE = [
  '/kbfc/items/summary?by=type,status',
  '/kbfc/catalog',
  '/kbfc/catalog?q=bakery+website',
  '/kbfc/catalog?type=asset&below=item-1',
  '/kbfc/dashboard',
  '/kbfc/value',
  '/kbfc/value?on=2026-03-01&type=asset',
  '/kbfc/items/item-0/book',
  '/kse/memories/search?q=oven+recipe',
]
/** What is promised of some of them, in milliseconds. */
const TARGETS: Readonly<Record<string, number>> = {
  '/kctr/tasks/summary?by=status,assignee&limit=1000': 50,
  '/kctr/projects/project-0/plan': 50,
}

async function viewFigures({ ask, whose, cpu }: Caller, views: readonly string[]): Promise<Figure[]> {
  const today = new Date().toISOString().slice(0, 10)
  const figures: Figure[] = []
  for (const view of views) {
    const path = view.replace('TODAY', today)
    await ask(path)
    const before = cpu()
    const times = await timesOf(VIEW_ROUNDS, () => ask(path))
    figures.push(timed(`GET ${view}${whose}`, times, cpu() - before, { target: TARGETS[view] ?? null }))
  }
  return figures
}

/** Rows of the CSV of all tasks in a second. */
async function tableFigure(ask: Ask): Promise<Figure> {
  const times = await timesOf(ROUNDS_MIN, () => ask('/kctr/task-table'))
  return alone(`CSV of ${TASKS} tasks`, TASKS / (median(times) / 1_000), 'rows/s')
}

type Apis = { readonly reads: string; readonly commands: string }

/** From a change of one task of a network of 2,000 to the new plan, change and projection included. */
async function changeFigures({ reads, commands }: Apis, token: string, cpu: Caller['cpu']): Promise<Figure[]> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const send = async (method: string, path: string, body: object) => {
    const sent = { method, headers: { ...headers, 'idempotency-key': randomUUID() }, body: JSON.stringify(body) }
    const answer = await fetch(`${commands}/api/v1${path}`, sent)
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`)
    await answer.text()
    return answer.headers.get('kogi-position')!
  }
  const ask = asking(reads, token)
  const planned = async (position: string) => ask(`/kctr/projects/project-0/plan?at_least=${position}&wait=30000`)
  let n = 0
  const estimate = async () =>
    planned(await send('PATCH', `/kctr/tasks/${taskId(50 * n)}`, { estimated_hours: 40 + ++n }))
  const link = async () => {
    n += 1
    const [task, dependency] = [taskId(50 * (n + 60)), taskId(50 * n)]
    return planned(await send('POST', `/kctr/tasks/${task}/dependencies`, { dependency }))
  }
  const measured = async (what: string, work: () => Promise<unknown>) => {
    await work()
    const before = cpu()
    const times = await timesOf(CHANGES, work)
    return timed(`plan of ${TASKS / 50} tasks after ${what}`, times, cpu() - before, { target: CHANGE_TARGET })
  }
  return [await measured('a new estimate', estimate), await measured('a new dependency', link)]
}
