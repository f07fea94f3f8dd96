import { KogiError } from '../domain/kernel/errors.ts'
import { tokenCommandOf } from '../infra/auth/dev-keys.ts'
import { superviseVerb } from '../infra/children.ts'
import { type Config, EMBEDDED } from '../infra/config.ts'
import { openEngines, runningEngines } from '../infra/engines.ts'
import { freePort } from '../infra/free-port.ts'
import { readyOf } from '../infra/http/health.ts'
import { migrateAll } from '../infra/migrate.ts'
import { provedModels } from '../infra/notary/proving.ts'
import { startApi } from '../infra/processes/api.ts'
import { type Started, servingCommand } from './serve.ts'

/** What runs beside the APIs; the relay too where the settings name a server for it. */
const CHILDREN = ['projector', 'worker'] as const

/** `kogi dev`: everything on one machine, both APIs on one port. */
export const devCommand = () =>
  servingCommand('dev', 'run everything: engines, projector, worker, both APIs on one port', async started => {
    const { config, log, lifecycle } = started
    await refuseSecond(config)
    provedModels(config) // The worker would say it, and be started again and again.
    const engines = await openEngines(config, log)
    lifecycle.onStop('engines', engines.close)
    await migrateAll(engines, log)
    const env = {
      KOGI_EVENTSTORE_URL: engines.eventStoreUrl,
      KOGI_DATABASE_URL: engines.databaseUrl,
      KOGI_KEYS_DATABASE_URL: engines.keysDatabaseUrl,
      KOGI_DATA_DIR: config.dataDir,
    }
    const children = await Promise.all(
      [...CHILDREN, ...(config.natsUrl === EMBEDDED ? [] : ['relay'])].map(async name => {
        // The port stays the same when the child is started again, so that its health can be asked.
        const port = await freePort()
        const child = superviseVerb({ name, args: [name, '--port', String(port)], env, log })
        lifecycle.onStop(name, async () => (await child).stop())
        return { name, child, check: readyOf(`http://127.0.0.1:${port}`) }
      }),
    )
    const api = startApi({ config, urls: engines, log, lifecycle, sides: ['commands', 'reads'], probes: children })
    const [url] = await Promise.all([api, ...children.map(({ child }) => child)])
    return notice(url, config, await gatewayBefore(url, { config, log, lifecycle }, env))
  }).addHelpText('after', '  $ kogi dev --data ./my-books')

/** Serves the gateway as well, where the settings name a port for it: its address. */
async function gatewayBefore(url: string, { config, log, lifecycle }: Started, env: Readonly<Record<string, string>>) {
  if (config.gatewayPort === undefined) return undefined
  const args = ['gateway', '--port', String(config.gatewayPort)]
  const behind = { KOGI_GATEWAY_COMMANDS: url, KOGI_GATEWAY_READS: url }
  const child = await superviseVerb({ name: 'gateway', args, env: { ...env, ...behind }, log })
  lifecycle.onStop('gateway', child.stop)
  return child.first.firstLine.replace('ready ', '')
}

/** The line `ready <url>`, which scripts wait for, and what a person who started it wants to know next. */
export function notice(url: string, config: Pick<Config, 'dataDir' | 'jwks'>, gateway?: string): string {
  const { dataDir, jwks } = config
  return [
    `ready ${url}`,
    `  API    ${url}/api/v1`,
    ...(gateway === undefined ? [] : [`  gateway ${gateway}/api/v1`]),
    `  docs   ${url}/docs`,
    `  data   ${dataDir}`,
    `  token  ${jwks === undefined ? tokenCommandOf(config) : `of the issuer whose keys are in ${jwks}`}`,
    '  stop   Ctrl-C',
  ].join('\n')
}

async function refuseSecond(config: Config) {
  const running = await runningEngines(config)
  if (!running) return
  throw new KogiError('already_running', `Process ${running.pid} runs on ${config.dataDir}; stop it, or use --data.`)
}
