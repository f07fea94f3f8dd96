import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'chai'
import { CommanderError } from 'commander'
import pg from 'pg'
import { ENTRY } from '../../infra/children.ts'
import { loadConfig } from '../../infra/config.ts'
import { named } from '../../scripts/check.ts'
import { mustHaveData } from '../../scripts/operator.ts'
import { projectionsCommand } from '../../scripts/projections.ts'
import { progressLine } from '../../scripts/terminal.ts'
import { type App, startApp } from '../support/app.ts'

type Ended = { readonly status: number | null; readonly out: string; readonly err: string }
type Call = {
  readonly env?: Record<string, string>
  readonly onStart?: (child: ChildProcess) => void
  /** Called with all output so far. */
  readonly onSaid?: (said: string, child: ChildProcess) => void
}

describe('the verbs of operators', function () {
  this.timeout(90_000)
  let app: App
  let database: pg.Client
  let position: string

  before(async () => {
    app = await startApp()
    const client = await app.clientOf('acme')
    for (const id of ['one', 'two', 'three']) {
      const { headers } = await client.call('POST', '/api/v1/kctr/tasks', { body: { id, name: id } })
      position = String(headers['kogi-position'])
    }
    const headers = { 'Kogi-Min-Position': position }
    expect((await client.call('GET', '/api/v1/kctr/tasks/three', { headers })).status).to.equal(200)
    database = new pg.Client({ connectionString: app.urls.databaseUrl })
    await database.connect()
  })
  after(async () => {
    await database?.end()
    await app?.close()
  })

  const environment = () => ({
    ...process.env,
    KOGI_LOG_LEVEL: 'silent',
    KOGI_DATA_DIR: app.config.dataDir,
    KOGI_EVENTSTORE_URL: app.urls.eventStoreUrl,
    KOGI_DATABASE_URL: app.urls.databaseUrl,
    KOGI_KEYS_DATABASE_URL: app.urls.keysDatabaseUrl,
  })
  const node = [process.execPath, ...process.execArgv, ENTRY]

  async function run(file: string, args: readonly string[], { env, onStart, onSaid }: Call = {}): Promise<Ended> {
    const child = spawn(file, args, { env: { ...environment(), ...env } })
    onStart?.(child)
    const said = { out: '', err: '' }
    for (const [name, stream] of [['out', child.stdout] as const, ['err', child.stderr] as const]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said[name] += text
        onSaid?.(said.out + said.err, child)
      })
    }
    await once(child, 'close')
    return { status: child.exitCode, ...said }
  }
  const kogi = (args: string, call?: Call) => run(node[0]!, [...node.slice(1), ...words(args)], call)
  /** Runs a verb on a terminal; the output is what the terminal receives. */
  const onTerminal = (args: string, call?: Call) =>
    run('script', ['-qec', `'${[...node, ...words(args)].join("' '")}'`, '/dev/null'], call)
  const words = (text: string) => text.split(' ')

  it('refuse a command line that makes no sense, before anything is opened', () => {
    for (const args of [
      'skip tasks abc --reason x',
      'skip tasks 9223372036854775808 --reason x',
      'skip tasks 5 --reason ',
    ]) {
      const verb = projectionsCommand().configureOutput({ writeErr: () => {} })
      for (const each of [verb, ...verb.commands]) each.exitOverride().copyInheritedSettings(verb)
      expect(() => verb.parse(args.split(' '), { from: 'user' }), args).to.throw(CommanderError, /is invalid/)
    }
  })

  it('make no data folder of a name with a typo', async () => {
    const dataDir = path.join(app.config.dataDir, 'mistyped')
    const error = await mustHaveData(loadConfig({ KOGI_DATA_DIR: dataDir })).catch(error => error)
    expect(error).to.deep.include({ code: 'no_data' })
    expect(await stat(dataDir).catch(() => undefined)).to.equal(undefined)
  })

  it('show how long it takes, and not more names than can be read', () => {
    const figures = { what: 'folding', unit: 'events', done: 300, total: 1_200, perSecond: 100.4 }
    expect(progressLine(figures)).to.equal('folding: 300 of 1200 events, 100/s, 9 s left')
    expect(progressLine({ ...figures, done: 1_200 })).to.equal('folding: 1200 of 1200 events, 100/s')
    expect(named(['a', 'b', 'c'], 3)).to.equal('a, b, c')
    expect(named(['a', 'b', 'c', 'd'], 2)).to.equal('a, b and 2 more')
  })

  it('tell errors in words, as JSON, and by a status that is never 1', async () => {
    const away = { KOGI_EVENTSTORE_URL: 'esdb://127.0.0.1:9?tls=false' }
    const [unknown, unavailable, unread] = await Promise.all([
      kogi('check --org nosuch --json'),
      kogi('check --json', { env: away }),
      // Its reader goes away, as `head -1` does.
      kogi('projections', { onStart: child => child.stdout!.destroy() }),
    ])
    expect([unknown.status, JSON.parse(unknown.out).error.code], unknown.err).to.deep.equal([64, 'unknown_org'])
    expect([unavailable.status, JSON.parse(unavailable.out).error.code]).to.deep.equal([69, 'engine_unavailable'])
    expect(unavailable.err).to.match(/^kogi: The event store does not answer as it should: .*ECONNREFUSED.*\n$/)
    expect([unread.status, unread.err]).to.deep.equal([0, ''])
  })

  it('say which rows differ and what was not compared, before and after a rebuild', async () => {
    await database.query(`update tasks_v4 set name = 'tampered' where id = 'two'`)
    const fault = { position: '123', type: 'TaskCreated', stream: 'task-x', revision: '0', error: 'Error: no' }
    await database.query(
      `update projection_checkpoints set state = 'stalled', error = $1 where projection = 'tasks' and bucket = 3`,
      [JSON.stringify(fault)],
    )
    const [checked, shown] = await Promise.all([kogi('check'), kogi('projections --json')])
    expect(checked.status, checked.err).to.equal(1)
    expect(checked.out).to.match(/^tasks_v4 differs in acme; the first row that does:$/m)
    expect(checked.out).to.match(/^tasks_v4\/3 is stalled at TaskCreated, position 123, and was compared as of /m)
    const { projections } = JSON.parse(shown.out)
    const tasks = projections.find(({ projection }: { projection: string }) => projection === 'tasks')
    expect(tasks).to.deep.include({ state: 'stalled', rate: 0, position })
    const rebuilt = await kogi('rebuild tasks')
    expect(rebuilt.status, rebuilt.err).to.equal(0)
    expect(rebuilt.out).to.match(/^the rows of 1 orgs were different before: acme$/m)
    expect(rebuilt.out).to.match(/^tasks_v4\/3 is still stalled by TaskCreated at position 123: Error: no$/m)
    expect(rebuilt.err).to.match(/: 3 of 3 events, \d+\/s$/m)
    await database.query(`update projection_checkpoints set state = 'running', error = null`)
  })

  it('rebuild: given up at ^C and SIGTERM it leaves nothing, and the terminal as it was', async () => {
    // A rebuild waits for transactions that read the old tables.
    await database.query('begin; select from tasks_v4; select from items_v5')
    const once = (what: RegExp, act: (child: ChildProcess) => void) => {
      let done = false
      return (said: string, child: ChildProcess) => {
        if (done || !what.test(said)) return
        done = true
        act(child)
      }
    }
    const ready = /new tables are ready/
    const env = { KOGI_LOG_LEVEL: 'warn' }
    const [interrupted, terminated] = await Promise.all([
      onTerminal('rebuild tasks', { env, onSaid: once(ready, child => child.stdin!.write('\x03')) }),
      kogi('rebuild items', { env, onSaid: once(ready, child => child.kill('SIGTERM')) }),
    ])
    await database.query('rollback')
    expect(interrupted.status, interrupted.out).to.equal(130)
    expectWhole(interrupted.out)
    expect(interrupted.out).to.match(/^kogi: The rebuild was given up; nothing has changed\.\r$/m)
    expect(terminated.status, terminated.err).to.equal(143)
    const { rows } = await database.query(
      `select relname from pg_class where relname like '%\\_\\_rebuild%' union all
       select projection from checkpoints where projection like '%\\_\\_rebuild' union all
       select id from projectors where id like 'rebuild:%'`,
    )
    expect(rows).to.deep.equal([])
  })

  /** Expects that the cursor is visible and lines wrap again at the end of the output. */
  function expectWhole(sent: string) {
    for (const mode of ['?25', '?7']) {
      expect(sent).to.include(`\x1b[${mode}l`)
      expect(sent.lastIndexOf(`\x1b[${mode}h`), sent).to.be.above(sent.lastIndexOf(`\x1b[${mode}l`))
    }
  }
})
