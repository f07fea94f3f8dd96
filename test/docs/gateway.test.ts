import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { freePort } from '../../infra/free-port.ts'

const run = promisify(execFile)

/** A server that answers who it is and what it was asked. */
async function echo(name: string): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader('Kogi-Position', '42')
    response.end(`${name} ${request.method} ${request.url}`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const portOf = (server: Server) => (server.address() as AddressInfo).port

describe('the configuration of a gateway', function gateway() {
  this.timeout(20_000)
  let folder: string
  before(async function nginxOnly() {
    if (spawnSync('nginx', ['-v']).error) this.skip()
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-gateway-'))
  })
  after(() => folder && rm(folder, { recursive: true, force: true }))

  it('sends reads to one API and commands to the other, and hides the metrics', async () => {
    const [commands, reads, port] = [await echo('commands'), await echo('reads'), await freePort()]
    const text = (await readFile('docs/gateway.nginx.conf', 'utf8'))
      .replace(':8081', `:${portOf(commands)}`)
      .replace(':8082', `:${portOf(reads)}`)
      .replace(':8080', `:${port}`)
      .replaceAll('/tmp/kogi-gateway', path.join(folder, 'gateway'))
    const file = path.join(folder, 'nginx.conf')
    await writeFile(file, text)
    await run('nginx', ['-t', '-c', file])
    const nginx = spawn('nginx', ['-c', file, '-g', 'daemon off;'], { stdio: 'ignore' })
    try {
      const ask = async (method: string, to: string) => {
        const answer = await fetch(`http://127.0.0.1:${port}${to}`, { method })
        return { status: answer.status, said: await answer.text(), position: answer.headers.get('kogi-position') }
      }
      while (!(await ask('GET', '/docs').catch(() => undefined))) await sleep(50)
      const notes = '/api/v1/koff/notes?limit=5'
      expect(await ask('GET', notes)).to.deep.equal({ status: 200, said: `reads GET ${notes}`, position: '42' })
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
        expect((await ask(method, notes)).said).to.equal(`commands ${method} ${notes}`)
      expect((await ask('GET', '/health/commands')).said).to.equal('commands GET /health/ready')
      expect((await ask('GET', '/health/reads')).said).to.equal('reads GET /health/ready')
      expect((await ask('GET', '/metrics')).status).to.equal(404)
    } finally {
      nginx.kill('SIGTERM')
      await once(nginx, 'exit')
      for (const server of [commands, reads]) server.closeAllConnections()
      for (const server of [commands, reads]) server.close()
    }
  })
})
