/** Kills the write side in the middle of groups, again and again: what was acknowledged is there once, nothing half. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { eventStore, eventsOf, openWallet, startProcess } from '../../commands/support.ts'
import { kill } from '../../contracts/event-store/child.ts'

const KILLS = process.env.KOGI_LONG ? 1_000 : 3
const PLACES = ['before', 'during', 'after'] as const
const AGAIN: ReadonlySet<string> = new Set(['engine_unavailable', 'outcome_unknown', 'conflict'])
const VICTIM = fileURLToPath(new URL('victim.ts', import.meta.url))
const WALLETS = 3
/** Commands of one wallet that are sent at once. */
const TOGETHER = 24
/** Events of a command, by its name: a capture is an entry and the end of the hold. */
const EVENTS = { credit: 1, hold: 1, capture: 2 } as const

type Sent = { readonly name: keyof typeof EVENTS; readonly wallet: string; readonly key: string; readonly body: object }

describe('the write side, killed', () => {
  const log = eventStore()
  const victims = new Set<ChildProcess>()
  afterEach(() => Promise.all([...victims].map(kill)))

  it(`${KILLS} times in the middle of groups: every acknowledged command once, none half`, async function () {
    this.timeout(process.env.KOGI_LONG ? 7_200_000 : 120_000)
    const { send } = startProcess(log.port)
    const wallets: string[] = []
    for (let n = 0; n < WALLETS; n++) wallets.push(await openWallet(send, 10n ** 9n))
    const acknowledged = new Map<string, string>()
    let waiting: Sent[] = []
    for (let round = 0; round < KILLS || waiting.length > 0; round++) {
      if (round < KILLS) waiting.push(...wallets.flatMap(wallet => commandsOf(wallet, round)))
      // Each wallet makes an append at least. The last victim lives: what no kill let through is sent until it is.
      const count = round < KILLS ? 1 + (round % WALLETS) : Number.MAX_SAFE_INTEGER
      const { answers, died } = await sendTo(log.url, PLACES[round % PLACES.length]!, count, waiting)
      expect(died).to.equal(round < KILLS)
      for (const [key, revision] of answers) acknowledged.set(key, revision)
      waiting = waiting.filter(({ key }) => !acknowledged.has(key))
    }
    expect(acknowledged.size).to.equal(KILLS * WALLETS * TOGETHER)

    const found = new Map<string, number>()
    for (const wallet of wallets) {
      for (const [last, count] of await commandsIn(wallet)) {
        const key = `${wallet} ${last}`
        found.set(key, count)
      }
    }
    const byRevision = [...acknowledged].map(([key, revision]) => [`${key.split('|')[0]} ${revision}`, key] as const)
    expect(new Set(byRevision.map(([place]) => place)).size).to.equal(acknowledged.size)
    for (const [place, key] of byRevision) expect(found.get(place), key).to.equal(EVENTS[key.split('|')[1] as 'hold'])
    // The three that opened each wallet, and nothing that was not acknowledged in the end.
    expect(found.size).to.equal(acknowledged.size + 3 * WALLETS)
  })

  /** The commands in a wallet's stream: the last revision of each, and how many events it has. */
  async function commandsIn(wallet: string): Promise<[last: bigint, count: number][]> {
    const commands = new Map<string, { last: bigint; count: number }>()
    for (const { revision, metadata } of await eventsOf(log.port, wallet)) {
      const known = commands.get(metadata.commandId)
      if (known) expect(revision).to.equal(known.last + 1n)
      commands.set(metadata.commandId, { last: revision, count: (known?.count ?? 0) + 1 })
    }
    return [...commands.values()].map(({ last, count }) => [last, count])
  }

  /** Sends all at once to a new victim, and answers what it acknowledged until it was through or dead. */
  async function sendTo(url: string, place: string, count: number, commands: readonly Sent[]) {
    const child = fork(VICTIM, [url, place, String(count)], {
      execArgv: process.execArgv,
      stdio: ['ignore', 2, 2, 'ipc'],
    })
    victims.add(child)
    const answers = new Map<string, string>()
    const failed: string[] = []
    child.on('message', (message: { key: string; revision?: string; code?: string } | 'ready') => {
      if (message === 'ready') for (const command of commands) child.send(command)
      else if (message.revision === undefined) failed.push(message.code!)
      else answers.set(message.key, message.revision)
      if (answers.size + failed.length === commands.length) child.disconnect()
    })
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
    victims.delete(child)
    // A machine that is too busy answers late: what was not acknowledged is sent again.
    expect(failed.filter(code => !AGAIN.has(code))).to.deep.equal([])
    return { answers, died: signal === 'SIGKILL' }
  }
})

/** A credit, a hold and its capture, again and again. */
function commandsOf(wallet: string, round: number): readonly Sent[] {
  const amount = { account: 'a', currency: 'EUR', amount: '1' }
  return Array.from({ length: TOGETHER / 3 }, (_, n) => {
    const hold = `hold-${round}-${n}`
    const of = (name: Sent['name'], body: object) => ({ name, wallet, key: `${wallet}|${name}|${round}-${n}`, body })
    return [
      of('credit', { ...amount, counterparty: 'external:x' }),
      of('hold', { ...amount, hold }),
      of('capture', { hold, counterparty: 'external:x' }),
    ]
  }).flat()
}
