import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

type Row = Readonly<Record<string, string>>

describe('what may be sent out of a wallet', function () {
  this.timeout(120_000)
  let app: App
  let mira: Client
  let jon: Client
  let ana: Client

  const sent = async (client: Client, path: string, body: object = {}, status = 201, method = 'POST') => {
    const answer = await client.call(method, `/api/v1/kwlt${path}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.equal(status)
    return answer.body
  }
  const readAt = async (path: string) => (await mira.call('GET', `/api/v1${path}`)).body.data
  const until = async <T>(look: () => Promise<T>, isSo: (found: T) => boolean): Promise<T> => {
    for (const end = Date.now() + patient(15_000); ; await sleep(20)) {
      const found = await look()
      if (found !== undefined && isSo(found)) return found
      if (Date.now() > end) expect.fail(`it stays as it is: ${JSON.stringify(found)}`)
    }
  }
  const transferIs = (id: string, status: string) =>
    until(
      () => readAt(`/kwlt/transfers/${id}`) as Promise<Row>,
      row => row.status === status,
    )
  const base = { from: 'studio', from_account: 'main', to: 'ben', to_account: 'main', currency: 'EUR' }
  const request = async (client: Client, amount: string, more: object = {}): Promise<string> =>
    (await sent(client, '/transfers', { ...base, amount, ...more })).data.id
  const balances = async () => {
    const rows = (await readAt('/kwlt/accounts')) as Row[]
    return Object.fromEntries(rows.map(({ wallet, balance, held }) => [wallet, `${balance}/${held}`]))
  }
  const entriesOf = async (wallet: string) =>
    ((await readAt(`/kwlt/wallets/${wallet}/entries`)) as unknown as { kind: string; postings: Row[] }[]).map(
      ({ kind, postings }) => `${kind} ${postings.map(({ account, amount }) => `${account} ${amount}`).join(', ')}`,
    )

  before(async () => {
    app = await startApp({ worker: true })
    mira = await app.clientOf('studio', 'organization-admin', 'mira')
    jon = await app.clientOf('studio', 'team-lead', 'jon')
    ana = await app.clientOf('studio', 'team-lead', 'ana')
    for (const id of ['studio', 'ben']) {
      await sent(mira, '/wallets', { id, kind: 'business' })
      await sent(mira, `/wallets/${id}/accounts`, { account: 'main', currency: 'EUR', overdraft: 'refused' })
    }
    await sent(mira, '/wallets', { id: 'shut', kind: 'business' })
    await sent(mira, '/wallets/shut/close', {}, 200)
    await sent(mira, '/wallets/studio/credits', { account: 'main', currency: 'EUR', amount: '10000' })
  })
  after(() => app?.close())

  it('is charged a fee, to who pays it, as an entry of its own', async () => {
    await transferIs(await request(jon, '1000', { fee: { share: '0.0125', fixed: '10' } }), 'completed')
    expect(await balances()).to.include({ studio: '8977/0', ben: '1000/0' })
    const second = await request(jon, '1000', { fee: { fixed: '30', payer: 'to', account: 'external:bank' } })
    const { fee, fee_payer, fee_account } = await transferIs(second, 'completed')
    expect({ fee, fee_payer, fee_account }).to.deep.equal({ fee: '30', fee_payer: 'to', fee_account: 'external:bank' })
    expect(await balances()).to.include({ studio: '7977/0', ben: '1970/0' })
    expect((await entriesOf('studio')).slice(1)).to.deep.equal([
      'transfer external:wallet:ben 1000, main -1000',
      'fee external:fees 23, main -23',
      'transfer external:wallet:ben 1000, main -1000',
    ])
    expect(await entriesOf('ben')).to.deep.equal([
      'transfer main 1000, external:wallet:studio -1000',
      'transfer main 1000, external:wallet:studio -1000',
      'fee external:bank 30, main -30',
    ])
  })

  it('is paid in batches, in which each payment ends by itself', async () => {
    const pay = (to: string, amount: string) => ({ to, to_account: 'main', amount })
    const payments = [pay('ben', '10'), pay('shut', '20'), pay('nobody', '30'), pay('ben', '40'), pay('ben', '99999')]
    const body = { id: 'salaries', from: 'studio', from_account: 'main', currency: 'EUR', payments }
    await sent(jon, '/payment-batches', body)
    const path = '/kwlt/payment-batches/salaries'
    const batch = await until(
      () => readAt(path) as Promise<Row>,
      ({ status }) => status !== 'running',
    )
    const { status, completed, failed, total, moved, requested_by } = batch
    expect({ status, completed, failed, total, moved, requested_by }).to.deep.equal({
      status: 'partly_completed',
      completed: 2,
      failed: 3,
      total: '100099',
      moved: '50',
      requested_by: 'jon',
    })
    const found = (await readAt(`${path}/payments`)) as Row[]
    expect(found.map(({ status, refusal }) => [status, refusal])).to.deep.equal([
      ['completed', undefined],
      ['refused', 'wallet_closed'],
      ['refused', 'reference_unknown'],
      ['completed', undefined],
      ['refused', 'insufficient_funds'],
    ])
    const { batch: of, status: end } = await readAt(`/kwlt/transfers/${found[0]!.transfer}`)
    expect({ of, end }).to.deep.equal({ of: 'salaries', end: 'completed' })
    expect(await balances()).to.include({ studio: '7927/0', ben: '2020/0' })
    const told = await until(
      async () => (await jon.call('GET', '/api/v1/khub/notifications')).body.data as Row[],
      rows => rows.some(({ kind }) => kind === 'payments_ended'),
    )
    expect(told.filter(({ thing }) => thing === found[0]!.transfer)).to.deep.equal([])
  })

  it('is an amount also in a batch as a whole', async () => {
    const payment = { to: 'ben', to_account: 'main', amount: '9'.repeat(38) }
    const body = { from: 'studio', from_account: 'main', currency: 'EUR', payments: [payment, payment] }
    const { error } = await sent(jon, '/payment-batches', body, 422)
    expect([error.code, error.details]).to.deep.equal(['amount_out_of_range', [{ field: 'field', message: 'total' }]])
  })

  it('waits for a second person above an amount', async () => {
    const rules = { zone: 'Europe/Berlin', approvals: [{ currency: 'EUR', above: '500' }] }
    await sent(mira, '/wallets/studio/transfer-rules', rules, 200, 'PUT')
    await transferIs(await request(jon, '500'), 'completed')
    const id = await request(jon, '501')
    const { requested_by, approvers } = await transferIs(id, 'waiting')
    expect({ requested_by, approvers }).to.deep.equal({ requested_by: 'jon', approvers: ['mira'] })
    await until(
      async () => (await mira.call('GET', '/api/v1/khub/notifications')).body.data as Row[],
      rows => rows.some(({ kind, id: _ }) => kind === 'transfer_approval_asked'),
    )
    const own = await sent(jon, `/transfers/${id}/approve`, {}, 422)
    expect(own.error.code).to.equal('transfer_of_oneself')
    await sent(ana, `/transfers/${id}/approve`, { reason: 'As agreed' }, 200)
    expect(await transferIs(id, 'completed')).to.include({ decided_by: 'ana' })
    const other = await request(jon, '600')
    await transferIs(other, 'waiting')
    await sent(ana, `/transfers/${other}/decline`, { reason: 'Not agreed' }, 200)
    expect(await transferIs(other, 'declined')).to.include({ decided_by: 'ana', reason: 'Not agreed' })
    const late = await request(jon, '600', { expires_at: new Date(Date.now() + 2_000).toISOString() })
    await transferIs(late, 'timed_out')
    expect(await balances()).to.include({ studio: '6926/0', ben: '3021/0' })
  })

  it('waits as a whole where the payments of a batch are more together, and is decided on by one command', async () => {
    const pay = (to: string, amount: string) => ({ to, to_account: 'main', amount })
    const payments = ['200', '200', '101'].map(amount => pay('ben', amount))
    const waits = async (id: string) => {
      const body = { id, from: 'studio', from_account: 'main', currency: 'EUR', payments }
      await sent(jon, '/payment-batches', body)
      await batchIs(id, 'waiting')
    }
    const batchIs = (id: string, status: string) =>
      until(
        () => readAt(`/kwlt/payment-batches/${id}`) as Promise<Row>,
        row => row.status === status,
      )
    const statuses = async (id: string) =>
      ((await readAt(`/kwlt/payment-batches/${id}/payments`)) as Row[]).map(({ status }) => status)
    const askedOf = async (client: Client) =>
      ((await client.call('GET', '/api/v1/khub/notifications')).body.data as Row[]).filter(
        ({ kind, category }) => kind === 'transfer_approval_asked' && category === 'paymentbatch',
      )
    await waits('many')
    expect(await statuses('many')).to.deep.equal(['waiting', 'waiting', 'waiting'])
    expect(
      await until(
        () => askedOf(mira),
        rows => rows.length > 0,
      ),
    ).to.have.length(1)
    expect((await sent(jon, '/payment-batches/many/approve', {}, 422)).error.code).to.equal('payment_batch_of_oneself')
    await sent(ana, '/payment-batches/many/approve', { reason: 'As agreed' }, 200)
    expect(await batchIs('many', 'completed')).to.include({ completed: 3, moved: '501' })
    expect(await balances()).to.include({ studio: '6425/0', ben: '3522/0' })
    await waits('none')
    await sent(ana, '/payment-batches/none/decline', { reason: 'Not agreed' }, 200)
    expect(await batchIs('none', 'failed')).to.include({ failed: 3, moved: '0' })
    const [{ transfer }] = (await readAt('/kwlt/payment-batches/none/payments')) as [Row]
    expect(await readAt(`/kwlt/transfers/${transfer}`)).to.include({ status: 'declined', decided_by: 'ana' })
    expect(await balances()).to.include({ studio: '6425/0', ben: '3522/0' })
  })

  it('is approved by users of the wallet alone, once it names some', async () => {
    await sent(mira, '/wallets/studio/users', { user: 'jon', right: 'post' })
    const id = await request(jon, '700')
    await transferIs(id, 'waiting')
    await sent(ana, `/transfers/${id}/approve`, {}, 200)
    const steps = (row: Row) => (row.steps as unknown as Row[]).map(({ step }) => step)
    await until(
      () => readAt(`/kwlt/transfers/${id}`) as Promise<Row>,
      row => steps(row).join() === 'requested,waiting,approved,waiting',
    )
    await sent(mira, `/transfers/${id}/approve`, {}, 200)
    await transferIs(id, 'completed')
  })

  it('leaves it by a standing order, or later, only for who may send from it', async () => {
    const starts = new Date(Date.now() + patient(1_500)).toISOString().slice(0, 19)
    const order = { ...base, amount: '1', rule: 'FREQ=SECONDLY;COUNT=1', starts, zone: 'UTC' }
    await sent(ana, '/standing-orders', { id: 'of-ana', ...order })
    await sent(jon, '/standing-orders', { id: 'of-jon', ...order })
    const soon = new Date(Date.now() + 500).toISOString()
    const later = await request(ana, '1', { due_at: soon })
    expect(await transferIs(later, 'refused')).to.include({ refusal: 'wallet_right_missing', requested_by: 'ana' })
    const transferOf = async (id: string) => {
      const { last_transfer } = await until(
        () => readAt(`/kwlt/standing-orders/${id}`) as Promise<Row>,
        ({ status }) => status === 'ended',
      )
      return last_transfer!
    }
    await transferIs(await transferOf('of-jon'), 'completed')
    const refused = await transferOf('of-ana')
    expect(await transferIs(refused, 'refused')).to.include({ refusal: 'wallet_right_missing', requested_by: 'ana' })
    await until(
      async () => (await ana.call('GET', '/api/v1/khub/notifications')).body.data as Row[],
      rows => rows.some(({ kind, thing }) => kind === 'transfer_refused' && thing === refused),
    )
  })

  it('is limited by the day, whatever comes at the same time', async () => {
    await sent(mira, '/wallets', { id: 'shop', kind: 'business' })
    await sent(mira, '/wallets/shop/accounts', { account: 'main', currency: 'EUR', overdraft: 'refused' })
    await sent(mira, '/wallets/shop/credits', { account: 'main', currency: 'EUR', amount: '9000' })
    const rules = { limits: [{ currency: 'EUR', per_day: '1000' }] }
    await sent(mira, '/wallets/shop/transfer-rules', rules, 200, 'PUT')
    const ids = await Promise.all(Array.from({ length: 12 }, () => request(jon, '300', { from: 'shop' })))
    const rows = await Promise.all(
      ids.map(id =>
        until(
          () => readAt(`/kwlt/transfers/${id}`) as Promise<Row>,
          ({ status }) => status === 'completed' || status === 'refused',
        ),
      ),
    )
    expect(rows.map(({ refusal }) => refusal ?? '').toSorted()).to.deep.equal([
      ...Array.from({ length: 3 }, () => ''),
      ...Array.from({ length: 9 }, () => 'transfer_limit_passed'),
    ])
    expect(await balances()).to.include({ shop: '8100/0' })
    const { transfer_rules } = await readAt('/kwlt/wallets/shop')
    expect(transfer_rules).to.deep.equal({ zone: 'UTC', ...rules, approvals: [] })
  })
})
