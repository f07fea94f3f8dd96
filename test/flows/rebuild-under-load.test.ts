/** Every projection rebuilt while commands and reads pour in over HTTP, on the whole system as `kogi dev` runs it. */
import { projections } from '../../infra/catalogue.ts'
import { rebuildUnderLoad } from '../support/rebuild-under-load.ts'
import { type System, startSystem } from '../support/system.ts'

const PER_SECOND = Number(process.env.KOGI_PER_SECOND ?? 500)
const LOAD = {
  seconds: 30,
  warmUpSeconds: 8,
  orgs: 32,
  commands: PER_SECOND,
  reads: 25,
  lookedAt: 49,
  rebuilt: projections,
}

describe('projections rebuilt under load over HTTP', function rebuilds() {
  this.timeout(600_000)
  let system: System | undefined
  before(async function longRunsOnly() {
    // `dev.test.ts` has a short run.
    if (process.env.KOGI_LONG !== '1') this.skip()
    system = await startSystem()
  })
  after(() => system?.stop())

  it(`${PER_SECOND} commands/s: no read fails, no row differs, no command takes effect twice`, async () => {
    const done = await rebuildUnderLoad(system!, LOAD)
    process.stdout.write(`    ${done}\n`)
  })
})
