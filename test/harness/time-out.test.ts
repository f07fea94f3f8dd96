import { expect } from 'chai'
import { describeProcess } from '../../infra/embedded/processes.ts'
import { startMocha } from './mocha.ts'

/** The time-outs of the fixtures count as they are written, because the fixtures have timers of their own. */
const UNSCALED = { KOGI_TEST_PACE: '' }

describe('a test that times out', function timeOuts() {
  this.timeout(120_000)

  it('fails alone: the worker goes on with the next test and the next file, whatever fails late', async () => {
    const files = ['fixtures/times-out.ts', 'fixtures/takes-long.ts', 'fixtures/loads-slowly.ts']
    const { code, out, err } = await startMocha(files, { env: UNSCALED }).ended
    expect(code, out + err).to.equal(1)
    expect(out).to.match(/1\) never settles/)
    for (const title of ['passes afterwards', 'passes too', 'passes as well']) expect(out).to.contain(`✔ ${title}`)
    expect(out)
      .to.match(/3 passing/)
      .and.to.match(/1 failing/)
    const left = Number(/^child (\d+)$/m.exec(out)![1])
    expect(await describeProcess(left), 'the process that the test left behind').to.equal(null)
    expect(err).to.match(/An error outside of any test, in or after \S*times-out\.ts: Error: a late/)
  })

  it('does not keep a run without workers from its end', async () => {
    const { code, out } = await startMocha(['fixtures/times-out.ts'], { workers: 0, env: UNSCALED }).ended
    expect(code, out).to.equal(1)
    expect(out)
      .to.match(/1 passing/)
      .and.to.match(/1 failing/)
  })
})

describe('an error that no test takes', () => {
  it('fails the file although its tests pass', async () => {
    const { code, out, err } = await startMocha(['fixtures/rejects.ts']).ended
    expect(code, out + err).to.equal(1)
    expect(out).to.match(/2 passing/)
    expect(out)
      .to.match(/Error: nobody handles this/)
      .and.not.to.match(/Error: this is handled/)
  })
})
