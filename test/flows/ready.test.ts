import { expect } from 'chai'
import { loadConfig } from '../../infra/config.ts'
import { startEventStore } from '../../infra/embedded/event-store/index.ts'
import { createLifecycle } from '../../infra/http/lifecycle.ts'
import { silentLog } from '../../infra/log.ts'
import { migrateAll } from '../../infra/migrate.ts'
import { startApi } from '../../infra/processes/api.ts'
import { startProjector } from '../../infra/processes/projector.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { wallets } from '../../projections/wallet/wallets.ts'
import { untilReady } from '../support/client.ts'
import { freshDatabase } from '../support/postgres.ts'

describe('a read API before any projector', () => {
  it('is not ready until the tables are there', async () => {
    const config = loadConfig({ KOGI_PORT: '0' })
    const store = await startEventStore({ memory: true })
    const [databaseUrl, keysDatabaseUrl] = [await freshDatabase(), await freshDatabase()]
    const urls = { eventStoreUrl: store.url, databaseUrl, keysDatabaseUrl }
    await migrateAll(urls, silentLog)
    const lifecycle = createLifecycle({ log: silentLog, drainTimeoutMs: 100 })
    const url = await startApi({ config, urls, log: silentLog, lifecycle, sides: ['reads'] })
    const ready = async () => {
      const answer = await fetch(`${url}/health/ready`)
      const { probes } = (await answer.json()) as { probes: { read_models: { error?: string } } }
      return { status: answer.status, error: probes.read_models.error }
    }
    expect(await ready()).to.deep.equal({
      status: 503,
      error: `${tableOf(wallets)} is not there yet: a projector makes the tables`,
    })
    const projector = startProjector({ config, urls, log: silentLog })
    await untilReady(url)
    await lifecycle.stop('the test is over')
    await projector.close()
    await store.close()
  })
})
