import { expect } from 'chai'
import { type Client, inLanes } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, commandsOf, visible } from './checks.ts'
import { checksum, csv, dataSet, groupBy } from './data-sets.ts'

type Row = Record<string, string>

describe('helpdesk: tickets as tasks through the command API', function () {
  const set = dataSet(this, 'helpdesk', 'events.csv')
  const cases = set.oracle ? groupBy(csv(set.text('events.csv')), 'case_no') : new Map<string, Row[]>()
  let system: System
  let client: Client
  let command: ReturnType<typeof commandsOf>
  let position = 0n
  const changed = { status: 0, assignee: 0, nothing: 0 }

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('helpdesk')
    command = commandsOf(client)
    await inLanes(cases, 64, ([number, rows]) => sendCase(number, rows))
    await visible(client, position)
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  async function send(method: string, path: string, key: string, body: unknown): Promise<number> {
    const answer = await command(method, `/api/v1/kctr/tasks${path}`, key, body)
    expect([200, 201], JSON.stringify(answer.body)).to.include(answer.status)
    if (BigInt(answer.body.data.position) > position) position = BigInt(answer.body.data.position)
    return answer.body.data.events.length
  }

  async function sendCase(number: string, rows: Row[]): Promise<void> {
    for (const row of rows) {
      const [status, assignee, key] = [row['concept:name'], row['org:resource'], `row-${row.pos}`]
      if (row === rows[0]) {
        await send('POST', '', key, { id: number, name: `Ticket ${number}`, status, assignee })
        continue
      }
      const moved = await send('PUT', `/${number}/status`, key, { status })
      const assigned = await send('PUT', `/${number}/assignee`, `${key}-assignee`, { assignee })
      changed.status += moved
      changed.assignee += assigned
      if (moved + assigned === 0) changed.nothing += 1
    }
  }

  it('writes an event for each change and none where nothing changes', () =>
    expect(changed).to.deep.equal({
      status: set.oracle.status_changes,
      assignee: set.oracle.reassignments,
      nothing: set.oracle.events_changing_nothing,
    }))

  it('ends with the states of the source, counted by the summary as well', async () => {
    const tasks = await allRows(client, '/api/v1/kctr/tasks')
    const lines = tasks.map(({ id, status, assignee }) => `${id},${status},${assignee},${cases.get(id!)!.length}`)
    expect(checksum(lines)).to.equal(set.oracle.sha256_final_state)
    const { body } = await client.call('GET', '/api/v1/kctr/tasks/summary?by=status')
    const counted = (body.data as { group: { status: string }; count: number }[]).map(({ group, count }) => [
      group.status,
      count,
    ])
    expect(Object.fromEntries(counted)).to.deep.equal(set.oracle.final_status)
  })

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})
