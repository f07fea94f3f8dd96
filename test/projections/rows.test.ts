import { expect } from 'chai'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { items } from '../../projections/briefcase/items.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { memories } from '../../projections/memory/memories.ts'
import { fold, sortedRows } from '../../projections/rows/fold.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { entries } from '../../projections/wallet/entries.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { wallets } from '../../projections/wallet/wallets.ts'

/** Facts of one thing, at positions 100, 200 … and one second after another. */
function facts(category: string, id: string, ...all: readonly [type: string, data: unknown][]): DomainEvent[] {
  return all.map(([type, data], n) => ({
    type,
    data,
    eventId: `00000000-0000-4000-8000-00000000000${n}`,
    stream: `${category}-${id}`,
    category,
    revision: BigInt(n),
    position: BigInt((n + 1) * 100),
    metadata: {
      $correlationId: 'request',
      $causationId: 'cause',
      commandId: '00000000-0000-4000-8000-0000000000ff',
      fingerprint: 'f',
      org: 'acme',
      id,
      actor: { subject: 'mira', roles: ['team-member'] },
      subjects: [],
      at: second(n),
      schema: 1,
    },
  }))
}
const second = (n: number) => `2026-03-01T00:00:0${n}.000Z`

/** The rows that the facts give, without the columns that every row has. */
async function rowsOf(projection: AnyProjection, events: readonly DomainEvent[]) {
  return sortedRows(await fold([projection], events), projection)
}

const posting = (account: string, amount: bigint) => ({ account, currency: 'EUR', amount })
const entry = (n: number, ...list: ReturnType<typeof posting>[]) =>
  [
    'EntryPosted',
    { entry: `e${n}`, kind: 'journal', postings: list, effectiveOn: '2026-02-28', description: `No ${n}` },
  ] as [string, unknown]
const account = (name: string) =>
  ['AccountOpened', { account: name, currency: 'EUR', places: 2, overdraft: 'refused' }] as [string, unknown]

const book = facts(
  'wallet',
  'studio',
  ['WalletOpened', { owner: 'mira', kind: 'business' }],
  account('main'),
  account('taxes'),
  entry(1, posting('main', 500n), posting('external:client', -500n)),
  entry(2, posting('main', -150n), posting('taxes', 100n), posting('main', -50n), posting('external:fee', 100n)),
)

describe('rows of a wallet', () => {
  it('say who owns it, how many accounts it has, and whether it is open', async () => {
    const [open] = await rowsOf(wallets, book)
    expect(open).to.deep.include({
      id: 'studio',
      owner: 'mira',
      status: 'open',
      accounts: 2,
      revision: 2n,
      opened_at: second(0),
    })
    const [closed] = await rowsOf(
      wallets,
      facts('wallet', 'w', ['WalletOpened', { owner: 'a', kind: 'personal' }], ['WalletClosed', {}]),
    )
    expect(closed).to.deep.include({ status: 'closed', revision: 1n, updated_at: second(1) })
  })

  it('hold the balance of each of its accounts, and of no external one', async () => {
    const rows = await rowsOf(balances, book)
    expect(
      rows.map(({ account, balance, postings, revision }) => [account, balance, postings, revision]),
    ).to.deep.equal([
      ['main', 300n, 3n, 4n],
      ['taxes', 100n, 1n, 4n],
    ])
  })

  it('list each entry once, with its postings in their order', async () => {
    const rows = await rowsOf(entries, book)
    expect(
      rows.map(({ id, effective_on, posted_by, position }) => [id, effective_on, posted_by, position]),
    ).to.deep.equal([
      ['e1', '2026-02-28', 'mira', 400n],
      ['e2', '2026-02-28', 'mira', 500n],
    ])
    expect(rows[1]!.postings as unknown[]).to.have.lengthOf(4)
  })

  it('list each posting by account, external ones too, and add up to zero', async () => {
    const rows = await rowsOf(postings, book)
    expect(
      rows.map(({ account, revision, line, amount, external }) => [account, revision, line, amount, external]),
    ).to.deep.equal([
      ['external:client', 3n, 1, -500n, true],
      ['external:fee', 4n, 3, 100n, true],
      ['main', 3n, 0, 500n, false],
      ['main', 4n, 0, -150n, false],
      ['main', 4n, 2, -50n, false],
      ['taxes', 4n, 1, 100n, false],
    ])
    expect(rows.reduce((sum, { amount }) => sum + (amount as bigint), 0n)).to.equal(0n)
  })
})

