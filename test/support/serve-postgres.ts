// A process that serves the embedded PostgreSQL of a folder until it is killed: tests of crashes kill it.
import { startEmbeddedPostgres } from '../../infra/embedded/postgres.ts'
import { silentLog } from '../../infra/log.ts'

const { url, pid } = await startEmbeddedPostgres({ dataDir: process.argv[2]!, log: silentLog })
process.stdout.write(`${JSON.stringify({ url: url('kogi'), server: pid })}\n`)
