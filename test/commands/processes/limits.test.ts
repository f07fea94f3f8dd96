import { expect } from 'chai'
import { membersOf } from '../../../domain/record/keyed.ts'
import { wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { codeOf, eventsOf, ORG, openWallet, startProcess } from '../support.ts'
import { processStore } from './support.ts'

const CLIENTS = 8
const HOLDS = process.env.KOGI_LONG === '1' ? 200 : 12

describe('the limit of what may be sent', function () {
  this.timeout(60_000)
  const store = processStore()

  it('is never passed by any interleaving of eight clients, and what is let go can be sent again', async () => {
    const { send } = startProcess(store.port)
    const id = await openWallet(send, 1_000_000n)
    const limit = BigInt(CLIENTS * HOLDS) * 4n
    const limits = [{ currency: 'EUR', per_day: limit, per_month: limit }]
    await send({ name: 'setTransferRules', id, body: { zone: 'Europe/Berlin', limits, approvals: [] } })
    const principal = { subject: 'process:transfer', org: ORG, roles: [], permissions: [] }
    const amountOf = (client: number, n: number) => BigInt(1 + ((client * 7 + n * 5) % 19))
    const client = async (number: number) => {
      const own = startProcess(store.port)
      for (let n = 0; n < HOLDS; n++) {
        const hold = `process:${number}-${n}`
        const asked = { hold, account: 'a', currency: 'EUR', amount: amountOf(number, n) }
        const held = own.send({ name: 'hold', id, body: asked, principal })
        const code = await codeOf(held)
        if (code === 'conflict') n -= 1
        else expect(code ?? 'transfer_limit_passed').to.equal('transfer_limit_passed')
        if (code === undefined && n % 3 === 0) {
          await until(() => own.send({ name: 'release', id, body: { hold }, principal }))
        }
      }
    }
    await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)))
    let state = wallet.initial
    let [sent, most] = [0n, 0n]
    for (const { type, data, metadata } of await eventsOf(store.port, id)) {
      const { amount = 0n } = data as { amount?: bigint }
      if (type === 'FundsHeld') sent += amount
      if (type === 'HoldReleased') sent -= amount
      if (sent > most) most = sent
      state = wallet.evolve[type as keyof typeof wallet.evolve](state, data as never, metadata.at)
    }
    expect(most <= limit, `${most} of ${limit}`).to.equal(true)
    const counts = state.status === 'open' ? membersOf(state.sent!.counts) : []
    expect(counts.map(({ onDay, inMonth }) => [onDay, inMonth])).to.deep.equal([
      [sent, sent],
      [sent, sent],
    ])
  })
})

/** Tries until nobody else was faster. */
async function until(give: () => Promise<unknown>): Promise<void> {
  for (let code: string | undefined = 'conflict'; code === 'conflict'; ) code = await codeOf(give())
}
