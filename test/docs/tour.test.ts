import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'

const run = promisify(execFile)

/** Ends the answer of each command with a line of its own. */
const CURL = 'set -euo pipefail; curl() { command curl "$@"; echo; }'

describe('the first tour of the README', function tour() {
  this.timeout(60_000)
  let app: App
  before(async () => {
    app = await startApp()
  })
  after(() => app?.close())

  it('opens an account, and finds in it what was written, now and as of then', async () => {
    const script = [CURL, ...blocksOf(await readFile('README.md', 'utf8'))].join('\n')
    const env = { ...process.env, KOGI_PORT: new URL(app.url).port, KOGI_DATA_DIR: app.config.dataDir }
    const { stdout } = await run('bash', ['-c', script], { env })
    const answers = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(answers, stdout).to.have.length(11)
    const [wallet, account, credit, statement, search, tasks, notes, balances, log, feed, past] = answers
    const appended = [wallet, account, credit].map(({ data }) => data.events.map(({ type }: Event) => type))
    expect(appended).to.deep.equal([['WalletOpened'], ['AccountOpened'], ['EntryPosted']])
    expect(statement.data.closing).to.equal('120800')
    expect(statement.data.lines.map(({ balance }: Line) => balance)).to.deep.equal(['125000', '120800'])
    expect(search.data.map(({ title }: Found) => title)).to.deep.equal(['Invoice 7'])
    const group = { assignee: null, 'due_on:month': '2026-12' }
    expect(tasks.data).to.deep.equal([{ group, count: 1, sums: {} }])
    expect(notes.data.map(({ title }: Found) => title)).to.deep.equal(['Colours of the sea'])
    expect(balances.data).to.deep.equal([{ group: { currency: 'EUR' }, count: 1, sums: { balance: '120800' } }])
    expect(log.data[0].changes).to.deep.include({ due_on: { from: null, to: '2026-12-01' } })
    expect(feed.data.map(({ text }: Said) => text)).to.deep.equal(['mira created the task “Design the menu”'])
    expect(past.meta.as_of).to.equal(statement.meta.position)
    expect(past.data).to.deep.include({ balance: '120800', lines: statement.data.lines })
  })
})

type Event = { readonly type: string }
type Line = { readonly balance: string }
type Said = { readonly text: string }
type Found = { readonly title: string }

/** The blocks of shell commands in the section of the tour. */
function blocksOf(readme: string): readonly string[] {
  const section = /^## A first tour\n(.*?)^## /ms.exec(readme)![1]!
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!)
}
