/** A made-up year of one org: tasks and all else of the center, and a portfolio with all that a briefcase holds. */
import { streamOf } from '../../commands/ids.ts'
import { type Line, randomOf, uuidOf } from './log.ts'

export const ORG = 'bench'
/** Days that the tasks came and went on. */
const DAYS = 360
/** Projects that tasks are of, and those that have none. */
const BUSY_PROJECTS = 50
const PROJECTS = 2_000
const PEOPLE = 500
const TEAMS = 20
const SPRINT_DAYS = 15
const DAY_MS = 86_400_000

type Event = { readonly category: string; readonly id: string; readonly type: string; readonly data: object }
type Random = (n: number) => number

/** The events of so many tasks with their projects, and of a tenth as many items, in the order of their days. */
export function* portfolioLog(tasks: number, today = new Date()): Generator<Line> {
  const first = Date.parse(today.toISOString().slice(0, 10)) - DAYS * DAY_MS
  const days: Event[][] = Array.from({ length: DAYS }, () => [])
  for (const event of [...frame(), ...portfolio(Math.ceil(tasks / 10))]) days[0]!.push(event)
  for (const [day, event] of work(tasks, n => dayOf(first, n))) days[Math.min(day, DAYS - 1)]!.push(event)
  for (const [day, events] of days.entries()) {
    for (const [n, { category, id, type, data }] of events.entries()) {
      const at = new Date(first + day * DAY_MS + Math.floor((n / events.length) * DAY_MS)).toISOString()
      yield { stream: streamOf(ORG, category, id), id, org: ORG, type, data, at }
    }
  }
}

export const taskId = (n: number) => `task-${String(n).padStart(6, '0')}`
const person = (n: number) => `person-${n % PEOPLE}`
const dayOf = (first: number, day: number) => new Date(first + day * DAY_MS).toISOString().slice(0, 10)
const WORDS = 'menu website invoice poster oven order bread till delivery ledger photo shelf recipe garden price'.split(
  ' ',
)
const title = (random: Random) => Array.from({ length: 3 }, () => WORDS[random(WORDS.length)]).join(' ')

/** Tasks with what happens to them, each with its day. */
function* work(tasks: number, dayAt: (n: number) => string): Generator<readonly [number, Event]> {
  const random = randomOf(3)
  for (let n = 0; n < tasks; n += 1) {
    const day = Math.floor((n * DAYS) / tasks)
    const of = (type: string, data: object): Event => ({ category: 'task', id: taskId(n), type, data })
    yield [day, of('TaskCreated', created(n, random, dayAt(day + random(60))))]
    for (const dependency of dependenciesOf(n, random)) {
      const data = { task: taskId(n), dependency: taskId(dependency), type: 'finish_start', lag: 0 }
      yield [day, { category: 'taskgraph', id: 'tasks', type: 'DependencyAdded', data }]
    }
    if (random(10) < 3) {
      const sprint = `sprint-${n % BUSY_PROJECTS}-${Math.floor(day / SPRINT_DAYS)}`
      yield [day, of('TaskMovedToSprint', { from: null, to: sprint })]
    }
    if (random(5) === 0 && day < DAYS / 2) {
      const data = { task: taskId(n), itemType: 'story', rank: `a${String(n).padStart(7, '0')}` }
      yield [day, { category: 'backlog', id: `backlog-${n % BUSY_PROJECTS}`, type: 'BacklogItemAdded', data }]
    }
    yield* course(n, day, random, of, dayAt)
    if (random(10) === 0) {
      const comment = uuidOf(`comment ${n}`)
      yield [day + 1, of('TaskCommented', { comment, author: person(n), text: `What about the ${title(random)}?` })]
    }
  }
  for (let k = 0; k * SPRINT_DAYS < DAYS; k += 1) {
    for (let project = 0; project < BUSY_PROJECTS; project += 1) yield* sprint(project, k, dayAt)
  }
}

const created = (n: number, random: Random, dueOn: string) => ({
  name: `${title(random)} ${n}`,
  description: `${title(random)}, ${title(random)}`.repeat(1 + random(4)),
  type: ['story', 'bug', 'chore'][random(3)],
  priority: ['low', 'medium', 'high', 'critical'][random(4)],
  project: `project-${n % BUSY_PROJECTS}`,
  assignee: person(random(PEOPLE)),
  team: `team-${n % TEAMS}`,
  labels: [WORDS[random(WORDS.length)]!],
  status: 'open',
  ...(random(10) > 0 && { estimatedHours: 1 + random(30) / 2 }),
  ...(random(5) > 0 && { dueOn }),
})

