/** A server in a process of its own, for tests that end it: `serve.ts <folder>` prints its url. */
import { startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { endWithParent } from './child.ts'

endWithParent()
const server = await startEventStore({ dataDir: process.argv[2]! })
process.stdout.write(`${server.url}\n`)
process.once('SIGTERM', () => void server.close().then(() => process.exit(0)))
