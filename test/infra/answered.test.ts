import { expect } from 'chai'
import type { Command } from '../../commands/command.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { answeredCommands } from '../../infra/answered.ts'
import { aggregates } from '../../infra/catalogue.ts'
import { createLog } from '../../infra/log.ts'
import { createMetrics } from '../../infra/metrics.ts'

const command = {
  aggregate: aggregates.find(({ name }) => name === 'item')!,
  name: 'add',
  id: 'x',
  opens: true,
  body: { name: 'private' },
  idempotencyKey: 'k',
  principal: { subject: 'ada', org: 'acme', roles: [], permissions: [] },
  correlationId: 'trace-1',
} satisfies Command
const receipt = { id: 'x', stream: 'item-1', revision: 3n, position: 70n, events: [], replayed: false }
const event = { type: 'ItemAdded', eventId: 'e', revision: 3n, data: {} }

describe('answered commands', () => {
  it('are counted by outcome, and logged in one line where they were accepted', async () => {
    const lines: Record<string, unknown>[] = []
    const log = createLog({ service: 'test', destination: { write: line => lines.push(JSON.parse(line)) } })
    const metrics = createMetrics({ service: 'test' })
    const note = answeredCommands(log, metrics)
    note(command, { receipt: { ...receipt, events: [event] } }, 4.20042)
    note(command, { receipt }, 1)
    note(command, { receipt: { ...receipt, replayed: true } }, 1)
    note({ ...command, dryRun: Symbol('dry run') }, { receipt }, 1)
    note(command, { error: new KogiError('conflict', 'late') }, 1)
    note(command, { error: new TypeError('a bug') }, 1)
    expect(lines).to.have.length(3)
    expect(lines[0]).to.deep.include({
      level: 'info',
      trace_id: 'trace-1',
      user_id: 'ada',
      duration_ms: 4.2,
      message: 'command accepted',
      context: { command: 'item.add', outcome: 'accepted', stream: 'item-1', revision: '3', org: 'acme' },
    })
    expect(JSON.stringify(lines)).to.not.include('private')
    const text = await metrics.registry.metrics()
    for (const outcome of ['accepted', 'unchanged', 'replayed', 'dry_run', 'conflict', 'internal']) {
      expect(text).to.contain(`kogi_commands_total{command="item.add",outcome="${outcome}",service="test"} 1`)
    }
  })
})