describe('rows of an item', () => {
  const added = ['ItemAdded', { type: 'asset', status: 'draft', name: 'Map', metadata: { a: 1 }, owner: 'mira' }] as [
    string,
    unknown,
  ]

  it('follow its changes, and keep what a change does not name', async () => {
    const [row] = await rowsOf(
      items,
      facts(
        'item',
        'map',
        added,
        ['ItemUpdated', { description: 'Old' }],
        ['ItemUpdated', { name: 'Chart' }],
        ['ItemStatusChanged', { from: 'draft', to: 'sold' }],
      ),
    )
    expect(row).to.deep.include({
      name: 'Chart',
      description: 'Old',
      status: 'sold',
      state: 'active',
      metadata: { a: 1 },
      revision: 3n,
    })
    const [bare] = await rowsOf(
      items,
      facts('item', 'map', added, ['ItemUpdated', { description: 'x' }], ['ItemUpdated', { description: null }]),
    )
    expect(bare!.description).to.equal(undefined)
  })

  it('stay when it is archived, and begin anew when it is added again', async () => {
    const [gone] = await rowsOf(items, facts('item', 'map', added, ['ItemArchived', {}]))
    expect(gone!.state).to.equal('archived')
    const again = ['ItemAdded', { type: 'asset', status: 'new', name: 'Map II', metadata: {}, owner: 'jo' }] as [
      string,
      unknown,
    ]
    const [back] = await rowsOf(items, facts('item', 'map', added, ['ItemArchived', {}], again))
    expect(back).to.deep.include({
      state: 'active',
      name: 'Map II',
      status: 'new',
      owner: 'jo',
      metadata: {},
      added_at: second(2),
    })
  })

  it('are impossible before the item is added', async () => {
    const orphan = facts('item', 'map', ['ItemArchived', {}])
    const error = await rowsOf(items, orphan).catch(failure => failure as Error)
    expect((error as Error).name).to.equal('InvariantError')
  })
})

describe('rows of a task', () => {
  it('count its changes and know when it was completed, until it is reopened', async () => {
    const done = facts(
      'task',
      'brief',
      ['TaskCreated', { name: 'Brief', status: 'open', assignee: 'mira', dueOn: '2026-04-01' }],
      ['TaskAssigned', { from: 'mira', to: null }],
      ['TaskMovedToTeam', { from: null, to: 'office' }],
      ['TaskStatusChanged', { from: 'open', to: 'sent' }],
      ['TaskCompleted', { from: 'sent' }],
    )
    const [row] = await rowsOf(tasks, done)
    const counts = { status_changes: 2n, reassignments: 1n, team_changes: 1n }
    expect(row).to.deep.include({
      ...counts,
      status: 'completed',
      team: 'office',
      due_on: '2026-04-01',
      completed_at: second(4),
    })
    expect(row!.assignee).to.equal(undefined)
    const reopened = facts('task', 'brief', ...done.map(({ type, data }) => [type, data] as [string, unknown]), [
      'TaskStatusChanged',
      { from: 'completed', to: 'open' },
    ])
    const [open] = await rowsOf(tasks, reopened)
    expect(open).to.deep.include({ status: 'open', status_changes: 3n })
    expect(open!.completed_at).to.equal(undefined)
  })
})

describe('rows of everything', () => {
  it('note every event: who, what, when, by which command', async () => {
    const rows = await rowsOf(auditLog, book)
    expect(rows).to.have.lengthOf(book.length)
    expect(rows[3]).to.deep.include({
      position: 400n,
      category: 'wallet',
      id: 'studio',
      type: 'EntryPosted',
      actor: 'mira',
      at: second(3),
    })
  })

  it('remember what has words: items, tasks and entries', async () => {
    const item = facts('item', 'map', [
      'ItemAdded',
      {
        type: 'asset',
        status: 'draft',
        name: 'Map',
        description: 'Of a harbour',
        metadata: { by: 'Jo' },
        owner: 'mira',
      },
    ])
    const [memory] = await rowsOf(memories, item)
    expect(memory).to.deep.include({ kind: 'item', subject: 'map', source: 'map', title: 'Map', body: 'Of a harbour' })
    expect(memory!.details as string).to.include('Jo')
    const found = await rowsOf(memories, book)
    expect(found.map(({ subject, source, title }) => [subject, source, title])).to.deep.equal([
      ['e1', 'studio', 'No 1'],
      ['e2', 'studio', 'No 2'],
    ])
  })
})
