import { KogiError } from '../domain/kernel/errors.ts'
import { superviseVerb } from '../infra/children.ts'
import type { Config } from '../infra/config.ts'
import { openEngines, runningEngines } from '../infra/engines.ts'
import { freePort } from '../infra/free-port.ts'
import { readyOf } from '../infra/http/health.ts'
import { migrateAll } from '../infra/migrate.ts'
import { startApi } from '../infra/processes/api.ts'
import { servingCommand } from './serve.ts'

/** `kogi dev`: everything on one machine, both APIs on one port. */
export const devCommand = () =>
  servingCommand('dev', 'run everything: engines, projector, both APIs on one port', async started => {
    const { config, log, lifecycle } = started
    await refuseSecond(config)
    const engines = await openEngines(config, log)
    lifecycle.onStop('engines', engines.close)
    await migrateAll(engines, log)
    // The port stays the same when the projector is started again, so that its health can be asked.
    const port = await freePort()
    const projector = await superviseVerb({
      name: 'projector',
      args: ['projector', '--port', String(port)],
      env: {
        KOGI_EVENTSTORE_URL: engines.eventStoreUrl,
        KOGI_DATABASE_URL: engines.databaseUrl,
        KOGI_KEYS_DATABASE_URL: engines.keysDatabaseUrl,
        KOGI_DATA_DIR: config.dataDir,
      },
      log,
    })
    lifecycle.onStop('projector', projector.stop)
    const probes = [{ name: 'projector', check: readyOf(`http://127.0.0.1:${port}`) }]
    return `ready ${await startApi({ config, urls: engines, log, lifecycle, sides: ['commands', 'reads'], probes })}`
  }).addHelpText('after', '  $ kogi dev --data ./my-books')

async function refuseSecond(config: Config) {
  const running = await runningEngines(config)
  if (!running) return
  throw new KogiError('already_running', `Process ${running.pid} runs on ${config.dataDir}; stop it, or use --data.`)
}
