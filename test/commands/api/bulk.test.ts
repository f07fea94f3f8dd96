import { expect } from 'chai'
import { apiSpec, type Call, type Step } from '../../support/api-spec.ts'

type Entry = Readonly<Record<string, unknown>>
type Result = {
  readonly status: number
  readonly key: string
  readonly data?: {
    readonly id: string
    readonly revision: string
    readonly position: string
    readonly replayed: boolean
    readonly events: readonly object[]
  }
  readonly error?: { readonly code: string; readonly details: readonly { readonly field: string }[] }
}

const opened = (id: string) => [
  { type: 'WalletOpened', data: { owner: 'user-1', kind: 'business' }, id },
  { type: 'AccountOpened', data: { account: 'main', currency: 'EUR', places: 2, overdraft: 'refused' }, id },
]
const money = { account: 'main', currency: 'EUR', counterparty: 'external:client' }
const credit = (id: string, amount: string, more: Entry = {}) => ({
  command: 'wallet.credit',
  id,
  body: { ...money, amount },
  ...more,
})
const debit = (id: string, amount: string, more: Entry = {}) => ({
  ...credit(id, amount, more),
  command: 'wallet.debit',
})
const outcome = ({ status, data, error }: Result) =>
  error ? `${status} ${error.code}` : `${status} ${data!.replayed ? 'replayed ' : ''}${data!.revision}`

