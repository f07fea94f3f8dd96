import { expect } from 'chai'
import fc from 'fast-check'
import { taskTableRoute } from '../../commands/center/task-table.ts'
import type { EventStore } from '../../commands/ports.ts'
import type { CommandDeps } from '../../commands/requests.ts'
import { labelsOf, labelsText } from '../../domain/center/task/labels.ts'
import { task } from '../../domain/center/task/task.ts'
import type { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest } from '../../domain/kernel/route.ts'
import { answerTo } from '../../infra/http/errors.ts'
import { eventStore, eventsOf, noAnswer, ORG, startProcess } from './support.ts'

describe('a table of tasks', () => {
  const store = eventStore()

  /** Imports a table through a store whose appends go through a function. */
  async function send(content: string, key: string, append?: (go: EventStore['append']) => EventStore['append']) {
    const port = append ? { ...store.port, append: append(store.port.append) } : store.port
    const deps = {
      ...startProcess(port).deps,
      newKey: () => 'made-up',
      mustAllow: () => {},
      errorAnswer: answerTo,
    } as unknown as CommandDeps
    const request = {
      principal: { subject: 'user-1', org: ORG, roles: [], permissions: [] },
      body: { content },
      query: {},
      header: (name: string) => (name === 'idempotency-key' ? key : undefined),
      correlationId: 'b6e3a0f4-7d27-4c1e-9a55-0d8f1c2e3a4b',
    } as unknown as ApiRequest
    return taskTableRoute(deps).handle(request)
  }

  it('ends with a fault where the log does not answer, and goes on under the same key', async () => {
    const content = 'id,name\none,One\ntwo,Two\nthree,Three\n'
    let appends = 0
    const failing = send(content, 'key-1', go => async (...args) => {
      appends += 1
      if (appends > 1) throw noAnswer()
      return go(...args)
    })
    const error = (await failing.then(
      () => undefined,
      (error: unknown) => error,
    )) as KogiError
    expect(error.code).to.be.oneOf(['engine_unavailable', 'outcome_unknown'])
    expect(error.details).to.deep.include.members([
      { field: 'line', message: '3' },
      { field: 'Idempotency-Key', message: 'key-1' },
    ])
    const { data, headers } = await send(content, 'key-1')
    expect(data).to.deep.equal({ created: 3, refused: [] })
    expect(headers).to.include({ 'Idempotency-Key': 'key-1' })
    for (const id of ['one', 'two', 'three']) expect(await eventsOf(store.port, id, task)).to.have.length(1)
  })

  it('names the lines that it refuses, as they are numbered in the text', async () => {
    const content = 'id,name,description\na,A,"two\nlines"\n\nb,,\nc,C,"x"\na,Again,\n'
    const { data } = await send(content, 'key-2')
    const { created, refused } = data as { created: number; refused: { line: number; code: string }[] }
    expect([created, refused.map(({ line, code }) => `${line} ${code}`)]).to.deep.equal([
      2,
      ['5 invalid_body', '7 task_already_created'],
    ])
  })

  it('reads labels as it writes them, those with blanks and quote marks too', () => {
    expect(labelsOf('print "in press"  5" x"y')).to.deep.equal(['print', 'in press', '5"', 'x"y'])
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(...'ab" \t,') })), labels => {
        expect(labelsOf(labelsText(labels))).to.deep.equal(labels)
      }),
    )
  })
  it('takes a quoted text of many megabytes word by word: no label is so long', () =>
    expect(labelsOf(`"${'x y '.repeat(4_000_000)}"`)).to.have.length(8_000_001))
})
