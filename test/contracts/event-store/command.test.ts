/** `kogi store`: what its verbs print and refuse. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Command } from 'commander'
import { startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { storeCommand } from '../../../scripts/store.ts'

describe('kogi store', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kogi-command-'))
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** The error that a call ends with. */
  async function refusal(...args: string[]): Promise<string> {
    const command = storeCommand()
    const quiet = (one: Command) => one.exitOverride().configureOutput({ writeErr: () => {} })
    for (const one of [command, ...command.commands]) quiet(one)
    return command.parseAsync(args, { from: 'user' }).then(
      () => 'no error',
      (error: Error) => error.message,
    )
  }

  it('refuses a folder without a name, one that is a file, and one that is not there', async () => {
    expect(await refusal('verify', '--data', '')).to.contain('a folder has a name')
    expect(await refusal('serve', '--data', '/dev/null')).to.contain('this is no folder')
    expect(await refusal('scavenge', '--data', join(folder, 'none'))).to.contain('There is no event store in')
  })

  it('makes no store for an import that is missing', async () => {
    const message = await refusal('import', '--data', join(folder, 'new'), join(folder, 'none'))
    expect([message.includes('ENOENT'), readdirSync(folder)]).to.deep.equal([true, []])
  })

  it('prints findings as JSON', async () => {
    await (await startEventStore({ dataDir: folder })).close()
    const { write } = process.stdout
    let printed = ''
    process.stdout.write = text => {
      printed += text
      return true
    }
    try {
      expect(await refusal('verify', '--json', '--data', folder)).to.equal('no error')
    } finally {
      process.stdout.write = write
    }
    expect(JSON.parse(printed)).to.deep.include({ problems: [], notes: [] })
  })
})
