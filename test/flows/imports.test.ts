import { expect } from 'chai'
import { ACCOUNT, bankImports, csv, layout, mt940 } from '../support/imports.ts'

describe('imports of bank statements', function () {
  this.timeout(60_000)
  const bank = bankImports('banks')
  const { send, imported, list } = bank
  const balanceOf = async (position: string) =>
    (await list(`wallets/${bank.wallet}/accounts`, position)).find(
      ({ account }: { account: string }) => account === 'assets:bank',
    )?.balance

  it('book each row once: the same file adds nothing, and two equal rows both stay', async () => {
    const file = csv('2026-01-02;-3.50;Coffee;', '2026-01-02;-3.50;Coffee;', '2026-01-03;100.00;Client;')
    const first = await imported(file)
    expect(first).to.include({ status: 'booked', booked: 3, rows: 3, there: 0 })
    expect(await balanceOf(first.position)).to.equal('9300')
    const again = await imported(file)
    expect(again).to.include({ booked: 0, there: 3, import: first.import })
    expect(await list(`imports?wallet=${bank.wallet}`, again.position)).to.have.length(1)
  })

  it('add what an overlapping file has more, and take an id that comes again another year as another row', async () => {
    await imported(csv('2025-01-02;-3.50;Coffee;17'))
    const more = await imported(
      csv('2025-01-02;-3.50;Coffee;17', '2026-01-02;-3.50;Coffee;17', '2026-01-02;-4.00;Tea;17'),
    )
    expect(more).to.include({ booked: 2, there: 1 })
    expect(await balanceOf(more.position)).to.equal('-1100')
  })

  it('book nothing of a file that is not sound, and say why, by line', async () => {
    const { status, body } = await send(csv('2026-01-02;-3.50;Coffee;', '2026-13-02;x;Tea;'))
    expect([status, body.error.code]).to.deep.equal([422, 'statement_invalid'])
    expect(body.error.details[0].field).to.equal('line 3')
    expect(await list(`imports?wallet=${bank.wallet}`)).to.deep.equal([])
    expect(await list(`wallets/${bank.wallet}/entries`)).to.deep.equal([])
  })

  it('refuse a statement that its balances contradict, until its gap is accepted and shown', async () => {
    const file = mt940('99,00', ':61:260102D2,00NTRFNONREF')
    const refused = await send(file, { format: 'mt940' })
    expect([refused.status, refused.body.error.code]).to.deep.equal([422, 'statement_gap'])
    expect(refused.body.error.message).to.include('it lacks 1')
    const { import: id, statements, position } = await imported(file, { format: 'mt940', accept_gaps: true })
    expect(statements[0]).to.include({
      opening: '10000',
      sum: '-200',
      closing: '9900',
      gap: '100',
      account: 'assets:bank',
    })
    expect((await list(`imports/${id}`, position)).statements[0].gap).to.equal('100')
    expect(await balanceOf(position)).to.equal('9800')
  })

  it('book the opening balance of a new account, unless told otherwise', async () => {
    const file = mt940('98,00', ':61:260102D2,00NTRFNONREF')
    const { booked, position } = await imported(file, { format: 'mt940' })
    expect(booked).to.equal(2)
    expect(await balanceOf(position)).to.equal('9800')
    await bank.openWallet()
    const left = await imported(file, { format: 'mt940', opening: 'leave' })
    expect(await balanceOf(left.position)).to.equal('-200')
  })

  it('ask about rows that may be entries which are there, and take no one for granted', async () => {
    const account = { account: 'assets:bank', currency: 'EUR' }
    await bank.client.call('POST', `/api/v1/kwlt/wallets/${bank.wallet}/accounts`, {
      body: { ...account, overdraft: 'allowed' },
    })
    const paid = { ...account, amount: '350', effective_on: '2026-01-01', description: 'Coffee, paid by card' }
    const { body } = await bank.client.call('POST', `/api/v1/kwlt/wallets/${bank.wallet}/debits`, { body: paid })
    const { entry } = body.data.events[0].data
    const file = csv('2026-01-02;-3.50;Coffee;', '2026-01-09;-3.50;Coffee;')
    const refused = await send(file)
    expect([refused.status, refused.body.error.code]).to.deep.equal([422, 'matches_undecided'])
    const proposal = (await send(file, {}, bank.client, '?dry_run=true')).body.data
    expect(proposal).to.include({ status: 'refused', proposed: 1, new: 1, booked: 0 })
    expect(proposal.refusal).to.deep.equal(refused.body.error)
    const [{ row, entry: proposed, line }] = proposal.shown
    expect([proposed, line]).to.deep.equal([entry, 2])
    const matched = await imported(file, { matches: [{ row, entry }] })
    expect(matched).to.include({ booked: 1, matched: 1 })
    expect(await balanceOf(matched.position)).to.equal('-700')
    // What was said stands: the row is known in another file too.
    const other = await imported(csv('2026-01-02;-3.50;Coffee;', '2026-01-20;-1.00;Tea;'))
    expect(other).to.include({ booked: 1, matched: 1, proposed: 0 })
    expect((await list(`imports/${matched.import}`, other.position)).matched).to.deep.equal([{ row, entry }])
  })

  it('book a row that was said to be another one', async () => {
    const account = { account: 'assets:bank', currency: 'EUR' }
    await bank.client.call('POST', `/api/v1/kwlt/wallets/${bank.wallet}/accounts`, {
      body: { ...account, overdraft: 'allowed' },
    })
    await bank.client.call('POST', `/api/v1/kwlt/wallets/${bank.wallet}/credits`, {
      body: { ...account, amount: '700', effective_on: '2026-01-02' },
    })
    const file = csv('2026-01-02;7.00;Client;')
    const [{ row }] = (await send(file, {}, bank.client, '?dry_run=true')).body.data.shown
    const { position } = await imported(file, { matches: [{ row, entry: null }] })
    expect(await balanceOf(position)).to.equal('1400')
    const nothing = await send(file, { matches: [{ row: 'bank:0:1', entry: null }] })
    expect([nothing.status, nothing.body.error.code]).to.deep.equal([422, 'import_invalid'])
  })

  it('are taken back as a whole, and can be imported again', async () => {
    const file = csv('2026-01-02;-3.50;Coffee;', '2026-01-03;100.00;Client;')
    const first = await imported(file)
    const undo = () =>
      bank.client.call('POST', `/api/v1/kwlt/imports/${first.import}/undo`, { body: { reason: 'Wrong file' } })
    const { status, body, headers } = await undo()
    expect([status, body.data.reversed]).to.deep.equal([200, 2])
    const position = String(headers['kogi-position'])
    expect(await balanceOf(position)).to.equal('0')
    expect(await list(`imports/${first.import}`, position)).to.include({ status: 'undone', reason: 'Wrong file' })
    expect((await undo()).body.data.reversed).to.equal(0)
    const second = await imported(file)
    expect(second.import).to.not.equal(first.import)
    expect(second).to.include({ booked: 2, there: 0 })
    expect(await balanceOf(second.position)).to.equal('9650')
  })

  it('follow rules, which must pass their own tests', async () => {
    const rules = {
      csv: layout,
      accounts: [{ bank: ACCOUNT, account: 'assets:giro' }],
      unmatched: 'external:unsorted',
      rules: [{ when: { payee: 'coffee' }, account: 'expenses:food', description: 'Coffee' }],
      tests: [{ payee: 'COFFEE BAR', amount: '-3', expect: 'expenses:food' }],
    }
    const { shown, position } = await imported(csv('2026-01-02;-3.50;COFFEE 1;', '2026-01-02;5;Client;'), { rules })
    expect(shown.map(({ against, rule }: { against: string; rule?: number }) => [against, rule])).to.deep.equal([
      ['expenses:food', 1],
      ['external:unsorted', undefined],
    ])
    const accounts = await list(`wallets/${bank.wallet}/accounts`, position)
    expect(accounts.map(({ account, balance }: Record<string, string>) => [account, balance])).to.deep.equal([
      ['assets:giro', '150'],
      ['expenses:food', '350'],
    ])
    const broken = { ...rules, tests: [{ payee: 'Tea', amount: '-3', expect: 'expenses:food' }] }
    const refused = await send(csv('2026-01-05;1;x;'), { rules: broken })
    expect(refused.body.error.message).to.equal(
      'The rules fail their own tests: test 1: no rule says external:unsorted, not expenses:food.',
    )
  })

  it('need the permissions of what they do', async () => {
    const file = csv('2026-01-02;-3.50;Coffee;')
    const member = await bank.app.clientOf('banks', 'team-member')
    expect((await send(file, {}, member)).status).to.equal(403)
    const lead = await bank.app.clientOf('banks', 'team-lead')
    const opens = await send(file, {}, lead)
    expect([opens.status, opens.body.error.details[0].message]).to.deep.equal([403, 'wallet.wallets.write'])
    const body = { account: 'assets:bank', currency: 'EUR', overdraft: 'allowed' }
    await bank.client.call('POST', `/api/v1/kwlt/wallets/${bank.wallet}/accounts`, { body })
    expect((await send(file, {}, lead)).status).to.equal(200)
  })

  it('go into a wallet of the org that is open', async () => {
    const other = await bank.app.clientOf('others')
    expect((await send(csv('2026-01-02;1;x;'), {}, other)).status).to.equal(404)
  })
})
