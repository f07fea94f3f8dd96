import { openEngines } from '../infra/engines.ts'
import { startApi } from '../infra/processes/api.ts'
import { servingCommand } from './serve.ts'

/** `kogi command-api`: the write side alone. */
export const commandApiCommand = () =>
  servingCommand('command-api', 'serve the command API alone', async ({ config, log, lifecycle }) => {
    const engines = await openEngines(config, log)
    lifecycle.onStop('engines', engines.close)
    return `ready ${await startApi({ config, urls: engines, log, lifecycle, sides: ['commands'] })}`
  })
