import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Command } from 'commander'
import { month, refused, type Step } from './demo/month.ts'
import { kogi, startKogi } from './running.ts'
import { decimal, progress, table } from './terminal.ts'

type Row = Record<string, string | undefined>

/** `kogi demo`: the whole system in a temporary folder, and a month of work sent through HTTP and checked. */
export const demoCommand = () =>
  new Command('demo')
    .description('boot everything in a temporary folder and run a month of a freelancer through it')
    .option('--keep', 'keep the folder, and say where it is')
    .addHelpText('after', '\nExample:\n  $ kogi demo')
    .action(async ({ keep }: { keep?: boolean }) => {
      const data = await mkdtemp(path.join(tmpdir(), 'kogi-demo-'))
      const env = { KOGI_DATA_DIR: data, KOGI_LOG_LEVEL: process.env.KOGI_LOG_LEVEL ?? 'error' }
      const started = Date.now()
      console.log('Starting the event store, PostgreSQL, the projector and the APIs …')
      const system = await startKogi(['dev', '--port', '0'], env)
      console.log(`Ready after ${((Date.now() - started) / 1000).toFixed(1)} s at ${system.url}\n`)
      try {
        process.exitCode = (await tour(system.url, env)) ? 0 : 1
      } finally {
        await system.stop()
        if (keep) console.log(`The data is in ${data}; carry on with: kogi dev --data ${data}`)
        else await rm(data, { recursive: true, force: true })
      }
    })

async function tour(url: string, env: Record<string, string>): Promise<boolean> {
  const token = await kogi(['token', '--org', 'okonjo', '--subject', 'mira', '--role', 'organization-admin'], env)
  const call = caller(url, token)
  const position = await sendMonth(call)
  const list = async (resource: string): Promise<Row[]> => {
    const token = { 'Kogi-Min-Position': position }
    const { status, body } = await call('GET', `${resource}?limit=500&wait=30000`, undefined, token)
    if (status !== 200) throw new Error(`${resource} answered ${status}: ${JSON.stringify(body)}`)
    return body.data
  }

  showBalances(await list('/kwlt/accounts'))
  show('Tasks', ['id', 'name', 'status', 'assignee', 'team'], await list('/kctr/tasks'))
  show('Items', ['id', 'type', 'name', 'status', 'state'], await list('/kbfc/items'))
  const { body } = await call('GET', '/kse/memories/search?q=licence')
  show('Memories about "licence"', ['kind', 'title', 'source'], body.data)

  const { equal, tables } = JSON.parse(await kogi(['check', '--json'], env)) as { equal: boolean; tables: unknown[] }
  console.log(
    equal
      ? `Checked: all ${tables.length} read models equal an independent fold of the log.`
      : 'The read models differ from the log: run `kogi check` to see where.',
  )
  return equal
}

async function sendMonth(call: ReturnType<typeof caller>): Promise<string> {
  const bar = progress('A month of work', month.length + refused.length, 'commands')
  let position = '0'
  for (const [n, { method, path, body }] of month.entries()) {
    const { status, headers, body: answer } = await call(method, path, body, { 'Idempotency-Key': `demo-${n}` })
    if (status >= 300) throw new Error(`${method} ${path} answered ${status}: ${JSON.stringify(answer)}`)
    position = headers.get('kogi-position')!
    bar.advance()
  }
  for (const { method, path, body, code } of refused) {
    const { status, body: answer } = await call(method, path, body)
    if (status !== 422 || answer.error.code !== code) throw new Error(`${path} was not refused with ${code}`)
    bar.advance()
  }
  bar.stop()
  console.log(`${month.length} commands accepted, ${refused.length} refused by the rules, as they should be.\n`)
  return position
}

function caller(url: string, token: string) {
  return async (method: Step['method'] | 'GET', path: string, body?: object, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
}

function showBalances(accounts: readonly Row[]) {
  const rows = accounts.map(({ wallet, account, balance, places, currency, postings }) => [
    wallet!,
    account!,
    `${decimal(balance!, Number(places))} ${currency}`,
    postings!,
  ])
  console.log('Balances')
  console.log(`${table(['wallet', 'account', 'balance', 'postings'], rows, ['balance', 'postings'])}\n`)
}

function show(title: string, columns: readonly string[], rows: readonly Row[]) {
  console.log(title)
  const cells = rows.map(row => columns.map(column => String(row[column] ?? '')))
  console.log(`${table(columns, cells)}\n`)
}