/** Earlier tasks of the same project: the first project is one large network. */
function dependenciesOf(n: number, random: Random): readonly number[] {
  const place = Math.floor(n / BUSY_PROJECTS)
  const isLarge = n % BUSY_PROJECTS === 0
  if (place === 0 || (!isLarge && random(2) === 0)) return []
  const wanted = Array.from({ length: isLarge ? 2 : 1 }, () => Math.max(0, place - 1 - random(40)))
  return [...new Set(wanted)].map(at => at * BUSY_PROJECTS + (n % BUSY_PROJECTS))
}

type Of = (type: string, data: object) => Event

/** The statuses of a task: nine in ten are begun, most of them done, some of them are cancelled. */
function* course(n: number, day: number, random: Random, of: Of, dayAt: (n: number) => string) {
  const begun = day + 1 + random(15)
  const ended = begun + 1 + random(25)
  if (random(10) === 0 || begun >= DAYS) return
  yield [begun, of('TaskStatusChanged', { from: 'open', to: 'in progress' })] as const
  if (random(5) === 0) {
    const data = {
      entry: uuidOf(`entry ${n}`),
      user: person(n),
      minutes: 15 * (1 + random(30)),
      workedOn: dayAt(begun),
    }
    yield [begun, of('TimeLogged', data)] as const
  }
  if (random(20) === 0 || ended >= DAYS) return
  const to = random(25) === 0 ? 'cancelled' : 'done'
  yield [ended, of('TaskStatusChanged', { from: 'in progress', to })] as const
}

function* sprint(project: number, k: number, dayAt: (n: number) => string): Generator<readonly [number, Event]> {
  const of = (type: string, data: object) => ({ category: 'sprint', id: `sprint-${project}-${k}`, type, data })
  const [from, to] = [k * SPRINT_DAYS, (k + 1) * SPRINT_DAYS]
  const dates = { start_date: dayAt(from), end_date: dayAt(to - 1) }
  yield [0, of('SprintPlanned', { project: `project-${project}`, name: `Sprint ${k}`, ...dates })]
  yield [from + 1, of('SprintStarted', {})]
  if (to < DAYS) yield [to, of('SprintCompleted', {})]
}

/** So many plain things: their category, the beginning of their ids, and what each says. */
function* many(count: number, category: string, type: string, dataOf: (n: number) => object): Generator<Event> {
  for (let n = 0; n < count; n += 1) yield { category, id: `${category}-${n}`, type, data: dataOf(n) }
}

/** What stands around tasks: centers, projects, risks, metrics, plans, pages. */
function* frame(): Generator<Event> {
  const random = randomOf(5)
  const owner = { owner: 'person-0' }
  const name = () => title(random)
  yield* many(20, 'center', 'CenterAdded', n => ({ ...owner, name: `Center ${n}`, type: 'team' }))
  yield* many(20, 'projecttemplate', 'ProjectTemplateAdded', () => ({ ...owner, name: name() }))
  yield* many(PROJECTS, 'project', 'ProjectAdded', n => ({
    ...owner,
    name: name(),
    status: ['planned', 'active', 'done'][n % 3],
    starts_on: '2026-01-05',
    center: `center-${n % 20}`,
  }))
  yield* many(BUSY_PROJECTS, 'backlog', 'BacklogOpened', n => ({ project: `project-${n}`, name: name() }))
  const project = (n: number) => `project-${n % BUSY_PROJECTS}`
  yield* many(5_000, 'risk', 'RiskAdded', n => ({
    ...owner,
    title: name(),
    project: project(n),
    probability: random(100) / 100,
    impact: random(100) / 10,
    status: ['open', 'closed'][random(2)],
  }))
  yield* many(5_000, 'projectresource', 'ProjectResourceAdded', n => ({
    ...owner,
    project: project(n),
    resource_type: 'person',
    resource_id: person(n),
  }))
  yield* many(500, 'metric', 'MetricAdded', n => ({ ...owner, name: name(), project: project(n), direction: 'up' }))
  yield* many(25_000, 'measurement', 'MeasurementAdded', n => ({
    ...owner,
    metric: `metric-${n % 500}`,
    value: random(1_000),
    measured_at: new Date(1_770_000_000_000 + n * 60_000).toISOString(),
  }))
  const span = { timeframe_start: '2026-01-01', timeframe_end: '2026-12-31' }
  yield* many(100, 'strategicplan', 'StrategicPlanAdded', n => ({
    ...owner,
    ...span,
    name: name(),
    center: `center-${n % 20}`,
  }))
  yield* many(1_000, 'objective', 'ObjectiveAdded', n => ({
    ...owner,
    plan: `strategicplan-${n % 100}`,
    title: name(),
  }))
  yield* many(4_000, 'keyresult', 'KeyResultAdded', n => ({
    ...owner,
    objective: `objective-${n % 1_000}`,
    title: name(),
    start: 0,
    target: 1_000,
    metric: `metric-${n % 500}`,
    projects: [project(n)],
  }))
  yield* many(10_000, 'page', 'PageAdded', n => ({
    ...owner,
    title: name(),
    body: name().repeat(20),
    project: project(n),
    links: [`page-${random(n + 1)}`],
    tags: [WORDS[random(WORDS.length)]!],
  }))
}

