// What mocha requires before the test files, in its main process and in its workers: the hooks around every file, and
// one PostgreSQL server for all files of a run, started when the first one asks for it.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startEmbeddedPostgres } from '../../infra/embedded/postgres.ts'
import { silentLog } from '../../infra/log.ts'
import { followPace, measurePace } from './pace.ts'

export { mochaHooks } from './late-errors.ts'

type Server = { readonly url: string; readonly stop: () => Promise<void> }

/** Time after the last test in which the process ends by itself, unless something is left open. */
const LEFT_OPEN_MS = 1_000

let postgres: Promise<Server> | undefined
let stopMeasuring: (() => void) | undefined

followPace()

const desk = createServer((_, response) => {
  postgres ??= start()
  postgres.then(
    ({ url }) => response.end(url),
    error => response.writeHead(500).end(String(error)),
  )
})

async function start(): Promise<Server> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'kogi-test-'))
  const { url, stop } = await startEmbeddedPostgres({ dataDir, log: silentLog, volatile: true })
  return {
    url: url('postgres'),
    async stop() {
      await stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export async function mochaGlobalSetup(): Promise<void> {
  stopMeasuring = await measurePace()
  desk.listen(0, '127.0.0.1')
  await once(desk, 'listening')
  process.env.KOGI_TEST_FIXTURES = `http://127.0.0.1:${(desk.address() as AddressInfo).port}`
}

export async function mochaGlobalTeardown(): Promise<void> {
  desk.close()
  desk.closeAllConnections()
  await (await postgres)?.stop()
  stopMeasuring?.()
  // A server that a test left open would keep a run in one process alive for ever.
  setTimeout(() => process.exit(), LEFT_OPEN_MS).unref()
}
