import { openEngines } from '../infra/engines.ts'
import { startApi } from '../infra/processes/api.ts'
import { servingCommand } from './serve.ts'

/** `kogi read-api`: the read side alone. */
export const readApiCommand = () =>
  servingCommand('read-api', 'serve the read API alone', async ({ config, log, lifecycle }) => {
    const engines = await openEngines(config, log)
    lifecycle.onStop('engines', engines.close)
    return `ready ${await startApi({ config, urls: engines, log, lifecycle, sides: ['reads'] })}`
  })
