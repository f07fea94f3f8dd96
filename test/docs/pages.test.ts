import { readdir, readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { liveMetrics } from '../../infra/http/live/metrics.ts'
import { createMetrics } from '../../infra/metrics.ts'
import { projectionMetrics } from '../../infra/projection-metrics.ts'
import { relayMetrics } from '../../infra/relay/metrics.ts'
import { VERSION } from '../../infra/version.ts'
import { workerMetrics } from '../../infra/worker-metrics.ts'
import { notice } from '../../scripts/dev.ts'
import { withRoles } from '../../scripts/roles.ts'
import { kogi } from '../../scripts/running.ts'
import { quietLog } from '../../scripts/serve.ts'
import { helpTexts } from '../../scripts/write-help.ts'

const page = (name: string) => readFile(`docs/${name}.md`, 'utf8')

describe('the pages of docs/', () => {
  it('are linked from the README', async () => {
    const readme = await readFile('README.md', 'utf8')
    for (const name of await readdir('docs')) if (name.endsWith('.md')) expect(readme).to.include(`](docs/${name})`)
  })

  it('have the roles that the services have', async () => {
    const text = await page('tokens')
    expect(text).to.include('| `auditor` |')
    expect(text, 'run: node --import tsx scripts/roles.ts').to.equal(withRoles(text))
  })

  it('name every metric of the processes, with its labels, and no other', async () => {
    const { registry } = createMetrics({ service: 'test' })
    projectionMetrics(registry)
    liveMetrics(registry)
    relayMetrics(registry).watch(() => ({ position: 0n, head: 0n, stuckMs: 0 }))
    workerMetrics(registry).watch(() => ({ processes: [], head: 0n, stuckMs: 0, timersStuck: 0 }))
    // The read API adds gauges of its own.
    const own = ['http_reads_at_work', 'http_reads_queued', 'kogi_live_connections']
    const made = registry.getMetricsAsArray().map(metric => {
      const { name, labelNames } = metric as unknown as { name: string; labelNames: string[] }
      return [name, ...labelNames].join(' ')
    })
    const rows = [...(await page('health-and-metrics')).matchAll(/^\| `([a-z_]+)` \| ((?:`[a-z]+`(?:, )?)*) ?\|/gm)]
    const metrics = rows.filter(([, name]) => name!.includes('_') && !NO_METRICS.has(name!))
    const said = metrics.map(([, name, labels]) => [name, ...(labels!.match(/[a-z]+/g) ?? [])].join(' '))
    expect(said.sort()).to.deep.equal([...made, ...own].sort())
  })
})

/** Probes whose names look like those of metrics. */
const NO_METRICS = new Set(['event_bus', 'event_store', 'read_models'])

describe('what the CLI says of itself', function says() {
  this.timeout(60_000)

  it('has one version, and one text for each help', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8'))
    expect(VERSION).to.equal(version)
    expect(await kogi(['--version'], {})).to.equal(VERSION)
    const texts = await helpTexts()
    expect(await kogi(['backup', 'verify', '--help'], {})).to.equal(texts.get('kogi backup verify')!.trim())
    expect(texts.get('kogi')).to.include('restore')
  })

  it('tells a person where everything is', () => {
    const text = notice('http://127.0.0.1:8080', { dataDir: '/books', jwks: undefined })
    expect(text).to.match(/^ready http:\/\/127\.0\.0\.1:8080\n/)
    expect(text).to.include('http://127.0.0.1:8080/docs').and.include('token --org').and.include('--data /books')
    expect(notice('http://x', { dataDir: '/books', jwks: 'https://id/keys' })).to.not.include('kogi -- token')
  })

  it('ends with 64 at a role that there is not', async () => {
    const args = ['token', '--org', 'acme', '--subject', 'mira', '--role', 'king']
    const failure = await kogi(args, {}).catch((error: { code: number; stderr: string }) => error)
    expect(failure).to.deep.include({ code: 64 })
    expect((failure as { stderr: string }).stderr).to.include('No such role: king')
  })

  it('shows what a verb does once: no log of commands between the lines of an import', () => {
    const shows = (logLevel: 'info' | 'debug' | 'error') => quietLog('kogi-import', { logLevel }).isLevelEnabled('info')
    expect([shows('info'), shows('error'), shows('debug')]).to.deep.equal([false, false, true])
    expect(quietLog('kogi-import', { logLevel: 'info' }).isLevelEnabled('warn')).to.equal(true)
  })
})
