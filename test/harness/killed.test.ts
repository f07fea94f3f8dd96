import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { describeProcess, waitUntilGone } from '../../infra/embedded/processes.ts'
import { patient } from '../support/pace.ts'
import { allProcesses } from '../support/processes.ts'
import { startMocha } from './mocha.ts'

/** Time for children to end by themselves, and for what does not to be killed. */
const GONE_MS_MAX = 10_000

describe('processes that tests start', function killed() {
  this.timeout(180_000)

  before(function linuxOnly() {
    if (process.platform !== 'linux') this.skip()
  })

  it('are gone when the worker is killed, and when mocha is', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kogi-killed-'))
    const run = startMocha(['fixtures/starts-system.ts', 'fixtures/starts-engines.ts'], { env: { TMPDIR: folder } })
    try {
      const [worker, other] = [await said(run.out, /^system of (\d+)$/m), await said(run.out, /^engines of (\d+)$/m)]
      const system = await descendants(worker)
      expect(system.length, 'kogi dev, its store, its projector, PostgreSQL and the shells').to.be.at.least(6)
      process.kill(worker, 'SIGKILL')
      await expectGone(system)
      expect(await describeProcess(other), 'the other worker').to.not.equal(null)

      const rest = await descendants(run.child.pid!)
      expect(rest.length, 'a worker, two PostgreSQL servers, a deaf process and the shells').to.be.at.least(8)
      run.child.kill('SIGKILL')
      await expectGone(rest)
    } finally {
      run.child.kill('SIGKILL')
      await run.ended
      await rm(folder, { recursive: true, force: true })
    }
  })
})

/** The number in a line that a run writes, once it has written it. */
async function said(out: () => string, line: RegExp): Promise<number> {
  for (;;) {
    const found = line.exec(out())
    if (found) return Number(found[1])
    await sleep(20)
  }
}

async function expectGone(pids: readonly number[]): Promise<void> {
  await Promise.all(pids.map(pid => waitUntilGone(pid, patient(GONE_MS_MAX))))
  const left = (await Promise.all(pids.map(describeProcess))).filter(found => found !== null)
  expect(left.map(({ pid, command }) => `${pid} ${command.join(' ')}`)).to.deep.equal([])
}

/** All processes below one, and the shells with init as their parent that watch over a PostgreSQL server of theirs. */
async function descendants(root: number): Promise<number[]> {
  const all = await allProcesses()
  const found = new Set([root])
  for (const pid of found) for (const one of all) if (one.parent === pid) found.add(one.pid)
  for (const { pid, command } of all) {
    const servesFor = /kogi\.parent=(\d+)/.exec(command.join(' '))?.[1]
    if (found.has(Number(servesFor))) found.add(pid)
  }
  return [...found]
}
