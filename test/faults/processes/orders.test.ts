import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { orderProcess } from '../../../commands/processes/exchange/order.ts'
import { order } from '../../../domain/exchange/order/order.ts'
import { allEvents, processStore, until } from '../../commands/processes/support.ts'
import { balanceOf, ORG, openWallet, startProcess } from '../../commands/support.ts'
import { randomOf } from '../../projections/history.ts'
import { MortalWorker, runLast } from './mortal.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? Date.now() % 1_000_000)
const KILLS = Number(process.env.KOGI_KILLS ?? (LONG ? 1_000 : 12))
const CALLS_MAX = 40
const BALANCE = 60n

const CALLER = { org: ORG, roles: [], permissions: [] }

type Money = { readonly to_vendor: bigint; readonly to_buyer: bigint }

describe(`orders: workers killed at any call to the log (KOGI_SEED=${SEED})`, function () {
  this.timeout(LONG ? 1_200_000 : 60_000)
  const store = processStore()

  it(`${KILLS} times: what is held is paid or given back, once, and no money is made or lost`, async () => {
    const random = randomOf(SEED)
    const { send } = startProcess(store.port)
    const [purse, shop, shut] = [await openWallet(send, BALANCE), await openWallet(send), await openWallet(send)]
    await send({ name: 'close', id: shut, body: {} })
    /** A command of one side; refused where the worker has not come so far, or was quicker. */
    const give = (id: string, name: string, actor: string, body: object, opens = false) =>
      send({ aggregate: order, name, id, opens, body, principal: { ...CALLER, subject: actor } }).catch(() => undefined)
    for (let n = 0; n < KILLS; n++) {
      const options = { store: store.port, log: store.log, process: orderProcess, freezes: false }
      const worker = new MortalWorker({ ...options, calls: 1 + random(CALLS_MAX) })
      const id = `o-${n}`
      const terms = { title: 'x', vendor: 'jon', amount: BigInt(1 + random(30)), currency: 'EUR', inspection_days: 1 }
      await give(id, 'place', 'mira', { ...terms, wallet: purse, account: 'a' }, true)
      await Promise.race([worker.died, sleep(15)])
      const to_wallet = random(4) === 0 ? shut : shop
      if (random(5) === 0) await give(id, 'cancel', 'mira', {})
      await give(id, 'confirm', 'jon', { to_wallet, to_account: 'a' })
      await give(id, 'deliver', 'jon', {})
      if (random(3) === 0) {
        await give(id, 'dispute', 'mira', { reason: 'x' })
        await give(id, 'decide', 'ann', { to_vendor: terms.amount / 2n, reason: 'half' })
      } else await give(id, random(3) === 0 ? 'refund' : 'accept', random(3) === 0 ? 'jon' : 'mira', {})
      await Promise.race([worker.died, sleep(15)])
      worker.kill()
    }
    const last = runLast(store, orderProcess)
    const isIdle = async () => {
      const { position, left } = await last.checkpoint()
      return left.length === 0 && position >= (await store.log.head())
    }
    await until(isIdle, 60_000)
    // Whatever has not ended is ended now, whichever way it still can.
    for (let n = 0; n < KILLS; n++) {
      const id = `o-${n}`
      await give(id, 'redirect', 'jon', { to_wallet: shop, to_account: 'a' })
      await give(id, 'decline', 'jon', {})
      await give(id, 'refund', 'jon', {})
    }
    await until(isIdle, 60_000)
    await last.stop()
    const events = await allEvents(store.log)
    const dataOf = (type: string) => events.filter(event => event.type === type).map(({ data }) => data)
    const holds = (type: string) => (dataOf(type) as { hold: string }[]).map(({ hold }) => hold).toSorted()
    expect([...holds('HoldCaptured'), ...holds('HoldReleased')].toSorted()).to.deep.equal(holds('FundsHeld'))
    const ends = dataOf('OrderEnded') as Money[]
    expect(ends.length + dataOf('OrderRefused').length).to.equal(dataOf('OrderPlaced').length)
    const paid = ends.reduce((sum, { to_vendor }) => sum + to_vendor, 0n)
    expect(await balanceOf(store.port, shop)).to.equal(paid)
    expect(await balanceOf(store.port, purse)).to.equal(BALANCE - paid)
  })
})
