/** The lock of a folder: who may take it, when it is given up, and what becomes of an owner that lost it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { lockFolder } from '../../../infra/embedded/event-store/care/lock.ts'
import { Store } from '../../../infra/embedded/event-store/log/store.ts'
import { firstLine, kill, script, startChild } from '../../contracts/event-store/child.ts'
import { patient } from '../../support/pace.ts'

const APART = ['--pid', '--fork', '--mount-proc', '--kill-child']

describe('the lock of a folder that two containers share', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kogi-lock-'))
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('is kept from a process that cannot see the owner, and given up when the owner is gone', async function () {
    // Making a namespace needs a right.
    if (spawnSync('unshare', [...APART, 'true'], { timeout: patient(5_000) }).status !== 0) return this.skip()
    this.timeout(60_000)
    const serve = script('../../contracts/event-store/serve.ts', import.meta.url)
    const owner = startChild('unshare', [...APART, process.execPath, ...serve, folder])
    try {
      await firstLine(owner)
      const error = await lockFolder(folder).catch((error: Error) => error)
      expect(error)
        .to.be.instanceOf(Error)
        .with.property('message')
        .that.matches(/of another container or machine: stop/)
    } finally {
      await kill(owner)
    }
    const lock = await lockFolder(folder)
    lock.release()
  })

  it('is taken at once from an owner elsewhere that has been silent for long', async () => {
    const path = join(folder, 'owner.lock')
    writeFileSync(path, JSON.stringify({ pid: 1, started: '1', id: 'other', place: 'elsewhere' }))
    utimesSync(path, 0, 0)
    const lock = await lockFolder(folder)
    expect(JSON.parse(readFileSync(path, 'utf8'))).to.include({ pid: process.pid })
    lock.release()
  })

  it('stops the commits of an owner that was suspended while another took the folder', async () => {
    const lock = await lockFolder(folder)
    const store = new Store(folder, { mayWrite: lock.check })
    const path = join(folder, 'owner.lock')
    writeFileSync(path, JSON.stringify({ pid: 77, started: '1', id: 'other', place: 'elsewhere' }))
    const { now } = Date
    Date.now = () => now() + 60_000
    try {
      const changes = { blocks: [], runs: [], heads: new Map(), state: { nextPosition: 9, nextStream: 1 } }
      const error = await store.commit(changes).catch((error: Error) => error)
      expect(error)
        .to.be.instanceOf(Error)
        .with.property('message')
        .that.matches(/Process 77 has taken the folder/)
    } finally {
      Date.now = now
    }
    lock.release()
    await store.close()
    expect(JSON.parse(readFileSync(path, 'utf8'))).to.include({ id: 'other' })
  })
})
