import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { type Client, inLanes } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, commandsOf, visible, whileKillingProjector } from './checks.ts'
import { dataSet } from './data-sets.ts'

type Change = {
  seq: number
  commit: string
  op: 'add' | 'update' | 'remove'
  symbol: string
  fields?: Record<string, string>
}

describe('sp500: the constituents of an index as portfolio items', function () {
  const set = dataSet(this, 'sp500', 'events.jsonl', 'snapshots.csv')
  const lines = set.oracle ? set.text('events.jsonl').trimEnd().split('\n') : []
  const changes: Change[] = lines.map(line => JSON.parse(line))
  let system: System
  let client: Client
  let command: ReturnType<typeof commandsOf>
  let position = 0n
  const accepted = { add: 0, update: 0, remove: 0 }
  /** The position after each commit, by the number of its last change. */
  const reached = new Map<number, bigint>()

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('sp500')
    command = commandsOf(client)
    await command('POST', '/api/v1/kbfc/briefcases', 'index', { id: 'index', name: 'S&P 500' })
    await whileKillingProjector(system, 2, sendAll())
    await visible(client, position)
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  /** Commit by commit; in each, symbols side by side. Returns how many events were appended. */
  async function sendAll(): Promise<number> {
    let appended = 0
    const known = new Map<string, Record<string, string>>()
    const commits = grouped(changes, ({ commit }) => commit)
    for (const own of commits.values()) {
      appended += await sendCommit(
        grouped(own, ({ symbol }) => symbol),
        known,
      )
      reached.set(own.at(-1)!.seq, position)
    }
    return appended
  }

  async function sendCommit(bySymbol: Map<string, Change[]>, known: Map<string, Record<string, string>>) {
    let appended = 0
    await inLanes(bySymbol, 32, async ([symbol, own]) => {
      for (const { seq, op, fields = {} } of own) {
        const { name, ...rest } = fields
        const metadata: Record<string, string> = op === 'add' ? rest : { ...known.get(symbol), ...rest }
        known.set(symbol, metadata)
        const body = { ...(name && { name }), metadata }
        const answer =
          op === 'add'
            ? await send('POST', '', seq, {
                id: symbol,
                briefcase: 'index',
                type: 'investment',
                status: 'listed',
                ...body,
              })
            : op === 'update'
              ? await send('PATCH', `/${encodeURIComponent(symbol)}`, seq, body)
              : await send('DELETE', `/${encodeURIComponent(symbol)}`, seq)
        accepted[op]++
        if (answer.status !== 204 && (answer.late || !answer.body.data.replayed))
          appended += answer.body.data.events.length
        const at = BigInt(answer.headers['kogi-position'] as string)
        if (at > position) position = at
      }
    })
    return appended
  }

  async function send(method: string, path: string, seq: number, body?: unknown) {
    const answer = await command(method, `/api/v1/kbfc/items${path}`, `seq-${seq}`, body)
    expect([200, 201, 204], `${seq} ${JSON.stringify(answer.body)}`).to.include(answer.status)
    return answer
  }

  const activeItems = () => allRows(client, '/api/v1/kbfc/items?state=active') as Promise<unknown> as Promise<Item[]>

  it('takes every change', () => expect(accepted).to.deep.equal(set.oracle.ops))

  it('ends with the items of the last commit', async () => {
    const items = await activeItems()
    expect(items).to.have.length(set.oracle.items_after_last)
    expect(hashOf(items)).to.equal(set.oracle.last_snapshot_sha256)
  })

  it('has, as of each commit, the items that there were then', async () => {
    const [, ...snapshots] = set.text('snapshots.csv').trimEnd().split('\n')
    expect(snapshots).to.have.length(set.oracle.snapshots)
    for (const line of snapshots) {
      const [commit, , last, items, wanted] = line.split(',')
      const then = [...reached].filter(([seq]) => seq <= Number(last)).at(-1)![1]
      const found = (await allRows(
        client,
        `/api/v1/kbfc/items?state=active&briefcase=index&as_of=${then}`,
      )) as unknown as Item[]
      expect([found.length, hashOf(found)], commit).to.deep.equal([Number(items), wanted])
    }
  })

  it('keeps every symbol ever listed', async () => {
    expect(await allRows(client, '/api/v1/kbfc/items')).to.have.length(set.oracle.symbols)
  })

  it('appends nothing when all of it comes again, and the items stay', async () => {
    const before = hashOf(await activeItems())
    // An archived item that was added again has both additions in its stream, so these are found in the log as well.
    expect(await sendAll()).to.equal(0)
    expect(hashOf(await activeItems())).to.equal(before)
  })

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one])
  return groups
}

type Item = { id: string; name: string; metadata: Record<string, string> }

/** Items as compact JSON lines with sorted keys, in the order of their symbols, without a final line feed. */
function hashOf(items: readonly Item[]): string {
  const lines = items
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, name, metadata }) => canonicalJson({ symbol: id, name, ...metadata }))
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}
