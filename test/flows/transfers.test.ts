import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

type Transfer = {
  readonly status: string
  readonly steps: readonly { readonly step: string }[]
  readonly refusal?: string
  readonly refused_at?: string
}

describe('a transfer', function () {
  this.timeout(60_000)
  let app: App
  let client: Client

  before(async () => {
    app = await startApp({ worker: true })
    client = await app.clientOf('family')
    for (const id of ['mira', 'ben', 'shut']) {
      await sent('/wallets', { id, kind: 'personal' })
      await sent(`/wallets/${id}/accounts`, { account: 'main', currency: 'EUR', overdraft: 'refused' })
    }
    await sent('/wallets/mira/credits', { account: 'main', currency: 'EUR', amount: '1000' })
    await sent('/wallets/shut/close', {})
  })
  after(async () => {
    client?.close()
    await app?.close()
  })

  const sent = async (path: string, body: object) => {
    const answer = await client.call('POST', `/api/v1/kwlt${path}`, { body })
    expect([200, 201], JSON.stringify(answer.body)).to.include(answer.status)
    return answer.body.data
  }
  const base = { from: 'mira', from_account: 'main', to: 'ben', to_account: 'main', currency: 'EUR' }
  const request = (more: object) => sent('/transfers', { ...base, ...more })
  const read = async (path: string) => {
    const { status, body } = await client.call('GET', `/api/v1/kwlt${path}`)
    expect(status, JSON.stringify(body)).to.equal(200)
    return body.data
  }
  /** What is read at a path once it has a status. */
  const readUntil = async (path: string, wanted: string) => {
    for (const end = Date.now() + patient(10_000); ; await sleep(20)) {
      const { status, body } = await client.call('GET', `/api/v1/kwlt${path}`)
      if (status === 200 && body.data.status === wanted) return body.data
      if (Date.now() > end) expect.fail(`${path} is ${JSON.stringify(body)}`)
    }
  }
  /** The transfer once its steps are these. */
  const ended = async (id: string, ...steps: string[]): Promise<Transfer> => {
    for (const end = Date.now() + patient(10_000); ; await sleep(20)) {
      const { status, body } = await client.call('GET', `/api/v1/kwlt/transfers/${id}`)
      const found = body.data as Transfer
      const taken = found?.steps?.map(({ step }) => step).join()
      if (status === 200 && taken === steps.join()) return found
      if (Date.now() > end) expect.fail(`${id} took the steps ${taken}`)
    }
  }
  const balances = async () => {
    const rows = (await read('/accounts')) as { wallet: string; balance: string }[]
    return Object.fromEntries(rows.map(({ wallet, balance }) => [wallet, balance]))
  }

  it('moves money from an account of one wallet to an account of another', async () => {
    const { id } = await request({ amount: '300', description: 'rent' })
    await ended(id, 'requested', 'held', 'completed')
    expect(await balances()).to.include({ mira: '700', ben: '300' })
  })

  it('is refused at the hold where there is too little, and changes nothing', async () => {
    const { id } = await request({ amount: '701' })
    const { status, refusal, refused_at } = await ended(id, 'requested', 'refused')
    expect({ status, refusal, refused_at }).to.deep.equal({
      status: 'refused',
      refusal: 'insufficient_funds',
      refused_at: 'hold',
    })
    expect(await balances()).to.include({ mira: '700', ben: '300' })
  })

  it('is refused at the credit where the target takes nothing, and lets the amount go', async () => {
    const { id } = await request({ amount: '700', to: 'shut' })
    const { refusal, refused_at } = await ended(id, 'requested', 'held', 'refused')
    expect({ refusal, refused_at }).to.deep.equal({ refusal: 'wallet_closed', refused_at: 'credit' })
    const { id: next } = await request({ amount: '700' })
    await ended(next, 'requested', 'held', 'completed')
    expect(await balances()).to.include({ mira: '0', ben: '1000' })
    await ended((await request({ from: 'ben', to: 'mira', amount: '700' })).id, 'requested', 'held', 'completed')
  })

  it('is complete at once where it moves nothing', async () => {
    await ended((await request({ amount: '0' })).id, 'requested', 'completed')
    await ended((await request({ amount: '5000', to: 'mira' })).id, 'requested', 'completed')
    expect(await balances()).to.include({ mira: '700', ben: '300' })
  })

  it('begins at its time, and can be cancelled until then', async () => {
    const due = new Date(Date.now() + 1_500)
    const { id } = await request({ amount: '100', due_at: due.toISOString() })
    const { id: other } = await request({ amount: '100', due_at: due.toISOString() })
    await ended(id, 'scheduled')
    await sent(`/transfers/${other}/cancel`, {})
    await ended(id, 'scheduled', 'requested', 'held', 'completed')
    const { steps } = await read(`/transfers/${id}`)
    expect(Date.parse(steps[1].at) - due.getTime()).to.be.within(0, patient(1_000))
    await ended(other, 'scheduled', 'cancelled')
    expect(await balances()).to.include({ mira: '600', ben: '400' })
  })

  it('comes again and again by a standing order', async () => {
    const starts = new Date(Date.now() + patient(2_000)).toISOString().slice(0, 19)
    const rule = 'FREQ=SECONDLY;COUNT=2'
    await sent('/standing-orders', { id: 'allowance', ...base, amount: '1', rule, starts, zone: 'UTC' })
    const { fired, last_at, last_transfer } = await readUntil('/standing-orders/allowance', 'ended')
    expect({ fired, late: Date.parse(last_at) - Date.parse(`${starts}Z`) }).to.deep.equal({ fired: '2', late: 1_000 })
    await ended(last_transfer, 'requested', 'held', 'completed')
    expect(await balances()).to.include({ mira: '598', ben: '402' })
    await sent('/transfers', { ...base, from: 'ben', to: 'mira', amount: '2' }).then(({ id }) =>
      ended(id, 'requested', 'held', 'completed'),
    )
  })

  it('finds what a hold that has expired let go', async () => {
    const expiry = new Date(Date.now() + 1_000)
    const held = { account: 'main', currency: 'EUR', amount: '600', expires_at: expiry.toISOString() }
    await sent('/wallets/mira/holds', { hold: 'short', ...held })
    await ended((await request({ amount: '100' })).id, 'requested', 'refused')
    const { updated_at, reason } = await readUntil('/wallets/mira/holds/short', 'released')
    expect(reason).to.equal('expired')
    expect(Date.parse(updated_at) - expiry.getTime()).to.be.within(0, patient(1_000))
    await ended((await request({ amount: '100' })).id, 'requested', 'held', 'completed')
  })

  it('refuses what no transfer can be', async () => {
    const refused = async (more: object) => {
      const { status, body } = await client.call('POST', '/api/v1/kwlt/transfers', {
        body: { ...base, amount: '1', ...more },
      })
      return `${status} ${body.error.code}`
    }
    expect(await refused({ to: 'nobody' })).to.equal('422 reference_unknown')
    expect(await refused({ amount: '-1' })).to.equal('400 invalid_body')
    expect(await refused({ currency: 'BEANS' })).to.equal('422 transfer_places_unknown')
    expect(await refused({ places: 3 })).to.equal('422 transfer_places_mismatch')
    expect(await refused({ expires_at: '2020-01-01T00:00:00.000Z' })).to.equal('422 transfer_expires_too_early')
    expect(await refused({ from_account: 'external:x' })).to.equal('400 invalid_body')
  })

  it('has no route for what its process alone commands', async () => {
    const { id } = await request({ amount: '0' })
    for (const name of ['complete', 'refuse', 'record-hold', 'start', 'time-out']) {
      const { status } = await client.call('POST', `/api/v1/kwlt/transfers/${id}/${name}`, { body: {} })
      expect(status, name).to.equal(404)
    }
  })
})
