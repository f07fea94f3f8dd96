import { expect } from 'chai'
import { commandsOf } from '../../commands/requests.ts'
import { resources, services } from '../../infra/catalogue.ts'
import { type App, startApp } from '../support/app.ts'

/** Every command of the catalogue that makes something, in the order of services: what others refer to comes first. */
const makers = commandsOf(services).filter(({ makes }) => makes !== undefined)

type Body = { readonly entry?: string; readonly hold?: string }

describe('the Location of what was made', () => {
  let app: App
  before(async () => {
    app = await startApp()
  })
  after(() => app?.close())

  it('is the path of a single read', () => {
    const reads = resources.map(({ path, names }) => [path, ...names].join('/:'))
    for (const { makes, operationId } of makers) {
      expect(
        reads.map(path => path.replaceAll(/:\w+/g, ':')),
        operationId,
      ).to.include(makes!.replaceAll(/:\w+/g, ':'))
    }
  })

  it('answers it, for every command that makes something, alone and in a bulk', async () => {
    const client = await app.clientOf('okonjo')
    const thing = new Map<string, string>()
    let transfer: object = {}
    // Entries that are not taken back yet.
    const entries: string[] = []
    const shownBy = async (location: string, position: unknown) =>
      (await client.call('GET', location, { headers: { 'Kogi-Min-Position': String(position) } })).body.data
    for (const { aggregate, name, method, path, schema, opens, operationId } of makers) {
      if (aggregate.name === 'inbox') continue // It can only be named like its user.
      if (aggregate.name === 'taskgraph') continue // It is between two tasks: test/flows/center.test.ts makes one.
      if (name === 'bid') continue // Nobody bids in an auction of their own.
      const { entry: _, ...body } = ((schema.meta()?.examples as object[] | undefined)?.[0] ?? transfer) as Body
      const ofEntry = path.includes(':entry')
      const url = `/api/v1${path.replace(':id', thing.get(aggregate.name)!).replace(':entry', () => entries.pop()!)}`
      if (name === 'convert') {
        const dollars = { account: 'dollars', currency: 'USD', overdraft: 'allowed' }
        await client.call('POST', url.replace('/conversions', '/accounts'), { body: dollars })
      }
      const made = await client.call(method, url, { body })
      expect(made.status, `${operationId} ${JSON.stringify(made.body)}`).to.equal(201)
      if (opens) thing.set(aggregate.name, made.body.data.id)
      const { data } = made.body.data.events[0]
      const alone = await shownBy(String(made.headers.location), made.headers['kogi-position'])
      for (const own of ['name', 'title', 'account', 'currency', 'entry', 'hold'].filter(field => field in data)) {
        expect(own === 'entry' ? (alone.id ?? alone.entry) : alone[own], `${operationId} ${own}`).to.deep.equal(
          data[own],
        )
      }
      if (name === 'openAccount') {
        const { account, currency } = data
        transfer = { from: thing.get('wallet'), to: thing.get('wallet'), from_account: account, to_account: account }
        transfer = { ...transfer, currency, amount: '1' }
        const enough = { account, currency, amount: '100000000' }
        await client.call('POST', url.replace('/accounts', '/credits'), { body: enough })
        continue
      }
      const command = {
        command: operationId,
        body: {
          ...body,
          ...(ofEntry && { entry: entries.pop() }),
          ...(opens && { [aggregate.name === 'export' ? 'export' : 'id']: 'a b/ü' }),
          ...('hold' in body && { hold: 'h/2' }),
          ...('user' in body && { user: 'u/2' }),
          ...('lot' in body && { lot: 'l/2' }),
          ...(aggregate.name === 'backlog' && !opens && { task: 'a b/ü' }),
        },
      }
      const id = opens ? {} : { id: thing.get(aggregate.name) }
      const bulk = await client.call('POST', '/api/v1/bulk', { body: { commands: [{ ...command, ...id }] } })
      const [{ status, location, data: receipt }] = bulk.body.data.results
      expect(status, `${operationId} ${JSON.stringify(bulk.body)}`).to.equal(201)
      const { entry, hold, user } = receipt.events[0].data
      if (entry && !ofEntry) entries.push(data.entry, entry)
      const row = await shownBy(location, bulk.headers['kogi-position'])
      // A row that a task names together with another thing has an id of its own, which no command gave.
      const named = row.entry ?? row.hold ?? row.user ?? (row.task === undefined ? row.id : undefined)
      expect(named, location).to.equal(opens ? 'a b/ü' : (entry ?? hold ?? user))
    }
  })
})
