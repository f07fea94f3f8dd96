import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { type Client, inLanes } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, commandsOf, visible, whileKillingProjector } from './checks.ts'
import { dataSet } from './data-sets.ts'

type Change = { seq: number; op: 'add' | 'update' | 'remove'; symbol: string; fields?: Record<string, string> }

describe('sp500: the constituents of an index as portfolio items', function () {
  const set = dataSet(this, 'sp500', 'events.jsonl')
  const lines = set.oracle ? set.text('events.jsonl').trimEnd().split('\n') : []
  const changes: Change[] = lines.map(line => JSON.parse(line))
  let system: System
  let client: Client
  let command: ReturnType<typeof commandsOf>
  let position = 0n
  const accepted = { add: 0, update: 0, remove: 0 }

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('sp500')
    command = commandsOf(client)
    await whileKillingProjector(system, 2, sendAll())
    await visible(client, position)
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  /** Symbols side by side, the changes of one symbol in their order. Returns how many events were appended. */
  async function sendAll(): Promise<number> {
    let appended = 0
    const bySymbol = new Map<string, Change[]>()
    for (const change of changes) bySymbol.set(change.symbol, [...(bySymbol.get(change.symbol) ?? []), change])
    await inLanes(bySymbol, 32, async ([symbol, own]) => {
      let metadata: Record<string, string> = {}
      for (const { seq, op, fields = {} } of own) {
        const { name, ...rest } = fields
        metadata = op === 'add' ? rest : { ...metadata, ...rest }
        const body = { ...(name && { name }), metadata }
        const answer =
          op === 'add'
            ? await send('POST', '', seq, { id: symbol, type: 'investment', status: 'listed', ...body })
            : op === 'update'
              ? await send('PATCH', `/${encodeURIComponent(symbol)}`, seq, body)
              : await send('DELETE', `/${encodeURIComponent(symbol)}`, seq)
        accepted[op]++
        if (answer.status !== 204 && (answer.late || !answer.body.data.replayed))
          appended += answer.body.data.events.length
        position = BigInt(answer.headers['kogi-position'] as string)
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

type Item = { id: string; name: string; metadata: Record<string, string> }

/** Items as compact JSON lines with sorted keys, in the order of their symbols, without a final line feed. */
function hashOf(items: readonly Item[]): string {
  const lines = items
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, name, metadata }) => canonicalJson({ symbol: id, name, ...metadata }))
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}
