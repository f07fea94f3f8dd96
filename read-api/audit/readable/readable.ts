/**
 * The part of an export for people who do not program: a page, a CSV of its events, one of each read model that the
 * selection concerns as it stood at the end of the period, and a cover on paper. All of it follows from events and rows
 * of one moment; the manifest has the hashes.
 */
import { mkdir, open, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { AnyAggregate } from '../../../domain/kernel/aggregate.ts'
import { categoryOf } from '../../../domain/kernel/codec.ts'
import { KogiError } from '../../../domain/kernel/errors.ts'
import { csvField } from '../../../domain/record/csv.ts'
import { written } from '../../../domain/wallet/statement/exact.ts'
import type { AnyProjection } from '../../../projections/rows/projection.ts'
import { columnsOf } from '../../../projections/rows/tables.ts'
import { balances } from '../../../projections/wallet/balances.ts'
import { postings } from '../../../projections/wallet/postings.ts'
import type { Resource } from '../../resource.ts'
import type { Unseal } from '../../rows.ts'
import { EVENTS, type Manifest } from '../bundle.ts'
import { folderSource } from '../folder-source.ts'
import { type Selection, selectionSaid } from '../selection.ts'
import { linesOf } from '../verify.ts'
import { coverOf } from './cover.ts'
import { cellsOf, csvLine, EVENT_HEADINGS, type Line, type Teller, told } from './events.ts'
import { escaped, listOf, pageOf, tableOf } from './page.ts'
import { accountsOver, isTold, lagging, rowsAt, type Things } from './rows.ts'
import { sealWords } from './words.ts'

/** Events in the page, the latest: a browser can show them at once. All are in the CSV. */
const SHOWN_MAX = 1_000
/** Accounts in the page. */
const ACCOUNTS_MAX = 1_000
const BATCH = 500
/** Things whose rows a narrow selection shows. */
const THINGS_MAX = 20_000
const SETTLE_MS = 30_000
const POLL_MS = 200

export type ReadableDeps = {
  readonly pool: Pick<Pool, 'connect' | 'query'>
  readonly unseal: Unseal
  readonly resources: readonly Resource[]
  readonly aggregates: readonly AnyAggregate[]
  readonly signal?: AbortSignal | undefined
  /** How long it waits for read models that lag behind. */
  readonly settleMs?: number | undefined
}

/** What the manifest will say, as far as it is known. */
export type Content = Pick<
  Manifest,
  'org' | 'made_at' | 'range' | 'events' | 'left_out' | 'categories' | 'code' | 'signed'
> & {
  readonly selection?: Selection | undefined
  readonly checkpoint: string | null
  readonly files: Manifest['files']
}

/**
 * Writes the readable files of an export into its folder and returns their names. Throws `not_yet_visible`, and has
 * written nothing then, where a read model has not come to the last event in time.
 */
export async function writeReadable(folder: string, content: Content, deps: ReadableDeps): Promise<readonly string[]> {
  // What is in inboxes is their owners' alone.
  const resources = deps.resources.filter(({ projection }) => projection.service !== 'hub')
  const models = modelsOf(content.selection, resources)
  const { signal } = deps
  const tables = path.join(folder, 'tables')
  await rm(tables, { recursive: true, force: true })
  await settled(models, content, deps)
  const client = await deps.pool.connect()
  try {
    await client.query('begin isolation level repeatable read read only')
    const words = sealWords(content.org, deps.unseal)
    const aggregates = new Map(deps.aggregates.map(aggregate => [aggregate.name, aggregate]))
    const teller = { client, org: content.org, aggregates, resources, words, signal }
    const seen = await writeEventTable(folder, content, teller)
    const names = ['events.csv']
    await mkdir(tables)
    for (const model of models) {
      const name = `tables/${model.name}.csv`
      const isEmpty = (await writeTable(path.join(folder, name), model, { ...teller, ...seen })) === 0
      if (isEmpty) await rm(path.join(folder, name))
      else names.push(name)
    }
    if (names.length === 1) await rm(tables, { recursive: true })
    const isOfMoney = models.includes(balances)
    const period = { org: content.org, ...seen }
    const accounts = isOfMoney ? await accountsOver(client, period, ACCOUNTS_MAX + 1) : []
    await write(path.join(folder, 'index.html'), [indexOf(content, { ...seen, accounts, tables: names })])
    signal?.throwIfAborted()
    await write(path.join(folder, 'cover.pdf'), [await coverOf(coverFacts(content))])
    return ['index.html', 'cover.pdf', ...names]
  } finally {
    await client.query('rollback').catch(() => {})
    client.release()
  }
}

/**
 * The read models that a selection concerns: those that follow selected kinds of things alone. Rows of a selection by
 * stream, actor or person are those of the things that its events are about.
 */
function modelsOf(selection: Selection | undefined, resources: readonly Resource[]): readonly AnyProjection[] {
  const { categories } = selection ?? {}
  const things = isNarrow(selection) ? new Map() : undefined
  return [...new Set(resources.map(({ projection }) => projection))].filter(projection => {
    const of = Object.keys(projection.of)
    const isConcerned = of.length > 0 && (categories === undefined || of.every(name => categories.includes(name)))
    return isConcerned && isTold(projection, things)
  })
}

const isNarrow = ({ streams, actors, subjects }: Selection = {}): boolean =>
  [streams, actors, subjects].some(part => part !== undefined)

/** Waits until the read models have come to the last event. */
async function settled(models: readonly AnyProjection[], { org, range }: Content, deps: ReadableDeps) {
  const { pool, signal, settleMs = SETTLE_MS } = deps
  const all = [...models, postings]
  for (const end = performance.now() + settleMs; ; await sleep(POLL_MS, undefined, { ...(signal && { signal }) })) {
    const late = await lagging(pool, all, { org, position: range.last })
    if (late === undefined) return
    if (performance.now() > end) {
      const why = `The read model ${late} has not come to position ${range.last}`
      throw new KogiError('not_yet_visible', `${why}: its projector is not running, is behind, or stands still.`)
    }
  }
}

/** What one pass over the events shows: the period by positions, the things in it, and the latest events. */
type Seen = {
  readonly after: bigint
  readonly position: bigint
  readonly things: Things | undefined
  /** Whether there are more things than `things` has. */
  readonly isCut: boolean
  readonly shown: readonly (readonly string[])[]
}

type Run = Teller & Pick<ReadableDeps, 'signal'>

async function writeEventTable(folder: string, { selection, range }: Content, teller: Run): Promise<Seen> {
  const things = new Map<string, Set<string>>()
  let [after, position, count] = [0n, range.last, 0]
  let shown: (readonly string[])[] = []
  async function* lines(): AsyncGenerator<string> {
    yield EVENT_HEADINGS
    let batch: Line[] = []
    const flush = async function* flush() {
      teller.signal?.throwIfAborted()
      const events = await told(teller, batch)
      shown = [...shown, ...events.slice(-SHOWN_MAX).map(cellsOf)].slice(-SHOWN_MAX)
      batch = []
      yield events.map(csvLine).join('')
    }
    let isBefore = true
    for await (const { bytes } of linesOf(folderSource(folder), EVENTS)) {
      const line = JSON.parse(bytes.toString()) as Line
      // An event of another program may be of no time: it is no bound of the period.
      const at = typeof line.metadata.at === 'string' ? line.metadata.at : undefined
      const place = BigInt(line.position)
      const { from, to, from_position: first, up_to_position: last } = selection ?? {}
      const isEarlier = (at !== undefined && from !== undefined && at < from) || (first !== undefined && place < first)
      const isLater = (at !== undefined && to !== undefined && at >= to) || (last !== undefined && place > last)
      if (isEarlier) after = place
      if (isBefore && isLater) {
        isBefore = false
        position = place - 1n
      }
      if (line.data === undefined) continue
      const ids = things.get(categoryOf(line.stream)) ?? new Set<string>()
      if (!ids.has(String(line.metadata.id))) {
        count += 1
        if (count <= THINGS_MAX) things.set(categoryOf(line.stream), ids.add(String(line.metadata.id)))
      }
      batch.push(line)
      if (batch.length === BATCH) yield* flush()
    }
    if (batch.length > 0) yield* flush()
  }
  await write(path.join(folder, 'events.csv'), lines())
  const isCut = isNarrow(selection) && count > THINGS_MAX
  return { after, position, things: isNarrow(selection) ? things : undefined, isCut, shown: shown.reverse() }
}

type TableOptions = Pick<Run, 'client' | 'org' | 'words' | 'signal'> & Pick<Seen, 'position' | 'things'>

/** Writes the rows of a read model and returns how many there are. */
async function writeTable(place: string, model: AnyProjection, options: TableOptions) {
  const { client, org, words, signal, position, things } = options
  let count = 0
  const columns = columnsOf(model)
  async function* lines(): AsyncGenerator<string> {
    yield `${columns.map(({ name }) => name).join(',')}\r\n`
    for await (const rows of rowsAt(client, model, { org, position, things })) {
      signal?.throwIfAborted()
      count += rows.length
      await words.learn(rows.flat())
      const cell = (value: unknown, at: number) =>
        ['text', 'jsonb', 'json'].includes(columns[at]!.type) ? csvField(words.of(value)) : words.of(value)
      yield rows.map(row => `${row.map(cell).join(',')}\r\n`).join('')
    }
  }
  await write(place, lines())
  return count
}

async function write(place: string, parts: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>) {
  const file = await open(place, 'w')
  try {
    for await (const part of parts) await file.appendFile(part)
    await file.sync()
  } finally {
    await file.close()
  }
}

const factsOf = ({ org, selection, events, left_out: leftOut, range, made_at, code }: Content) =>
  [
    ['Organization', org],
    ['Events', leftOut === undefined ? `${events}, all that it has` : `${events} of ${events + leftOut}`],
    ...(selection ? [['Selected by', selectionSaid(selection)] as const] : []),
    ['Positions in the log', `${range.first} to ${range.last}`],
    ['Made at', made_at],
    ['Made by', `Kogi ${code}`],
  ] as const

const coverFacts = (content: Content) => ({
  title: `Audit export of ${content.org}`,
  madeAt: content.made_at,
  facts: [
    ...factsOf(content),
    ...content.files.map(({ name, sha256 }) => [`SHA-256 of ${name}`, sha256] as const),
    ['To check it', 'kogi audit verify <export> --key <public key of the log>'] as const,
  ],
  checkpoint: content.checkpoint,
})

type Index = Pick<Seen, 'shown' | 'isCut'> & {
  readonly accounts: Awaited<ReturnType<typeof accountsOver>>
  readonly tables: readonly string[]
}

const ABOUT_EVENTS =
  'This page is for reading. The program that checks the export (kogi audit verify, or the page kogi-verify.html) ' +
  'proves the events by the checkpoint of the log. [sealed] stands for what a person wrote, [erased] for what was ' +
  'erased for good.'
const ABOUT_SIGNED =
  'What this page and the tables say of the events is the word of the system that made them; the signature of the ' +
  'export shows that nobody changed them since.'
const ABOUT_UNSIGNED =
  'What this page and the tables say of the events is the word of the system that made them. This export is not ' +
  'signed: nothing shows that nobody changed them since.'

function indexOf(content: Content, { shown, isCut, accounts, tables }: Index): string {
  const { org, events, categories, checkpoint } = content
  const amount = (digits: bigint, places: number) => escaped(written({ digits, places }))
  const number = (name: string) => ({ name, isNumber: true }) as const
  const text = (name: string) => ({ name })
  const rows = accounts
    .slice(0, ACCOUNTS_MAX)
    .map(({ wallet, account, currency, places, status, ...sums }) => [
      escaped(wallet),
      escaped(account),
      escaped(currency),
      ...[sums.opening, sums.credits, sums.debits, sums.closing, sums.held].map(digits => amount(digits, places)),
      String(sums.postings),
      escaped(status),
    ])
  const columns = ['opening', 'in', 'out', 'closing', 'held', 'postings'].map(number)
  const statement = tableOf([...['wallet', 'account', 'currency'].map(text), ...columns, text('status')], rows)
  const kinds = Object.entries(categories).map(([name, count]) => [escaped(name), String(count)])
  const note = (words: string) => `<p class="note">${escaped(words)}</p>`
  const parts = [
    `<h1>Audit export of ${escaped(org)}</h1>`,
    listOf(factsOf(content)),
    note(ABOUT_EVENTS),
    note(content.signed ? ABOUT_SIGNED : ABOUT_UNSIGNED),
    '<h2>Events by kind of thing</h2>',
    tableOf([text('kind'), number('events')], kinds),
    ...(accounts.length > 0 ? ['<h2>Accounts over the period</h2>', statement] : []),
    ...(accounts.length > ACCOUNTS_MAX ? [note(`The first ${ACCOUNTS_MAX}; all are in tables/balances.csv.`)] : []),
    '<h2>What happened, the latest first</h2>',
    ...(events > shown.length ? [note(`The latest ${shown.length} of ${events} events; all are in events.csv.`)] : []),
    tableOf(['when', 'who', 'what', 'thing', 'before → after', 'position'].map(text), shown),
    '<h2>Tables</h2>',
    ...(isCut
      ? [note(`The selection has more than ${THINGS_MAX} things: the tables and sums have the first ones.`)]
      : []),
    `<ul>${tables.map(name => `<li><a href="${escaped(name)}">${escaped(name)}</a></li>`).join('')}</ul>`,
    '<h2>The checkpoint of the log</h2>',
    checkpoint === null ? note('There was none when the export was made.') : `<pre>${escaped(checkpoint)}</pre>`,
  ]
  return pageOf(`Audit export of ${org}`, parts.join('\n'))
}
