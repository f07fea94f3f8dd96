import { expect } from 'chai'
import { createLog, reasonOf } from '../../infra/log.ts'

function linesOf(write: (log: ReturnType<typeof createLog>) => void, level = 'info') {
  const lines: string[] = []
  write(createLog({ service: 'command-api', level, destination: { write: line => lines.push(line) } }))
  return lines.map(line => JSON.parse(line))
}

describe('log', () => {
  it('writes the fields of the log format', () => {
    const [line] = linesOf(log =>
      log.child({ trace_id: 'abc' }).info({ user_id: 'ada', duration_ms: 4, item: 7n }, 'done'),
    )
    expect(line.timestamp).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    delete line.timestamp
    expect(line).to.deep.equal({
      level: 'info',
      service: 'command-api',
      trace_id: 'abc',
      user_id: 'ada',
      duration_ms: 4,
      context: { item: '7' },
      message: 'done',
    })
  })

  it('keeps quiet below its level', () => expect(linesOf(log => log.info('hidden'), 'warn')).to.deep.equal([]))

  it('tells an error with its stack and its cause', () => {
    const [line] = linesOf(log => log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed'))
    expect(line.context.error.stack).to.contain('log.test.ts')
    expect(line.context.error.cause.message).to.equal('inner')
    const [bare] = linesOf(log => log.error(new Error('alone')))
    expect(JSON.stringify(bare)).to.contain('log.test.ts')
  })

  it('says the reason of an outage in one line, without stacks', () => {
    const refused = Object.assign(new AggregateError([new Error('a'), new Error('b')]), { code: 'ECONNREFUSED' })
    expect(reasonOf(new Error('The database does not answer.', { cause: refused }))).to.equal(
      'The database does not answer.: ECONNREFUSED',
    )
    expect(reasonOf(new Error('two\nlines', { cause: 'text' }))).to.equal('two lines: text')
    expect(reasonOf(new Error('x'.repeat(9_000)))).to.have.length(500)
    const circle: Error = new Error('round')
    circle.cause = circle
    expect(reasonOf(circle)).to.equal('round')
  })

  it('censors secrets wherever they stand', () => {
    const secrets = [
      (log: ReturnType<typeof createLog>) => log.info({ headers: { Authorization: 'hush' } }, 'm'),
      (log: ReturnType<typeof createLog>) => log.info({ context: { password: 'hush' } }, 'm'),
      (log: ReturnType<typeof createLog>) => log.info({ api_key: 'hush', list: [{ refresh_token: 'hush' }] }, 'm'),
      (log: ReturnType<typeof createLog>) => log.info({ url: 'postgres://kogi:hush@db:5432/kogi' }, 'm'),
      (log: ReturnType<typeof createLog>) => log.info('no answer from esdb://admin:hush@events:2113?tls=true'),
      (log: ReturnType<typeof createLog>) => log.info({ said: 'Authorization was Bearer hush' }, 'm'),
      (log: ReturnType<typeof createLog>) => log.error({ err: new Error('postgres://kogi:hush@db/kogi') }, 'm'),
      (log: ReturnType<typeof createLog>) => log.error(new Error('postgres://kogi:hush@db/kogi')),
    ]
    for (const write of secrets) expect(JSON.stringify(linesOf(write)), write.toString()).not.to.contain('hush')
  })
})
