/** A made-up log in the shape of real ones: a bank's accounts, the incidents of a service desk, a list that changes. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { ExportEnd } from '../../infra/embedded/event-store/care/export-end.ts'

// Streams and events of one round, in the proportions of the data sets that the system is accepted with.
const WALLETS = 800
const ENTRIES = 31_498
const TASKS = 5_036
const CHANGES = { TaskStatusChanged: 33_064, TaskAssigned: 13_913, TaskMovedToTeam: 6_391 } as const
const ITEMS = 730
const ITEM_EVENTS = 2_289
const ROUND = 2 * WALLETS + ENTRIES + TASKS + 33_064 + 13_913 + 6_391 + ITEM_EVENTS
/** More than what an event takes in the store beside its texts. */
const POSITION_STEP = 2_000

/** An event of a made-up log. */
export type Line = {
  readonly stream: string
  readonly type: string
  readonly data: object
  readonly id: string
  readonly org: string
  /** When it was: ten milliseconds after the one before, where nothing is said. */
  readonly at?: string
}

/** Numbers from 0 to below `n`, always the same ones. */
export function randomOf(seed: number) {
  let state = seed >>> 0
  return (n: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

/** A UUID that follows from a name. */
export function uuidOf(name: string): string {
  const hex = createHash('md5').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** Writes `count` events as the embedded store imports them. Rounds follow one another, each in orgs of its own. */
export const writeLog = (file: string, count: number): Promise<number> => writeLines(file, rounds(), count)

function* rounds(): Generator<Line> {
  for (let round = 0; ; round += 1) yield* roundOf(round)
}

/** Writes events, at most so many, as the embedded store imports them, and returns how many it wrote. */
export async function writeLines(
  file: string,
  lines: Iterable<Line>,
  most = Number.POSITIVE_INFINITY,
): Promise<number> {
  const out = createWriteStream(file)
  const end = new ExportEnd()
  const revisions = new Map<string, number>()
  let [written, position] = [0, 0]
  for (const line of lines) {
    if (written === most) break
    written += 1
    position += POSITION_STEP
    const text = stored(line, written, position, revisions)
    position += text.length
    end.add(text)
    if (!out.write(`${text}\n`)) await once(out, 'drain')
  }
  out.end(`${end.line()}\n`)
  await once(out, 'close')
  return written
}

function stored(line: Line, n: number, position: number, revisions: Map<string, number>): string {
  const { stream, type, data, id, org, at } = line
  const revision = revisions.get(stream) ?? 0
  revisions.set(stream, revision + 1)
  const eventId = uuidOf(`${stream}@${revision}`)
  const metadata = {
    $correlationId: eventId,
    $causationId: eventId,
    commandId: eventId,
    fingerprint: createHash('sha256').update(eventId).digest('hex'),
    org,
    id,
    actor: { subject: 'bench', roles: ['organization-admin'] },
    subjects: [],
    at: at ?? new Date(1_760_000_000_000 + n * 10).toISOString(),
    schema: 1,
  }
  return JSON.stringify({
    position,
    stream,
    revision,
    id: eventId,
    type,
    contentType: 'application/json',
    created: '17600000000000000',
    data: canonicalJson(data),
    metadata: canonicalJson(metadata),
  })
}

function* roundOf(round: number): Generator<Line> {
  const random = randomOf(round + 1)
  const opened = { wallets: 0, tasks: 0, items: 0 }
  for (let left = ROUND; left > 0; left -= 1) {
    const at = random(ROUND)
    if (at < ENTRIES + 2 * WALLETS) yield* walletStep(round, random, opened)
    else if (at < ROUND - ITEM_EVENTS) yield* taskStep(round, random, opened)
    else yield* itemStep(round, random, opened)
  }
}

type Opened = { wallets: number; tasks: number; items: number }
type Random = (n: number) => number

function* walletStep(round: number, random: Random, opened: Opened): Generator<Line> {
  const fresh = opened.wallets < WALLETS && random(ENTRIES / WALLETS) === 0
  const id = `account-${fresh ? opened.wallets++ : random(Math.max(1, opened.wallets))}`
  const org = `bank-${round}`
  const line = { stream: `wallet-${uuidOf(`${org}/${id}`)}`, id, org }
  if (fresh || opened.wallets === 0) {
    opened.wallets ||= 1
    yield { ...line, type: 'WalletOpened', data: { owner: 'bench', kind: 'personal' } }
    const account = { account: 'main', currency: 'CZK', places: 2, overdraft: 'allowed' }
    yield { ...line, type: 'AccountOpened', data: account }
    return
  }
  const amount = String(100 + random(5_000_000))
  const external = `external:prevod:${random(12)}`
  const postings = [
    { account: 'main', currency: 'CZK', amount },
    { account: external, currency: 'CZK', amount: `-${amount}` },
  ]
  const entry = uuidOf(`${org} ${random(2 ** 32)} ${random(2 ** 32)}`)
  yield { ...line, type: 'EntryPosted', data: { entry, kind: 'credit', postings, effectiveOn: '1996-02-29' } }
}

function* taskStep(round: number, random: Random, opened: Opened): Generator<Line> {
  const total = TASKS + Object.values(CHANGES).reduce((sum, n) => sum + n, 0)
  const fresh = opened.tasks < TASKS && random(Math.floor(total / TASKS)) === 0
  // Work goes on in the latest ones.
  const recent = Math.max(0, opened.tasks - 1 - random(Math.min(opened.tasks || 1, 400)))
  const id = `incident-${fresh ? opened.tasks++ : recent}`
  const org = `desk-${round}`
  const line = { stream: `task-${uuidOf(`${org}/${id}`)}`, id, org }
  if (fresh || opened.tasks === 0) {
    opened.tasks ||= 1
    yield {
      ...line,
      type: 'TaskCreated',
      data: { name: `Incident ${id} in product ${random(700)}`, status: 'Accepted' },
    }
    return
  }
  const kind = random(total - TASKS)
  const [from, to] = [`value-${random(9)}`, `value-${random(400)}`]
  if (kind < CHANGES.TaskStatusChanged) yield { ...line, type: 'TaskStatusChanged', data: { from, to } }
  else if (kind < CHANGES.TaskStatusChanged + CHANGES.TaskAssigned)
    yield { ...line, type: 'TaskAssigned', data: { from, to } }
  else yield { ...line, type: 'TaskMovedToTeam', data: { from, to } }
}

function* itemStep(round: number, random: Random, opened: Opened): Generator<Line> {
  const fresh = opened.items < ITEMS && random(3) === 0
  const id = `company-${fresh ? opened.items++ : random(Math.max(1, opened.items))}`
  const org = `index-${round}`
  const line = { stream: `item-${uuidOf(`${org}/${id}`)}`, id, org }
  const metadata = {
    sector: `Sector ${random(11)}`,
    headquarters: `City ${random(250)}`,
    founded: String(1850 + random(150)),
  }
  if (fresh || opened.items === 0) {
    opened.items ||= 1
    const data = { type: 'asset', status: 'listed', name: `Company ${id}`, metadata, owner: 'bench' }
    yield { ...line, type: 'ItemAdded', data }
  } else yield { ...line, type: 'ItemUpdated', data: { metadata } }
}