describe('API: bulk', () => {
  const { given } = apiSpec()

  /** Sends a bulk and returns its results. */
  async function bulk(history: readonly Step[], commands: readonly Entry[], more: Call[3] = {}, query = '') {
    const answer = await given(...history)
      .when('POST', `/bulk${query}`, { commands }, more)
      .answers(200)
    const { results } = answer.body.data as { readonly results: readonly Result[] }
    expect(results).to.have.length(commands.length)
    return { answer, results }
  }

  it('answers each command in its order, things beside each other', async () => {
    const { answer, results } = await bulk(
      [...opened('a'), ...opened('b')],
      [credit('a', '5'), credit('b', '7'), debit('a', '2'), credit('c', '1')],
    )
    expect(results.map(outcome)).to.deep.equal(['201 2', '201 2', '201 3', '404 not_found'])
    const positions = results.flatMap(({ data }) => (data ? [Number(data.position)] : []))
    expect(answer.headers['kogi-position']).to.equal(String(Math.max(...positions)))
  })

  it('decides the commands of one thing one after another, and goes on behind one that is refused', () =>
    given()
      .when('POST', '/bulk', {
        commands: [
          { command: 'project.add', id: 'bridge', body: { name: 'Bridge' } },
          { command: 'project.change', id: 'bridge', body: { status: 'active' } },
          { command: 'project.add', body: { id: 'bridge', name: 'Twice' } },
          { command: 'project.change', id: 'bridge', body: { status: 'active' } },
          { command: 'project.remove', id: 'bridge' },
        ],
      })
      .then(
        200,
        {
          type: 'ProjectAdded',
          data: { name: 'Bridge', status: 'planned', owner: 'user-1', workflow: 'free', task_workflow: 'free' },
          id: 'bridge',
        },
        { type: 'ProjectChanged', data: { status: 'active' }, id: 'bridge' },
        { type: 'ProjectRemoved', data: {}, id: 'bridge' },
      ))

  it('gives the receipt of a single request, and its status', async () => {
    const { results } = await bulk(
      [],
      [
        { command: 'note.add', body: { id: 'n', title: 'Diary', body: 'Rain' }, key: 'k' },
        { command: 'note.change', id: 'n', body: { title: 'Diary' } },
        { command: 'note.remove', id: 'n' },
      ],
    )
    const single = await given()
      .when('POST', '/koff/notes', { id: 'n', title: 'Diary', body: 'Rain' }, { 'Idempotency-Key': 'k' })
      .answers(201)
    expect(Object.keys(results[0]!.data!)).to.have.members(Object.keys(single.body.data))
    expect(results[0]!.data!.events[0]).to.have.deep.property('data', single.body.data.events[0].data)
    expect(results[0]).to.include({ status: 201, key: 'k' })
    expect(results.slice(1).map(outcome)).to.deep.equal(['200 0', '204 1'])
  })

  describe('refuses a command as the single request would', () => {
    const PATH = '/kwlt/wallets/a/credits'
    const body = { ...money, amount: '5' }
    const cases: readonly [entry: Entry, single: Call][] = [
      [credit('a', '5', { body: { ...body, amount: 5 } }), ['POST', PATH, { ...body, amount: 5 }]],
      [credit('a', '5', { body: undefined }), ['POST', PATH]],
      [credit('b', '5'), ['POST', '/kwlt/wallets/b/credits', body]],
      [credit(' ', '5'), ['POST', '/kwlt/wallets/%20/credits', body]],
      [credit('a', '5', { if_match: '7' }), ['POST', PATH, body, { 'If-Match': '"7"' }]],
      [credit('a', '5', { if_match: 'W/"1"' }), ['POST', PATH, body, { 'If-Match': 'W/"1"' }]],
      [credit('a', '5', { key: 'k'.repeat(256) }), ['POST', PATH, body, { 'Idempotency-Key': 'k'.repeat(256) }]],
      [debit('a', '5'), ['POST', '/kwlt/wallets/a/debits', body]],
      [
        { command: 'note.add', body: { title: 'X', project: 'p' } },
        ['POST', '/koff/notes', { title: 'X', project: 'p' }],
      ],
      [
        { command: 'note.add', body: { title: 'X', colour: 'red' } },
        ['POST', '/koff/notes', { title: 'X', colour: 'red' }],
      ],
    ]
    for (const [entry, [method, path, sent, headers]] of cases) {
      it(`${method} ${path} ${JSON.stringify(headers ?? sent)?.slice(0, 60)}`, async () => {
        const { results } = await bulk(opened('a'), [entry])
        const { status, error } = results[0]!
        const single = await given(...opened('a'))
          .when(method, path, sent, headers)
          .answers({ status, code: error!.code })
        expect(error).to.deep.equal(single.body.error)
      })
    }
    it('where the caller may not give it, and gives the others', async () => {
      const allowed = ['office.notes.write']
      const commands = [credit('a', '5'), { command: 'note.add', body: { title: 'X' } }]
      const { results } = await bulk(opened('a'), commands, { allowed })
      const single = await given(...opened('a'))
        .when('POST', PATH, body, { allowed })
        .answers(403)
      expect(results[0]).to.deep.include({ status: 403, error: single.body.error })
      expect(results[1]!.status).to.equal(201)
    })
  })

  it('knows no command by another name, and none without a thing', async () => {
    const commands = [
      { command: 'wallet.rob', id: 'a' },
      { command: 'wallet.credit', body: {} },
      debit('a', '1', { id: 'x' }),
    ]
    const { results } = await bulk(opened('a'), commands)
    expect(results.map(outcome)).to.deep.equal(['400 invalid_body', '400 invalid_body', '404 not_found'])
    expect(results[0]!.error!.details.map(({ field }) => field)).to.deep.equal(['command'])
  })

  it('takes the id of a thing that is opened beside its body or in it, but not two of them', async () => {
    const { results } = await bulk(
      [],
      [
        { command: 'project.add', id: 'x', body: { name: 'A' } },
        { command: 'project.add', body: { id: 'y', name: 'B' } },
        { command: 'project.add', id: 'z', body: { id: 'z', name: 'C' } },
        { command: 'project.add', id: 'v', body: { id: 'w', name: 'D' } },
        { command: 'project.add', body: { name: 'E' } },
      ],
    )
    expect(results.map(({ status }) => status)).to.deep.equal([201, 201, 201, 400, 201])
    expect(results.map(({ data }) => data?.id).slice(0, 4)).to.deep.equal(['x', 'y', 'z', undefined])
  })

  for (const [what, commands] of [
    ['no command', []],
    ['more than 1,000', Array(1001).fill(credit('a', '1'))],
    ['a field that is none', [credit('a', '1', { colour: 'red' })]],
    ['an id that is no text', [credit('a', '1', { id: 7 })]],
  ] as const) {
    it(`with ${what} is no bulk`, () =>
      given(...opened('a'))
        .when('POST', '/bulk', { commands })
        .then({ status: 400, code: 'invalid_body' }))
  }

  describe('keys', () => {
    it('are made up where they are left out, and returned', async () => {
      const { results } = await bulk(opened('a'), [credit('a', '1'), credit('a', '1'), credit('a', '1', { key: 'k' })])
      expect(new Set(results.map(({ key }) => key)).size).to.equal(3)
      expect(results[2]!.key).to.equal('k')
    })
    it('take effect once in a bulk, whatever the other commands do', async () => {
      const commands = [
        credit('a', '5', { key: 'k' }),
        debit('a', '3'),
        credit('a', '5', { key: 'k' }),
        credit('a', '6', { key: 'k' }),
        debit('a', '3'),
      ]
      const { results } = await bulk(opened('a'), commands)
      expect(results.map(outcome)).to.deep.equal([
        '201 2',
        '201 3',
        '201 replayed 2',
        '422 idempotency_key_reused',
        '422 insufficient_funds',
      ])
    })
    it('follow from the key of the bulk: sent again, it is answered with the same receipts', async () => {
      const sent = { commands: [credit('a', '5'), debit('a', '1'), debit('a', '9')] }
      const key = { 'Idempotency-Key': 'january' }
      const { results } = await bulk([...opened('a'), ['POST', '/bulk', sent, key]], sent.commands, key)
      expect(results.map(outcome)).to.deep.equal(['201 replayed 2', '201 replayed 3', '422 insufficient_funds'])
    })
  })

  it('holds If-Match against what the commands before it made', async () => {
    const matched = (revision: string) => credit('a', '1', { if_match: revision })
    const { results } = await bulk(opened('a'), [matched('1'), matched('1'), matched('"2"'), matched('*')])
    expect(results.map(outcome)).to.deep.equal(['201 2', '412 precondition_failed', '201 3', '201 4'])
  })

  it('as a dry run decides each on what those before it would make, and writes nothing', async () => {
    const answer = await given(...opened('a'))
      .when('POST', '/bulk?dry_run=true', { commands: [credit('a', '5'), debit('a', '3'), debit('a', '3')] })
      .answers({ status: 200, appended: 0 })
    const { results } = answer.body.data as { readonly results: readonly Result[] }
    expect(results.map(outcome)).to.deep.equal(['200 1', '200 1', '422 insufficient_funds'])
    expect(results[1]!.data).to.have.property('dry_run', true)
  })

  it('brings 1,000 entries into one wallet', async () => {
    const { results } = await bulk(
      opened('a'),
      Array.from({ length: 1_000 }, (_, n) => credit('a', `${n + 1}`)),
    )
    expect(results.map(outcome)).to.deep.equal(results.map((_, n) => `201 ${n + 2}`))
  })
})
