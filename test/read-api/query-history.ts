/** A random history of many kinds of things, with texts, days and amounts at the edges of what columns can hold. */
import { randomOf } from '../projections/history.ts'
import { History } from './support.ts'

/** Picks one of some values. */
export type Choose = <T>(values: readonly T[]) => T

export const pickOf =
  (random: (n: number) => number): Choose =>
  values =>
    values[random(values.length)]!

/** Texts that tell a wrong order, a wrong prefix or a lost escape. */
export const TEXTS = [
  'a',
  'ab',
  'abc',
  'ac',
  'B',
  'b,c',
  'back\\slash',
  '\\,',
  '50%',
  'under_score',
  'é',
  'e\u0301',
  '\ud7ff',
  '\ue000x',
  '😀',
  '\u{10ffff}',
  '\u{10ffff}z',
  "it's",
]
const DAYS = [
  ...['0001-01-01', '0001-01-02', '0001-01-07', '0001-01-08', '0001-02-28', '9999-12-31', '2024-02-29', '2026-01-04'],
  ...['2026-01-05', '2026-01-11', '2026-01-12', '2026-01-31', '2026-02-01', '2021-01-03', '2020-12-28'],
]
const TIMES = ['T00:00:00.000Z', 'T23:59:59.999Z', 'T12:30:00.001Z']
const STATUSES = ['open', 'doing', 'completed', 'b,c']
const TAGS = ['red', 'blue', 'b,c', '"quoted"', '\\']
export const ORGS = ['north', 'south']

/** About `count` events of both orgs. */
export function queryHistory(seed: number, count: number): History {
  const random = randomOf(seed)
  const pick = pickOf(random)
  const history = new History()
  const alive = new Map<string, Set<string>>()
  const maybe = <T>(value: T) => (random(3) === 0 ? undefined : value)
  const at = () => pick(DAYS) + pick(TIMES)
  while (history.events.length < count) {
    const org = pick(ORGS)
    const category = pick(['task', 'note', 'project', 'item', 'wallet', 'wallet'])
    const id = `${pick(TEXTS)}${random(3)}`.trim()
    const known = alive.get(`${org} ${category}`) ?? new Set()
    alive.set(`${org} ${category}`, known)
    const add = (type: string, data: object) => history.add(org, category, id, type, data, at())
    if (!known.has(id)) {
      known.add(id)
      for (const [type, data] of made(category, { random, pick, maybe })) add(type, data)
    } else if (category === 'task') {
      add(...pick(taskSteps(pick, maybe)))
    } else if (category === 'item') {
      add(
        ...pick<[string, object]>([
          ['ItemStatusChanged', { to: pick(STATUSES) }],
          ['ItemArchived', {}],
        ]),
      )
    } else if (category === 'wallet') {
      add('EntryPosted', entry(id, history, { random, pick }))
    } else {
      if (random(3) === 0) known.delete(id)
      add(...recordStep(category === 'note' ? 'Note' : 'Project', known.has(id), pick))
    }
  }
  return history
}

type Chance = {
  readonly random: (n: number) => number
  readonly pick: Choose
  readonly maybe: <T>(value: T) => T | undefined
}

function made(category: string, { random, pick, maybe }: Chance): readonly (readonly [string, object])[] {
  const owner = pick(TEXTS)
  const optional = { project: maybe(pick(TEXTS)), description: maybe('some words') }
  if (category === 'task') {
    const task = { name: pick(TEXTS), status: pick(STATUSES), assignee: maybe(pick(TEXTS)), team: maybe(pick(TEXTS)) }
    const more = { type: maybe('x'), priority: maybe(pick(['low', 'medium', 'high', 'critical'])) }
    return [['TaskCreated', { ...task, ...more, ...optional, dueOn: maybe(pick(DAYS)) }]]
  }
  if (category === 'note') {
    const tags = TAGS.filter(() => random(2) === 0)
    return [['NoteAdded', { title: pick(TEXTS), tags, project: optional.project, owner }]]
  }
  if (category === 'project') {
    const days = { starts_on: maybe(pick(DAYS)), ends_on: maybe(pick(DAYS)) }
    return [['ProjectAdded', { name: pick(TEXTS), status: pick(STATUSES), ...days, owner }]]
  }
  if (category === 'item') {
    return [['ItemAdded', { type: pick(TEXTS), name: pick(TEXTS), status: pick(STATUSES), metadata: {}, owner }]]
  }
  const opened = ['WalletOpened', { owner, kind: pick(['personal', 'portfolio', 'office', 'business']) }] as const
  const accounts = ['main', 'b,c'].flatMap(account =>
    ['EUR', 'JPY'].map(currency => ['AccountOpened', { account, currency, places: 2, overdraft: 'allowed' }] as const),
  )
  return [opened, ...accounts]
}

const taskSteps = (pick: Choose, maybe: Chance['maybe']): readonly [string, object][] => [
  ['TaskStatusChanged', { to: pick(STATUSES) }],
  ['TaskAssigned', { to: maybe(pick(TEXTS)) }],
  ['TaskMovedToTeam', { to: maybe(pick(TEXTS)) }],
  ['TaskCompleted', {}],
  ['TaskChanged', { name: pick(TEXTS), dueOn: pick([...DAYS, null]), project: maybe(pick(TEXTS)), type: null }],
]

function recordStep(noun: string, stays: boolean, pick: Choose): readonly [string, object] {
  if (!stays) return [`${noun}Removed`, {}]
  if (noun === 'Note') return ['NoteChanged', { title: pick(TEXTS), tags: [pick(TAGS)] }]
  return ['ProjectChanged', { status: pick(STATUSES), ends_on: pick([...DAYS, null]) }]
}

/** Amounts near the largest ones: some of them together have more than 38 digits. */
function entry(id: string, history: History, { random, pick }: Omit<Chance, 'maybe'>) {
  const amount = (random(2) === 0 ? 4n * 10n ** 37n : BigInt(random(1_000))) * (random(3) === 0 ? -1n : 1n)
  const [currency, account] = [pick(['EUR', 'JPY']), pick(['main', 'b,c'])]
  return {
    entry: `entry-${history.events.length}-${id}`,
    kind: pick(['credit', 'debit', 'journal']),
    postings: [
      { account, currency, amount },
      { account: 'external:x', currency, amount: -amount },
    ],
    effectiveOn: pick(DAYS),
  }
}