/** Items, one in ten of them private, with values, shares, places, books, files and workspaces. */
function* portfolio(items: number): Generator<Event> {
  const random = randomOf(7)
  const owner = { owner: 'person-0' }
  const item = (n: number) => `item-${n % items}`
  yield* many(20, 'briefcase', 'BriefcaseAdded', n => ({ ...owner, name: `Briefcase ${n}` }))
  const begins = { type: 'project', status: 'draft', metadata: {}, tags: [] }
  yield* many(50, 'itemtemplate', 'ItemTemplateAdded', () => ({ ...owner, ...begins, title: title(random) }))
  yield* many(items, 'item', 'ItemAdded', n => ({
    owner: person(random(PEOPLE)),
    type: ['project', 'app', 'asset', 'solution', 'investment', 'sub-portfolio'][random(6)],
    status: ['draft', 'active', 'completed'][random(3)],
    name: `${title(random)} ${n}`,
    metadata: { client: title(random) },
    tags: [WORDS[random(WORDS.length)]!],
    briefcase: `briefcase-${n % 20}`,
    ...(n % 10 === 9 && { privacy: 'private' }),
  }))
  for (let n = 0; n < items; n += 1) {
    const of = (type: string, data: object): Event => ({ category: 'item', id: item(n), type, data })
    yield of('ItemValued', { amount: String(1_000 + random(1_000_000)), currency: 'EUR', on: '2026-01-01' })
    if (n % 5 === 4) yield of('ItemShared', { kind: 'user', with: person(random(PEOPLE)), role: 'editor' })
    if (n % 20 === 19) yield of('ItemArchived', {})
    const place = { item: item(n), from: null, parent: item(random(Math.max(1, n))) }
    if (n % 2 === 1 && n < 20_000) yield { category: 'tree', id: 'portfolio', type: 'ItemPlaced', data: place }
  }
  // One item has much of everything, for the lists of one item.
  for (let n = 0; n < 150; n += 1) {
    const share = { kind: 'user', with: `guest-${n}`, role: 'reader' }
    yield { category: 'item', id: 'item-0', type: 'ItemShared', data: share }
    const on = new Date(1_750_000_000_000 + n * DAY_MS).toISOString().slice(0, 10)
    yield { category: 'item', id: 'item-0', type: 'ItemValued', data: { amount: String(n), currency: 'EUR', on } }
  }
  yield* contents(items, random)
}

/** What items hold: books, files, workspaces and binders; and the libraries of briefcases. */
function* contents(items: number, random: Random): Generator<Event> {
  const owner = { owner: 'person-0' }
  const item = (n: number) => `item-${n % items}`
  for (let n = 0; n < items; n += 4) {
    const sections = Array.from({ length: n === 0 ? 200 : 2 }, (_, at) => ({
      part: `section-${at}`,
      kind: 'section',
      rank: `a${String(at).padStart(4, '0')}`,
      title: title(random),
      content: title(random).repeat(10),
    }))
    const parts = [{ part: 'charter', kind: 'charter', content: title(random).repeat(20) }, ...sections]
    yield { category: 'book', id: item(n), type: 'BookEdited', data: { version: 1, parts, moved: [], removed: [] } }
  }
  yield* many(items, 'file', 'FileAdded', n => ({
    ...owner,
    item: n % 4 === 0 ? 'item-0' : item(n),
    name: `${title(random)}.pdf`,
    type: 'application/pdf',
    size: String(1_000 + random(1_000_000)),
    sha256: uuidOf(`file ${n}`).replaceAll('-', '').repeat(2),
  }))
  const workspace = (n: number) => `workspace-${n % Math.ceil(items / 4)}`
  yield* many(Math.ceil(items / 4), 'workspace', 'WorkspaceAdded', n => ({
    ...owner,
    name: title(random),
    item: item(n * 3),
    configuration: {},
    plugins: [],
  }))
  yield* many(Math.ceil(items / 4), 'binder', 'BinderAdded', n => ({
    ...owner,
    name: title(random),
    workspace: workspace(n),
    content: [],
  }))
  yield* many(200, 'library', 'LibraryAdded', n => ({
    ...owner,
    name: title(random),
    library_type: 'fonts',
    briefcase: `briefcase-${n % 20}`,
  }))
  yield* many(5_000, 'libraryasset', 'LibraryAssetAdded', n => ({
    ...owner,
    name: title(random),
    library: `library-${n % 200}`,
    asset_type: 'font',
    asset_path: `fonts/${n}.woff2`,
    metadata: {},
  }))
}
