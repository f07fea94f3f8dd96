import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { transferProcess } from '../../../commands/processes/wallet/transfer.ts'
import { transfer } from '../../../domain/wallet/transfer/transfer.ts'
import { allEvents, processStore, until } from '../../commands/processes/support.ts'
import { ORG, openWallet, type Send, startProcess } from '../../commands/support.ts'
import { randomOf } from '../../projections/history.ts'
import { expectEnded, readBooks } from './books.ts'
import { MortalWorker, runLast } from './mortal.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? Date.now() % 1_000_000)
const KILLS = Number(process.env.KOGI_KILLS ?? (LONG ? 1_000 : 25))
const WALLETS = 6
const BALANCE = 100n
const TRANSFERS_PER_KILL = 3
/** About how many calls to the log a worker makes before it has nothing left to do. */
const CALLS_MAX = 60
const IDLE_MS = 150

describe(`processes: killed at any call to the log (KOGI_SEED=${SEED})`, function kills() {
  this.timeout(LONG ? 1_200_000 : 60_000)
  const store = processStore()

  it(`${KILLS} times: every transfer ends once, and no money is made or lost at any position`, async () => {
    const random = randomOf(SEED)
    const { send } = startProcess(store.port)
    const wallets = await Promise.all(Array.from({ length: WALLETS }, () => openWallet(send, BALANCE)))
    const approvals = [{ currency: 'EUR', above: 40n }]
    const rules = { zone: 'UTC', limits: [{ currency: 'EUR', per_day: 10_000n * BigInt(KILLS) }], approvals }
    for (const id of wallets) await send({ name: 'setTransferRules', id, body: rules })
    const shut = await openWallet(send)
    await send({ name: 'close', id: shut, body: {} })
    const calls = new Map<string, number>()
    const frozen: MortalWorker[] = []
    const named: string[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const worker = new MortalWorker({
        store: store.port,
        log: store.log,
        process: transferProcess,
        calls: 1 + random(CALLS_MAX),
        freezes: random(5) === 0,
      })
      const ids = Array.from({ length: TRANSFERS_PER_KILL }, (_, n) => `t-${kill}-${n}`)
      const asked = ids.map(id => ask(send, { random, wallets: [...wallets, shut], id }))
      named.push(...ids)
      const idle = sleep(IDLE_MS, 'idle', { ref: false })
      const call = await Promise.race([worker.died, idle])
      calls.set(call, (calls.get(call) ?? 0) + 1)
      if (call.startsWith('frozen')) frozen.push(worker)
      else worker.kill()
      await Promise.all(asked)
      // One that was frozen wakes up while others have gone on.
      if (frozen.length > 0 && random(3) === 0) frozen.shift()!.thaw()
    }
    for (const worker of frozen) worker.thaw()
    await sleep(IDLE_MS)
    for (const worker of frozen) worker.kill()
    const last = runLast(store, transferProcess)
    const settled = () =>
      until(async () => {
        const { position, left } = await last.checkpoint()
        return left.length === 0 && position >= (await store.log.head())
      }, 60_000)
    await settled()
    for (const id of named) await decide(send, 'decline', id)
    await settled()
    expect((await last.checkpoint()).left).to.deep.equal([])
    await last.stop()
    const courses = readBooks(await allEvents(store.log))
    expect(courses.size).to.equal(KILLS * TRANSFERS_PER_KILL)
    expectEnded(courses)
    if (LONG) process.stdout.write(`    ${JSON.stringify(Object.fromEntries(calls))}\n`)
  })
})

type Asked = { readonly random: (n: number) => number; readonly wallets: readonly string[]; readonly id: string }

/** Approves or declines a transfer, as another person, where it waits for that. */
async function decide(send: Send, name: 'approve' | 'decline', id: string): Promise<void> {
  const principal = { subject: 'user-2', org: ORG, roles: [], permissions: [] }
  const body = name === 'decline' ? { reason: 'late' } : {}
  await send({ aggregate: transfer, name, id, body, principal }).catch(() => {})
}

/**
 * Requests a transfer: of too much, of nothing, to itself, to a closed wallet, some with a fee. Some time out, are
 * cancelled or approved.
 */
async function ask(send: Send, { random, wallets, id }: Asked): Promise<void> {
  const [from, to] = [wallets[random(wallets.length - 1)]!, wallets[random(wallets.length)]!]
  const amount = BigInt(random(8) === 0 ? 0 : random(70))
  const account = { from_account: 'a', to_account: 'a', currency: 'EUR' }
  const late = random(4)
  const pause = random(12)
  const costs = random(3)
  const payer = costs === 0 ? 'from' : 'to'
  const fee = costs < 2 && amount > 2n ? { fee: { fixed: 2n, payer, account: 'external:fees' } } : {}
  const body = { from, to, amount, ...account, ...fee }
  await send({ aggregate: transfer, name: 'request', id, opens: true, body })
  await sleep(pause)
  if (late === 0) await send({ aggregate: transfer, name: 'timeOut', id, body: {} })
  if (late === 2) await decide(send, 'approve', id)
  if (late === 1) await send({ aggregate: transfer, name: 'cancel', id, body: {} }).catch(() => {})
}
