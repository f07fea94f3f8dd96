import { expect } from 'chai'
import { type Client, inLanes } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, commandsOf, visible, whileKillingProjector } from './checks.ts'
import { checksum, csv, dataSet, groupBy } from './data-sets.ts'

type Row = Record<string, string>
const statusOf = (row: Row) => `${row['concept:name']}/${row['lifecycle:transition']}`

describe('volvo_incidents: cases of a service desk through the command API', function () {
  const set = dataSet(this, 'volvo_incidents', 'events.csv')
  const cases = set.oracle ? groupBy(csv(set.text('events.csv')), 'case_no') : new Map<string, Row[]>()
  let system: System
  let client: Client
  let command: ReturnType<typeof commandsOf>
  let position = 0n
  /** Commands that appended events; a command without events is decided anew when it is repeated. */
  const effective = new Set<string>()
  const changed = { status: 0, assignee: 0, team: 0, nothing: 0 }

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('volvo')
    command = commandsOf(client)
    await whileKillingProjector(
      system,
      3,
      inLanes(cases, 64, ([number, rows]) => sendCase(number, rows)),
    )
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

  /** The first row of a case creates the task; every further row sends all three commands, changed or not. */
  async function sendCase(number: string, rows: Row[]): Promise<void> {
    for (const row of rows) {
      const [status, assignee, team] = [statusOf(row), row['org:resource'], row['org:group']]
      const key = `row-${row.pos}`
      if (row === rows[0]) {
        await send('POST', '', key, { id: number, name: `Incident ${number}`, status, assignee, team })
        continue
      }
      const moved = await send('PUT', `/${number}/status`, key, { status })
      const assigned = await send('PUT', `/${number}/assignee`, `${key}-assignee`, { assignee })
      const handed = await send('PUT', `/${number}/team`, `${key}-team`, { team })
      if (moved > 0) effective.add(`${number} ${key}`)
      changed.status += moved
      changed.assignee += assigned
      changed.team += handed
      if (moved + assigned + handed === 0) changed.nothing++
    }
  }

  it('writes an event for each change and none where nothing changes', () => {
    expect(changed).to.deep.equal({
      status: set.oracle.status_changes,
      assignee: set.oracle.reassignments,
      team: set.oracle.group_changes,
      nothing: set.oracle.events_changing_nothing,
    })
  })

  it('ends with the states of the source', async () => {
    const tasks = await allRows(client, '/api/v1/kctr/tasks')
    expect(tasks).to.have.length(set.oracle.cases)
    const final: Record<string, number> = {}
    for (const { status } of tasks) final[status!] = (final[status!] ?? 0) + 1
    expect(final).to.deep.equal(set.oracle.final_status)
    const lines = tasks.map(({ id, status, assignee }) => `${id},${status},${assignee},${cases.get(id!)!.length}`)
    expect(checksum(lines)).to.equal(set.oracle.sha256_final_state)
  })

  it('appends nothing when the commands that took effect come again', async () => {
    const [number, rows] = [...cases].reduce((a, b) => (b[1].length > a[1].length ? b : a))
    const path = `/api/v1/kctr/tasks/${number}`
    const read = async () => (await client.call('GET', path)).body.data
    const before = await read()
    for (const row of rows.slice(1).filter(row => effective.has(`${number} row-${row.pos}`))) {
      const headers = { 'Idempotency-Key': `row-${row.pos}` }
      const answer = await client.call('PUT', `${path}/status`, { body: { status: statusOf(row) }, headers })
      expect(answer.body.data.replayed, `row ${row.pos}`).to.equal(true)
    }
    expect(await read()).to.deep.equal(before)
  })

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})
