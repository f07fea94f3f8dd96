import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { campaignProcess } from '../../../commands/processes/wallet/campaign.ts'
import { campaign } from '../../../domain/wallet/campaign/campaign.ts'
import { allEvents, processStore, until } from '../../commands/processes/support.ts'
import { balanceOf, openWallet, startProcess } from '../../commands/support.ts'
import { randomOf } from '../../projections/history.ts'
import { MortalWorker, runLast } from './mortal.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? Date.now() % 1_000_000)
const CAMPAIGNS = LONG ? 60 : 4
const CONTRIBUTIONS = 7
const CALLS_MAX = 50
const BALANCE = 60n
const GOAL = 100n

describe(`campaigns: workers killed at any call to the log (KOGI_SEED=${SEED})`, function () {
  this.timeout(LONG ? 1_200_000 : 60_000)
  const store = processStore()

  it('settle every contribution once, and lose no money', async () => {
    const random = randomOf(SEED)
    const { send } = startProcess(store.port)
    const target = await openWallet(send)
    const purses = await Promise.all(Array.from({ length: 5 }, () => openWallet(send, BALANCE)))
    for (let n = 0; n < CAMPAIGNS; n++) {
      const worker = new MortalWorker({
        store: store.port,
        log: store.log,
        process: campaignProcess,
        calls: 1 + random(CALLS_MAX),
        freezes: false,
      })
      const give = (name: string, body: object, opens = false) =>
        send({ aggregate: campaign, name, id: `c-${n}`, opens, body })
      const terms = { wallet: target, account: 'a', currency: 'EUR', purpose: 'fundraising', title: 'x', goal: GOAL }
      const settlement = random(3) === 0 ? 'keep_what_you_raise' : 'all_or_nothing'
      await give('open', { ...terms, deadline: '2999-01-01T00:00:00.000Z', settlement }, true)
      for (let at = 0; at < CONTRIBUTIONS; at++) {
        const from = purses[random(purses.length)]!
        await give('contribute', { from, from_account: 'a', amount: BigInt(1 + random(40)) })
      }
      await Promise.race([worker.died, sleep(random(100))])
      await give(random(4) === 0 ? 'cancel' : 'end', {})
      await Promise.race([worker.died, sleep(100)])
      worker.kill()
    }
    const last = runLast(store, campaignProcess)
    await until(async () => {
      const { position, left } = await last.checkpoint()
      return left.length === 0 && position >= (await store.log.head())
    }, 60_000)
    await last.stop()
    const events = await allEvents(store.log)
    const of = (type: string) => events.filter(event => event.type === type)
    const [holds, captured, released] = [of('FundsHeld'), of('HoldCaptured'), of('HoldReleased')]
    expect(of('CampaignSettled')).to.have.length(CAMPAIGNS)
    const ends = [...captured, ...released].map(({ data }) => (data as { hold: string }).hold)
    expect(ends.toSorted()).to.deep.equal(holds.map(({ data }) => (data as { hold: string }).hold).toSorted())
    const collected = of('CampaignSettled').reduce(
      (sum, { data }) => sum + BigInt(String((data as { collected: bigint }).collected)),
      0n,
    )
    const balances = await Promise.all([target, ...purses].map(id => balanceOf(store.port, id)))
    expect(balances[0]).to.equal(collected)
    expect(balances.reduce((sum, amount) => sum + amount, 0n)).to.equal(BALANCE * BigInt(purses.length))
  })
})
