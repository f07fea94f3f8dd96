import { openEngines } from '../infra/engines.ts'
import { startGateway } from '../infra/gateway/process.ts'
import { servingCommand } from './serve.ts'

/** `kogi gateway`: one address for both APIs. */
export const gatewayCommand = () =>
  servingCommand('gateway', 'serve both APIs on one address, with limits', async ({ config, log, lifecycle }) => {
    const engines = await openEngines(config, log)
    lifecycle.onStop('engines', engines.close)
    return `ready ${await startGateway({ config, urls: engines, log, lifecycle })}`
  })
