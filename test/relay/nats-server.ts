/** A real NATS server with JetStream, on a free loopback port and a folder of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../infra/free-port.ts'
import { probeNats } from '../../infra/nats.ts'

/** Whether there is a nats-server to test with; without one, tests say so and are left out. */
export const hasNats = spawnSync('nats-server', ['--version']).status === 0
export const NO_NATS = 'no nats-server on this machine: apt-get install nats-server'

export type NatsServer = {
  readonly url: string
  /** Ends it as a power cut does. */
  readonly kill: () => Promise<void>
  /** Starts it again on the same port and folder. */
  readonly start: () => Promise<void>
  /** Kills it for good and removes its folder. */
  readonly close: () => Promise<void>
}

export async function startNats(): Promise<NatsServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-nats-'))
  const port = await freePort()
  const url = `nats://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  const start = async () => {
    child = spawn('nats-server', ['-js', '-sd', folder, '-a', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
    for (;;) {
      const answers = await probeNats(url).catch(() => undefined)
      if (answers) return
      await sleep(50)
    }
  }
  const kill = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await start()
  return {
    url,
    start,
    kill,
    async close() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
