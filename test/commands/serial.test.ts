import { expect } from 'chai'
import fc from 'fast-check'
import { evolveWith } from '../../domain/kernel/aggregate.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { spendable } from '../../domain/wallet/wallet/entry.ts'
import { floorOf, type OpenWallet } from '../../domain/wallet/wallet/state.ts'
import { accountsOf, type Wallet, wallet } from '../../domain/wallet/wallet/wallet.ts'
import { codeOf, eventStore, eventsOf, openWallet, type Send, startProcess } from './support.ts'

type Command = { readonly name: string; readonly body: object }

const amount = fc.bigInt(1n, 120n)
const hold = fc.constantFrom('h1', 'h2', 'h3')
const eur = { account: 'a', currency: 'EUR' }
const counterparty = 'external:x'
/** What each of the clients asks for; together they can never all be granted. */
const commandArb: fc.Arbitrary<Command> = fc.oneof(
  amount.map(amount => ({ name: 'credit', body: { ...eur, amount, counterparty } })),
  amount.map(amount => ({ name: 'debit', body: { ...eur, amount, counterparty } })),
  fc.tuple(hold, amount).map(([hold, amount]) => ({ name: 'hold', body: { ...eur, hold, amount } })),
  fc.tuple(hold, amount).map(([hold, amount]) => ({ name: 'capture', body: { hold, amount, counterparty } })),
  hold.map(hold => ({ name: 'release', body: { hold } })),
  fc.constantFrom(0n, 50n).map(limit => ({ name: 'changeAccount', body: { ...eur, overdraft: 'allowed', limit } })),
  fc.constantFrom('freezeAccount', 'unfreezeAccount').map(name => ({ name, body: eur })),
)
const CLIENTS = 8

describe('commands of several clients at once', () => {
  const log = eventStore()

  it('leave what a serial order of those accepted leaves, and break no rule at any revision', async function () {
    this.timeout(120_000)
    const { send } = startProcess(log.port)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(commandArb, { minLength: 1, maxLength: 6 }), { minLength: CLIENTS, maxLength: CLIENTS }),
        async lists => {
          const id = await openWallet(send, 200n)
          const bodies = new Map<string, Command>()
          const accepted = new Set<string>()
          const run = async (send: Send, commands: readonly Command[], client: number) => {
            for (const [n, command] of commands.entries()) {
              const idempotencyKey = `${client}:${n}`
              const receipt = await sent(send, { ...command, id, idempotencyKey })
              if (receipt === undefined) continue
              const [{ eventId } = { eventId: undefined }] = receipt.events
              if (eventId !== undefined) {
                accepted.add(eventId)
                bodies.set(eventId, command)
              }
            }
          }
          await Promise.all(lists.map((commands, client) => run(startProcess(log.port).send, commands, client)))
          mustBeSerial(await eventsOf(log.port, id), bodies)
        },
      ),
      { numRuns: process.env.KOGI_LONG ? 60 : 4 },
    )
  })
})

/** The receipt, `undefined` where the command was refused or lost every race. */
async function sent(send: Send, command: Parameters<Send>[0]) {
  const answer = send(command)
  return (await codeOf(answer)) === undefined ? answer : undefined
}

/** Each command, decided on the state that the log has led to by then, makes the very events that stand there. */
function mustBeSerial(events: readonly DomainEvent[], bodies: ReadonlyMap<string, Command>): void {
  let state: unknown = wallet.initial
  let left: readonly { readonly type: string; readonly data: object }[] = []
  let acceptedCommands = 0
  for (const event of events) {
    const command = bodies.get(event.eventId)
    if (command) {
      expect(left, 'the events of a command stand side by side').to.deep.equal([])
      acceptedCommands += 1
      const { at, actor, org } = event.metadata
      const { entry } = event.data as { readonly entry?: string }
      const context = { id: 'w', org, actor: actor.subject, permissions: [], at, newId: () => entry ?? 'none' }
      left = wallet.decide[command.name as 'debit'](state as Wallet, command.body as never, context)
    }
    if (left.length > 0) {
      expect({ type: event.type, data: event.data }).to.deep.equal(left[0])
      left = left.slice(1)
    }
    state = evolveWith(wallet, state, event)
    mustKeepRules(state as Wallet, event, left.length === 0)
  }
  expect(left).to.deep.equal([])
  expect(acceptedCommands).to.equal(bodies.size)
}

/** Between the entry of a capture and the end of its hold the amount counts twice: `isWhole` says that none is open. */
function mustKeepRules(state: Wallet, { type, metadata, data }: DomainEvent, isWhole: boolean): void {
  for (const account of accountsOf(state)) {
    expect((account.held ?? 0n) >= 0n, `${type} leaves a hold below zero`).to.equal(true)
    const left = spendable(state as OpenWallet, account, { unit: 2, today: metadata.at.slice(0, 10) }) ?? 0n
    const lowest = floorOf(account) ?? account.amount
    expect(account.amount >= lowest, `${type} leaves an account below its limit`).to.equal(true)
    if (isWhole) expect(left >= 0n, `${type} leaves less than nothing to spend: ${left}`).to.equal(true)
  }
  if (type !== 'EntryPosted') return
  const { postings } = data as { readonly postings: readonly { readonly amount: bigint }[] }
  expect(postings.reduce((sum, { amount }) => sum + amount, 0n)).to.equal(0n)
}
