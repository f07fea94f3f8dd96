import { randomUUID } from 'node:crypto'
import { type Command, execute, type Receipt, Turns, type WriteDeps } from '../../commands/execute.ts'
import { histories } from '../../commands/history.ts'
import { streamOf } from '../../commands/ids.ts'
import type { EventStore } from '../../commands/ports.ts'
import { item } from '../../domain/item/item.ts'
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import { KogiError, type Rejection } from '../../domain/kernel/errors.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { type Wallet, wallet } from '../../domain/wallet/wallet.ts'
import { codec } from '../../infra/catalogue.ts'
import { startEventStore } from '../../infra/embedded/event-store/index.ts'
import { commandStore } from '../../infra/event-store/command-store.ts'

export const ORG = 'org-1'

/** The embedded event store for the tests of one file, and the port of the write side on it. */
export function eventStore(): { readonly port: EventStore } {
  let server: Awaited<ReturnType<typeof startEventStore>> | undefined
  let writer: ReturnType<typeof commandStore> | undefined
  before(async () => {
    server = await startEventStore({ memory: true })
    writer = commandStore(server.url, 5_000)
  })
  after(async () => {
    await writer?.close()
    await server?.close()
  })
  return {
    get port() {
      if (!writer) throw new Error('the event store runs inside tests only')
      return writer
    },
  }
}

export type Send = (command: Partial<Command> & Pick<Command, 'name' | 'id' | 'body'>) => Promise<Receipt>

/** A process of its own on a log: nothing cached yet. Sends each command under a new key unless one is given. */
export function startProcess(port: EventStore, more: Partial<WriteDeps> = {}) {
  const refused: Rejection[] = []
  const snapshotsFailed: unknown[] = []
  const deps: WriteDeps = {
    store: port,
    codec,
    histories: histories({ store: port, codec, onSnapshotFailed: (_, error) => snapshotsFailed.push(error) }),
    turns: new Turns(),
    now: () => new Date().toISOString(),
    onRefused: (_, rejection) => refused.push(rejection),
    ...more,
  }
  const send: Send = command =>
    execute(deps, {
      aggregate: wallet,
      opens: ['open', 'add', 'create'].includes(command.name),
      fingerprintBody: command.body,
      idempotencyKey: randomUUID(),
      principal: { subject: 'user-1', org: ORG, roles: [], permissions: [] },
      correlationId: 'b6e3a0f4-7d27-4c1e-9a55-0d8f1c2e3a4b',
      subjects: [],
      ...command,
    })
  return { send, deps, refused, snapshotsFailed }
}

/** Opens a wallet with an account `a` in EUR, and puts `balance` into it. */
export async function openWallet(send: Send, balance = 0n): Promise<string> {
  const id = `wallet-${randomUUID()}`
  await send({ name: 'open', id, body: { kind: 'personal' } })
  await send({ name: 'openAccount', id, body: { account: 'a', currency: 'EUR', overdraft: 'refused' } })
  if (balance > 0n) await send(credit(id, balance))
  return id
}

const transfer =
  (name: 'credit' | 'debit') =>
  (id: string, amount: bigint, idempotencyKey: string = randomUUID()) => ({
    name,
    id,
    body: { account: 'a', currency: 'EUR', amount, counterparty: 'external:x' },
    idempotencyKey,
  })
export const credit = transfer('credit')
export const debit = transfer('debit')

/** Adds an item to the portfolio. */
export async function addItem(send: Send): Promise<string> {
  const id = `item-${randomUUID()}`
  await send({ aggregate: item, name: 'add', id, body: { type: 'app', status: 'draft', name: 'Clock' } })
  return id
}

/** Every event of a thing, read from the log alone. */
export async function eventsOf(port: EventStore, id: string, aggregate: AnyAggregate = wallet): Promise<DomainEvent[]> {
  const events: DomainEvent[] = []
  for (;;) {
    const page = await port.read(streamOf(ORG, aggregate.name, id), BigInt(events.length), 1000)
    events.push(...page.map(codec.decode))
    if (page.length < 1000) return events
  }
}

/** The snapshots that are kept of a thing. */
export const snapshotsOf = (port: EventStore, id: string, aggregate: AnyAggregate = wallet) =>
  port.readDerived(streamOf(ORG, aggregate.name, id).replace('-', '_snapshot-'), 'backwards', 10)

/** The balance of a wallet's account `a`, folded from the log alone. */
export async function balanceOf(port: EventStore, id: string): Promise<bigint> {
  let state: Wallet = wallet.initial
  for (const { type, data } of await eventsOf(port, id)) {
    state = wallet.evolve[type as keyof typeof wallet.evolve](state, data as never)
  }
  return state.status === 'open' ? (state.accounts.a?.EUR?.amount ?? 0n) : 0n
}

/** The code that a promise is refused with; what is no expected error goes on. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    if (error instanceof KogiError) return error.code
    throw error
  }
}

/** What the port throws when no answer came. */
export const noAnswer = () => new KogiError('engine_unavailable', 'no answer')
